"""The identifiers of `model/keys.py` for verifiers that do not run Python. Pure."""

from hansa.appkit.key_rule import KeyRule
from hansa.apps.food_trace.model import RECORDS
from hansa.apps.food_trace.model.keys import FoodRecord, list_item_checks

_CHECKS = (*list_item_checks(), *list_item_checks("_2"))
KEY_RULES = tuple(
    KeyRule(
        kind, kind.PATTERN, tuple(check for check in _CHECKS if f"<{check[2]}>" in kind.PATTERN)
    )
    for kind in RECORDS
    if issubclass(kind, FoodRecord)
)
