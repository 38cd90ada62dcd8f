"""A receipt as a QR code: link, id and checkpoint, for a check without login. Pure.

The text is the link itself, with the id and the checkpoint in the fragment, which browsers never
send: `https://host/receipts/<id>#m=<message>&c=<chain>&h=<height>&b=<16 hex of the header hash>`.
"""

import io
import re
from typing import Literal
from urllib.parse import quote, urlsplit

import segno

# A phone reads version 15 (about 400 bytes at level M) from paper; longer links are refused.
TEXT_BYTES_MAX = 400
# 64 bits of the header hash: enough that nobody finds a second header for a link in hand.
HASH_PREFIX_BYTES = 8


class UnprintableReceipt(ValueError):
    """A link, id or checkpoint that can't be a receipt's QR code."""


def format_receipt_link(
    base: str, transaction: str, message: int, *, chain: str, height: int, header_hash: bytes
) -> str:
    """The text of the code. `base` is the gateway's http(s) address, the rest the receipt's.

    Raises UnprintableReceipt.
    """
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise UnprintableReceipt("the link is not a plain http or https address")
    if re.fullmatch("[0-9a-f]{64}", transaction) is None or message < 0 or height < 1:
        raise UnprintableReceipt("not a transaction id, a message index and a height")
    if len(header_hash) != 32:
        raise UnprintableReceipt("a header hash has 32 bytes")
    prefix = header_hash[:HASH_PREFIX_BYTES].hex()
    text = (
        f"{base.rstrip('/')}/receipts/{transaction}"
        f"#m={message}&c={quote(chain, safe='')}&h={height}&b={prefix}"
    )
    if len(text.encode()) > TEXT_BYTES_MAX:
        raise UnprintableReceipt(f"the link is longer than {TEXT_BYTES_MAX} bytes")
    return text


def render_receipt_qr(link: str, form: Literal["svg", "terminal"]) -> str:
    """The code of a receipt link as an SVG document or as text for a terminal.

    Error correction level M: 15 % of the code may be dirty. Raises UnprintableReceipt.
    """
    if not link or len(link.encode()) > TEXT_BYTES_MAX:
        raise UnprintableReceipt(f"the link is empty or longer than {TEXT_BYTES_MAX} bytes")
    code = segno.make_qr(link, error="m")
    if form == "terminal":
        text = io.StringIO()
        code.terminal(out=text, compact=True)
        return text.getvalue()
    image = io.BytesIO()
    code.save(image, kind="svg", scale=4, xmldecl=False, title="Hansa receipt", light="#fff")
    return image.getvalue().decode()
