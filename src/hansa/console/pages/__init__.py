"""The pages of the console, as an explicit list: nothing is discovered.

A page module per area; each page is in PAGES, and of two that fit an address the first is taken.
"""

from hansa.console.pages import (
    account,
    applications,
    forms,
    home,
    records,
    sign_in,
    tables,
    transactions,
    verify,
)
from hansa.console.routing import Page

PAGES: tuple[Page, ...] = (
    home.show_home,
    account.show_account,
    sign_in.show_sign_in,
    sign_in.sign_in,
    sign_in.sign_out,
    sign_in.show_words,
    applications.list_applications,
    applications.show_application,
    forms.show_form,
    forms.take_form,
    records.get_proof,
    records.show_record,
    tables.export_table,
    tables.show_kind,
    tables.show_table,
    transactions.get_receipt,
    transactions.show_refusal,
    transactions.show_transaction,
    verify.show_verify,
    verify.show_checks,
    verify.get_package,
)
