"""The QR code of a receipt: link, id and checkpoint, readable by a machine that is not ours."""

import xml.etree.ElementTree as ElementTree

import pytest
import segno

from hansa.apps.e_invoice.documents.qr import (
    TEXT_BYTES_MAX,
    UnprintableReceipt,
    format_receipt_link,
    render_receipt_qr,
)

LINK = {"chain": "guangzhou-1", "height": 12, "header_hash": bytes(range(32))}
ID = "ab" * 32


def test_the_link_names_receipt_message_chain_height_and_header() -> None:
    link = format_receipt_link("https://gateway.example/", ID, 3, **LINK)
    assert link == (
        f"https://gateway.example/receipts/{ID}#m=3&c=guangzhou-1&h=12&b=0001020304050607"
    )


def test_a_chain_id_is_escaped() -> None:
    link = format_receipt_link("http://127.0.0.1:8080", ID, 0, **{**LINK, "chain": "a&h=1"})
    assert "c=a%26h%3D1&h=12" in link


@pytest.mark.parametrize(
    "change",
    [
        {"base": "ftp://gateway.example"},
        {"base": "javascript:alert(1)"},
        {"base": "https://gateway.example/?x=1"},
        {"base": "https://" + "a" * TEXT_BYTES_MAX},
        {"transaction": "AB" * 32},
        {"transaction": "ab"},
        {"message": -1},
        {"height": 0},
        {"header_hash": b"short"},
    ],
)
def test_a_link_that_is_none_is_refused(change: dict) -> None:
    values = {"base": "https://gateway.example", "transaction": ID, "message": 0, **LINK, **change}
    with pytest.raises(UnprintableReceipt):
        format_receipt_link(
            values.pop("base"), values.pop("transaction"), values.pop("message"), **values
        )


def test_the_svg_draws_the_modules_of_the_code() -> None:
    link = format_receipt_link("https://gateway.example", ID, 0, **LINK)
    image = ElementTree.fromstring(render_receipt_qr(link, "svg"))
    size = segno.make_qr(link, error="m").symbol_size(scale=4)[0]
    assert image.tag.endswith("svg")
    assert image.get("width") == str(size)
    assert "script" not in render_receipt_qr(link, "svg")


def test_the_terminal_form_has_the_code_in_blocks() -> None:
    link = format_receipt_link("https://gateway.example", ID, 0, **LINK)
    text = render_receipt_qr(link, "terminal")
    size = segno.make_qr(link, error="m").symbol_size()[0]
    lines = text.rstrip("\n").split("\n")
    assert {len(line) for line in lines} == {size}
    assert set(text) <= set("█▀▄ \n")


@pytest.mark.parametrize("link", ["", "x" * (TEXT_BYTES_MAX + 1)])
def test_no_code_is_made_of_nothing_or_too_much(link: str) -> None:
    with pytest.raises(UnprintableReceipt):
        render_receipt_qr(link, "svg")
