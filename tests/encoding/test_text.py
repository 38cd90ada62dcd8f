"""Strict text forms: one text for some bytes, one sequence of bytes for a text."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.encoding.text import TextError, decode_base64url, encode_base64url

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(st.binary(max_size=80))
def test_base64url_returns_the_bytes(data: bytes) -> None:
    text = encode_base64url(data)
    assert decode_base64url(text) == decode_base64url(text.encode()) == data
    assert "=" not in text
    assert base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) == data


@given(st.text(ALPHABET + "=+/ \n\u00e9\x00.", max_size=12) | st.text(max_size=12))
def test_any_text_is_the_one_form_or_refused(text: str) -> None:
    try:
        data = decode_base64url(text)
    except TextError:
        return
    assert encode_base64url(data) == text


@pytest.mark.parametrize(
    "text",
    [
        *("=", "QQ==", "QQ=", "QUI=", "QUJD=", "Q", "QUJDR"),
        *("QR", "QUJ", "QUK", "Q_", "__9"),
        *("QQ ", " QQ", "Q Q", "QQ\n", "Q\tQ", "\ufeffQQ"),
        *("+w", "/w", "é", "QQ\x00", "ＱＱ", "Q.Q"),
    ],
)
def test_invalid_loose_base64url(text: str) -> None:
    with pytest.raises(TextError):
        decode_base64url(text)
