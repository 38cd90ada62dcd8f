"""Status lists of the W3C and of the IETF: their own vectors, herds, bounds and bad lists."""

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.crypto.keys import PrivateKey
from hansa.encoding.text import encode_base64url
from hansa.identity.bitstring_status import (
    ENTRIES_MIN,
    BitstringEntry,
    build_bitstring_credential,
    build_bitstring_entry,
    encode_bitstring,
    read_bitstring_entry,
    read_bitstring_list,
)
from hansa.identity.faults import Malformed
from hansa.identity.jws import find_signature_fault, sign_jws
from hansa.identity.status_bits import (
    INFLATED_BYTES_MAX,
    deflate,
    get_status,
    inflate,
    pack_statuses,
)
from hansa.identity.token_status import (
    REVOKED,
    SUSPENDED,
    VALID,
    encode_token_list,
    parse_status_token,
    read_token_list,
    sign_status_token,
)

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "status_lists" / "token_status.json").read_text()
)
W3C_EMPTY = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"
URI = "https://gate.example/v1/credentials/did:hansa:a/status/licences"
KEY = PrivateKey.from_seed("EdDSA", b"\x07" * 32)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: f"{each['bits']}x{each['size']}")
def test_lists_of_the_draft_are_made_and_read(vector: dict[str, Any]) -> None:
    values = dict(vector["values"])
    made = encode_token_list(vector["size"], values, bits=vector["bits"])
    assert made == {"bits": vector["bits"], "lst": vector["lst"]}
    bits, packed = read_token_list(made)
    assert {i: get_status(packed, i, bits=bits, order="right") for i in values} == values
    assert sum(bin(byte).count("1") for byte in packed) == sum(
        bin(value).count("1") for value in values.values()
    )


def test_the_empty_list_of_the_w3c_is_read_and_made() -> None:
    """Made alike but for one byte of the gzip header: how hard the maker says it tried."""
    listed = read_bitstring_list(build(encoded=W3C_EMPTY), uri=URI)
    assert listed.packed == bytes(ENTRIES_MIN // 8)
    ours = encode_bitstring(ENTRIES_MIN, {})
    assert ours[15:] == W3C_EMPTY[15:]


def build(
    encoded: str = "", purposes: tuple[str, ...] = ("revocation",), **change: object
) -> dict[str, Any]:
    document = build_bitstring_credential(
        URI,
        issuer="did:hansa:a",
        purposes=purposes,
        encoded=encoded or encode_bitstring(ENTRIES_MIN, {3: 1, 131_071: 1}),
        valid_from="2026-11-22T08:00:00Z",
        ttl_ms=60_000,
    )
    document["credentialSubject"] |= change
    return document


def test_the_first_entry_is_the_leftmost_bit() -> None:
    assert pack_statuses(16, {0: 1, 9: 1}, bits=1, order="left") == b"\x80\x40"
    assert pack_statuses(16, {0: 1, 9: 1}, bits=1, order="right") == b"\x01\x02"
    assert pack_statuses(8, {0: 2, 5: 1}, bits=2, order="left") == b"\x80\x10"


@given(
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from(["left", "right"]),
    st.dictionaries(st.integers(0, 63), st.integers(0, 255), max_size=20),
)
def test_what_is_packed_comes_back(bits: int, order: Any, values: dict[int, int]) -> None:
    fitting = {index: value % 2**bits for index, value in values.items()}
    packed = pack_statuses(64, fitting, bits=bits, order=order)
    read = [get_status(packed, index, bits=bits, order=order) for index in range(64)]
    assert read == [fitting.get(index, 0) for index in range(64)]
    assert inflate(deflate(packed, as_gzip=True), as_gzip=True) == packed


def test_a_bitstring_says_who_is_revoked() -> None:
    listed = read_bitstring_list(build(), uri=URI)
    values = [listed.get(BitstringEntry(URI, index, "revocation")) for index in (2, 3, 131_071)]
    assert values == [0, 1, 1]
    assert listed.ttl_ms == 60_000


def test_two_bits_carry_words() -> None:
    entry = BitstringEntry(URI, 7, "message", 2)
    assert read_bitstring_entry(build_bitstring_entry(entry)) == entry
    encoded = encode_bitstring(ENTRIES_MIN, {7: 2, 8: 1}, bits=2)
    listed = read_bitstring_list(build(encoded, ("message",)), uri=URI)
    assert [listed.get(BitstringEntry(URI, at, "message", 2)) for at in (6, 7, 8)] == [0, 2, 1]


def test_one_bit_entries_come_back() -> None:
    entry = BitstringEntry(URI, 94_567, "suspension")
    assert read_bitstring_entry(build_bitstring_entry(entry)) == entry


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "StatusList2021Entry"}, "wrong_status_entry"),
        ({"statusListCredential": ""}, "wrong_status_entry"),
        ({"statusListIndex": 94567}, "wrong_status_entry"),
        ({"statusListIndex": "-1"}, "wrong_status_entry"),
        ({"statusListIndex": "1" * 20}, "wrong_status_entry"),
        ({"statusListIndex": "١"}, "wrong_status_entry"),
        ({"statusPurpose": "other"}, "wrong_status_entry"),
        ({"statusSize": 2}, "wrong_status_entry"),
        ({"statusSize": True}, "wrong_status_entry"),
        ({"statusPurpose": "message"}, "wrong_status_entry"),
        ({"statusPurpose": "message", "statusSize": 2}, "wrong_status_entry"),
    ],
)
def test_wrong_entries_are_refused(change: dict[str, object], code: str) -> None:
    entry = build_bitstring_entry(BitstringEntry(URI, 1, "revocation"))
    with pytest.raises(Malformed) as refused:
        read_bitstring_entry({**entry, **change})
    assert refused.value.code == code


def gzip_of(data: bytes) -> str:
    return "u" + encode_base64url(deflate(data, as_gzip=True))


BOMB = gzip_of(bytes(INFLATED_BYTES_MAX + 1))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"encodedList": BOMB}, "too_large"),
        ({"encodedList": W3C_EMPTY[1:]}, "wrong_status_list"),
        ({"encodedList": W3C_EMPTY + "="}, "wrong_status_list"),
        ({"encodedList": None}, "wrong_status_list"),
        ({"encodedList": "u" + encode_base64url(b"plain")}, "not_compressed"),
        ({"encodedList": gzip_of(bytes(99))[:-8]}, "not_compressed"),
        ({"encodedList": gzip_of(bytes(99)) + "AAAA"}, "not_compressed"),
        ({"type": "StatusList2021"}, "wrong_status_list"),
        ({"statusPurpose": "other"}, "wrong_purpose"),
        ({"statusPurpose": 7}, "wrong_purpose"),
    ],
    ids=str,
)
def test_wrong_bitstrings_are_refused(change: dict[str, Any], code: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_bitstring_list(build(W3C_EMPTY, **change), uri=URI)
    assert refused.value.code == code


def test_another_list_is_refused() -> None:
    with pytest.raises(Malformed, match="asked for"):
        read_bitstring_list(build(), uri=URI + "2")


@pytest.mark.parametrize(
    ("encoded", "entry", "code"),
    [
        (gzip_of(bytes(16_383)), BitstringEntry(URI, 1, "revocation"), "list_too_short"),
        (gzip_of(bytes(16_384)), BitstringEntry(URI, 1, "revocation", 2), "list_too_short"),
        (W3C_EMPTY, BitstringEntry(URI, 131_072, "revocation"), "index_out_of_range"),
        (W3C_EMPTY, BitstringEntry(URI, -1, "revocation"), "index_out_of_range"),
        (W3C_EMPTY, BitstringEntry(URI, 1, "suspension"), "wrong_purpose"),
    ],
)
def test_entries_without_a_herd_or_a_place_are_refused(
    encoded: str, entry: BitstringEntry, code: str
) -> None:
    listed = read_bitstring_list(build(encoded), uri=URI)
    with pytest.raises(Malformed) as refused:
        listed.get(entry)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("size", "values", "bits"), [(8, {8: 1}, 1), (8, {0: 2}, 1), (8, {}, 3), (2**21, {}, 1)]
)
def test_lists_that_do_not_fit_are_not_made(size: int, values: dict[int, int], bits: int) -> None:
    with pytest.raises(ValueError, match=r"room|entries"):
        pack_statuses(size, values, bits=bits, order="left")
    with pytest.raises(ValueError, match="entries"):
        encode_bitstring(ENTRIES_MIN - 8, {})


# --- tokens ---


def sign(change: dict[str, object] | None = None, typ: str = "statuslist+jwt") -> str:
    claims = {
        "sub": URI,
        "iat": 1_700_000_000,
        "ttl": 60,
        "exp": 1_700_003_600,
        "status_list": encode_token_list(2**17, {5: REVOKED, 6: SUSPENDED}, bits=2),
        **(change or {}),
    }
    header = {"alg": "EdDSA", "kid": "did:hansa:a#k1", "typ": typ}
    return sign_jws(claims, header=header, sign=KEY.sign)


def test_a_token_comes_back_and_its_signature_holds() -> None:
    text = sign_status_token(
        encode_token_list(2**17, {5: REVOKED, 6: SUSPENDED}, bits=2),
        uri=URI,
        method="did:hansa:a#k1",
        alg="EdDSA",
        sign=KEY.sign,
        issued_s=1_700_000_000,
        valid_until_s=1_700_003_600,
        ttl_s=60,
    )
    assert text == sign()
    token = parse_status_token(text, uri=URI)
    assert [token.get(index) for index in (4, 5, 6)] == [VALID, REVOKED, SUSPENDED]
    assert (token.issued_ms, token.valid_until_ms, token.ttl_ms) == (
        1_700_000_000_000,
        1_700_003_600_000,
        60_000,
    )
    assert token.issuer == "did:hansa:a"
    assert find_signature_fault(token.jws, KEY.public) == ""
    with pytest.raises(Malformed, match="no entry"):
        token.get(2**17)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (sign({"sub": "https://other.example"}), "wrong_status_list"),
        (sign({"iat": None}), "wrong_status_list"),
        (sign({"iat": 1.5}), "wrong_status_list"),
        (sign({"exp": True}), "wrong_status_list"),
        (sign({"status_list": None}), "wrong_status_list"),
        (sign({"status_list": {"bits": 3, "lst": "eNrbuRgAAhcBXQ"}}), "wrong_status_list"),
        (sign({"status_list": {"bits": True, "lst": "eNrbuRgAAhcBXQ"}}), "wrong_status_list"),
        (sign({"status_list": {"bits": 1, "lst": "eNrbuRgAAhcBXQ=="}}), "wrong_status_list"),
        (sign({"status_list": {"bits": 1, "lst": "eNrbuRgAAhcBXX"}}), "wrong_status_list"),
        (sign({"status_list": {"bits": 1, "lst": "eNrbuRgAAhcB"}}), "not_compressed"),
        (
            sign(
                {
                    "status_list": {
                        "bits": 1,
                        "lst": encode_base64url(zlib.compress(bytes(INFLATED_BYTES_MAX + 1))),
                    }
                }
            ),
            "too_large",
        ),
        (sign(typ="JWT"), "wrong_type"),
        ("a.b", "not_a_jws"),
        ("é", "too_large"),
    ],
    ids=range(14),
)
def test_wrong_tokens_are_refused(text: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_status_token(text, uri=URI)
    assert refused.value.code == code
