"""Handlers of food_trace: READ, CHECK, WRITE, EMIT. Start with `capture.py`."""

from hansa.apps.food_trace.contract import capture, shipping, supervision
from hansa.apps.food_trace.contract.manifest import ROLES, contract

__all__ = ["ROLES", "capture", "contract", "shipping", "supervision"]
