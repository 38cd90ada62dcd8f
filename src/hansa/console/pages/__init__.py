"""The pages of the console, as an explicit list: nothing is discovered.

A page module per area; each page is in PAGES, and of two that fit an address the first is taken.
"""

from hansa.console.pages import account, home, sign_in
from hansa.console.routing import Page

PAGES: tuple[Page, ...] = (
    home.show_home,
    account.show_account,
    sign_in.show_sign_in,
    sign_in.sign_in,
    sign_in.sign_out,
    sign_in.show_words,
)
