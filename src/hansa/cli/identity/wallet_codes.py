"""Codes that wallets scan: addresses of offers and requests, as text or SVG. Pure but for the file.

Error correction level L: they are shown on a screen, and the smaller a code, the easier the scan.
"""

import io
from pathlib import Path
from typing import Final

import click
import segno

from hansa.client.faults import ClientError
from hansa.client.files import store_file

# Version 40 at level L holds 2,953 bytes; nobody scans it. Version 20 has 858.
TEXT_BYTES_MAX: Final = 858


def render_code(text: str) -> str:
    """A QR code for a terminal. Raises ClientError when the text is too long to scan."""
    drawn = io.StringIO()
    _make(text).terminal(out=drawn, compact=True)
    return drawn.getvalue()


def draw_code(text: str, path: Path, *, replace: bool) -> None:
    """Write a QR code as SVG. Raises ClientError."""
    image = io.BytesIO()
    _make(text).save(image, kind="svg", scale=4, xmldecl=False, light="#fff")
    store_file(path, image.getvalue(), replace=replace)


def _make(text: str) -> segno.QRCode:
    if len(text.encode()) > TEXT_BYTES_MAX:
        raise ClientError("the address is too long for a code", "leave out --by-value")
    return segno.make_qr(text, error="l")


def code_options() -> list[click.Parameter]:
    """The options --svg and --force."""
    return [
        click.Option(
            ["--svg"], type=click.Path(path_type=Path), metavar="OUT", help="Write the code as SVG."
        ),
        click.Option(["--force"], is_flag=True, help="Replace the SVG file if it is there."),
    ]


def tell_code(uri: str, svg: Path | None, *, force: bool) -> str:
    """The code for people: drawn into the file, or on the terminal, with its text."""
    if svg is None:
        return f"{render_code(uri)}\n{uri}"
    draw_code(uri, svg, replace=force)
    return f"{svg}\n{uri}"
