"""The GS1 Digital Link of an item as a QR code, for a phone without an app. Pure.

Any GS1 scanner reads it as the item, any camera as an address.
"""

import io
from typing import Final, Literal
from urllib.parse import urlsplit

import segno

from hansa.apps.food_trace.identifiers import to_digital_link

GS1: Final = "https://id.gs1.org"
# Where a console shows labels.
LABELS: Final = "/id"
# A phone reads version 15 (about 400 bytes at level M) from paper; longer links are refused.
TEXT_BYTES_MAX: Final = 400


class UnprintableLink(ValueError):
    """An item or an address that can be no QR code on a label."""


def build_link(item: str, base: str | None) -> str:
    """The Digital Link of an item in element form, at a console, else at GS1.

    Raises UnprintableLink for what is no GS1 key, or no plain http(s) address.
    """
    host = GS1
    if base is not None:
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query:
            raise UnprintableLink("the address is not a plain http or https address")
        host = base.rstrip("/") + LABELS
    if item.startswith("~"):
        raise UnprintableLink(f"{item} is no GS1 key, so it has no Digital Link")
    link = to_digital_link(item, host)
    if len(link.encode()) > TEXT_BYTES_MAX:
        raise UnprintableLink(f"the link is longer than {TEXT_BYTES_MAX} bytes")
    return link


def render_link_qr(link: str, form: Literal["svg", "terminal"]) -> str:
    """The code as an SVG document or as text for a terminal; 15 % of it may be dirty (level M)."""
    code = segno.make_qr(link, error="m")
    if form == "terminal":
        text = io.StringIO()
        code.terminal(out=text, compact=True)
        return text.getvalue()
    image = io.BytesIO()
    code.save(image, kind="svg", scale=4, xmldecl=False, title="GS1 Digital Link", light="#fff")
    return image.getvalue().decode()
