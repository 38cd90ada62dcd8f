"""Safe markup for pictures: a tree of elements, never text put together; what a record says can
only become text or a shortened label. Pure.
"""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

# Control characters, lone surrogates, and marks that would turn the text around them.
_UNSHOWN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]"
)
_HERE = re.compile(r"^(?:/(?![/\\])|[?#])[!-~]*$(?!\n)")
Value = str | int | float


def clean(text: str) -> str:
    """Text that any parser shows as it is: what cannot be shown becomes U+FFFD."""
    return _UNSHOWN.sub("\ufffd", text)


def format_number(value: float) -> str:
    """A coordinate with at most one decimal: 12, 12.5."""
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"


def new(tag: str, text: str = "", **attributes: Value) -> Element:
    """An element. `class_` is class, `_` in names is a hyphen (`aria_label`)."""
    element = Element(tag)
    _dress(element, text, attributes)
    return element


def add(parent: Element, tag: str, text: str = "", **attributes: Value) -> Element:
    """An element at the end of `parent`; see `new`."""
    element = SubElement(parent, tag)
    _dress(element, text, attributes)
    return element


def _dress(element: Element, text: str, attributes: dict[str, Value]) -> None:
    if text:
        element.text = clean(text)
    for name, value in attributes.items():
        shown = clean(value) if isinstance(value, str) else format_number(value)
        element.set(name.rstrip("_").replace("_", "-"), shown)


def add_link(parent: Element, href: str, label: str = "") -> Element:
    """A link when `href` leads to a page of this very site, else a group without one."""
    if not _HERE.match(href):
        return add(parent, "g")
    link = add(parent, "a", href=href)
    if label:
        link.set("aria-label", clean(label))
    return link


def to_markup(element: Element) -> Markup:
    """The tree as HTML source (SVG in it too); everything in it is escaped."""
    text = tostring(element, encoding="unicode", short_empty_elements=False)
    return Markup(text)  # noqa: S704 - serialised from a tree, nothing is put together as text
