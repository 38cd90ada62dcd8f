"""Handlers of e_invoice: READ, CHECK, WRITE, EMIT. Start with `issue.py`."""

from hansa.apps.e_invoice.contract import issue, red_letter, registration, reimburse
from hansa.apps.e_invoice.contract.manifest import ROLES, contract

__all__ = ["ROLES", "contract", "issue", "red_letter", "registration", "reimburse"]
