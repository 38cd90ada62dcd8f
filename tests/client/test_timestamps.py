"""RFC 3161 tokens: good ones hold, each wrong one is refused with its own reason."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from hansa.client.timestamps import (
    WrongToken,
    build_request,
    check_token,
    load_roots,
    read_nonce,
)
from tests.client.tsa import NOW, YEAR, Authority

BAY, RIVAL = Authority(), Authority("Rival TSA")
VALUE = bytes(range(32))
MAIL = Authority("Mail", purposes=(ExtendedKeyUsageOID.EMAIL_PROTECTION,))
BOTH = Authority(
    "Both", purposes=(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING)
)
LAX = Authority("Lax", critical=False)
NONE = Authority("None", purposes=())


@pytest.mark.parametrize("bare", [False, True])
def test_a_token_and_its_response_hold_after_the_certificate_has_ended(bare: bool) -> None:
    token = BAY.stamp(VALUE, nonce=7, bare=bare)
    stamp = check_token(token, VALUE, [RIVAL.root, BAY.root], nonce=7)
    assert (stamp.time, stamp.serial, stamp.authority) == (NOW, 42, "CN=Bay TSA")


def test_a_request_asks_for_the_certificate_with_a_nonce_that_the_answer_repeats() -> None:
    first, second = build_request(VALUE), build_request(VALUE)
    nonce = read_nonce(first)
    assert nonce is not None
    assert nonce != read_nonce(second)
    assert check_token(BAY.stamp(VALUE, nonce=nonce), VALUE, [BAY.root], nonce=nonce).time == NOW
    with pytest.raises(WrongToken) as refused:
        read_nonce(b"no query")
    assert refused.value.reason == "bad_request"


WRONG: dict[str, tuple[str, Callable[[], bytes]]] = {
    "another document": ("other_digest", lambda: BAY.stamp(bytes(32), nonce=7)),
    "another query": ("other_nonce", lambda: BAY.stamp(VALUE, nonce=8)),
    "no nonce": ("other_nonce", lambda: BAY.stamp(VALUE)),
    "an authority not trusted": ("untrusted", lambda: RIVAL.stamp(VALUE, nonce=7)),
    "before the certificate": (
        "untrusted",
        lambda: BAY.stamp(VALUE, nonce=7, time=NOW - 2 * YEAR),
    ),
    "after the certificate": ("untrusted", lambda: BAY.stamp(VALUE, nonce=7, time=NOW + 2 * YEAR)),
    "a forged signature": ("untrusted", lambda: BAY.stamp(VALUE, nonce=7, spoil=True)),
    "a certificate for mail": ("wrong_usage", lambda: MAIL.stamp(VALUE, nonce=7)),
    "a certificate for more": ("wrong_usage", lambda: BOTH.stamp(VALUE, nonce=7)),
    "a purpose that is not critical": ("wrong_usage", lambda: LAX.stamp(VALUE, nonce=7)),
    "no purpose": ("wrong_usage", lambda: NONE.stamp(VALUE, nonce=7)),
    "a refusal": ("not_granted", lambda: BAY.stamp(VALUE, nonce=7, status="rejection")),
    "a weak hash": ("unknown_hash", lambda: BAY.stamp(VALUE, nonce=7, algorithm="sha1")),
    "nothing": ("bad_token", lambda: b""),
    "rubbish": ("bad_token", lambda: b"\x30\x03\x02\x01\x00"),
    "a torn token": ("bad_token", lambda: BAY.stamp(VALUE, nonce=7)[:-1]),
    "a token and more": ("bad_token", lambda: BAY.stamp(VALUE, nonce=7) + b"\x00"),
    "too long a token": ("bad_token", lambda: bytes(8_193)),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_token_is_refused_with_its_reason(name: str) -> None:
    reason, build = WRONG[name]
    roots = [each.root for each in (BAY, MAIL, BOTH, LAX, NONE)]
    with pytest.raises(WrongToken) as refused:
        check_token(build(), VALUE, roots, nonce=7)
    assert refused.value.reason == reason, refused.value.text


def test_no_bit_of_a_token_can_be_changed() -> None:
    """Whatever flips, the token is refused, or says the same as before."""
    token = BAY.stamp(VALUE, nonce=7)
    good = check_token(token, VALUE, [BAY.root], nonce=7)
    for bit in range(0, 8 * len(token), 13):
        spoilt = bytearray(token)
        spoilt[bit // 8] ^= 1 << bit % 8
        try:
            assert check_token(bytes(spoilt), VALUE, [BAY.root], nonce=7) == good
        except WrongToken:
            continue


def test_roots_are_read_from_pem_and_der() -> None:
    pem = b"".join(each.root.public_bytes(serialization.Encoding.PEM) for each in (BAY, RIVAL))
    assert load_roots(pem) == (BAY.root, RIVAL.root)
    assert load_roots(BAY.root.public_bytes(serialization.Encoding.DER)) == (BAY.root,)
    for bad in (b"", b"no certificate", b"-----BEGIN CERTIFICATE-----"):
        with pytest.raises(WrongToken) as refused:
            load_roots(bad)
        assert refused.value.reason == "bad_roots"


@pytest.mark.slow
def test_the_test_authoritys_token_and_our_query_hold_for_openssl(tmp_path: Path) -> None:
    """An independent verifier judges the same token alike, and reads our query."""
    openssl = shutil.which("openssl")
    assert openssl is not None
    (tmp_path / "value").write_bytes(VALUE)
    (tmp_path / "token.tsr").write_bytes(BAY.stamp(VALUE))
    (tmp_path / "query.tsq").write_bytes(build_request(VALUE))
    (tmp_path / "root.pem").write_bytes(BAY.root.public_bytes(serialization.Encoding.PEM))
    verify = "ts -verify -data value -in token.tsr -CAfile root.pem"
    for command, word in (
        (f"{verify} -attime {int(NOW.timestamp())}", "Verification: OK"),
        ("ts -query -in query.tsq -text", "Certificate required: yes"),
    ):
        done = subprocess.run(
            [openssl, *command.split()], cwd=tmp_path, capture_output=True, check=False
        )
        assert word in (done.stdout + done.stderr).decode(), done
