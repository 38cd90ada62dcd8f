"""How people name an item: EPC, Digital Link, a link's path, or the element form itself. Pure."""

from typing import Final

from hansa.apps.food_trace.identifiers import element_of
from hansa.ledger.model import is_key_part

_HOST: Final = "https://id.gs1.org/"
# Of what was sent, in the answer that it names nothing.
SHOWN: Final = 200


class NoSuchName(ValueError):
    """A text that can be no item's name."""


def read_item(text: str) -> str:
    """The element form. Raises NoSuchName, BadCheckDigit, BadIdentifier."""
    text = text.strip()
    if text.startswith("urn:") or "://" in text:
        return _check(element_of(text), text)
    path = text.strip("/")
    if "/" in path:
        element = element_of(_HOST + path)
        if element.startswith("~"):
            raise NoSuchName(text[:SHOWN])
        return _check(element, text)
    return _check(text, text)


def _check(element: str, text: str) -> str:
    if not is_key_part(element):
        raise NoSuchName(text[:SHOWN])
    return element
