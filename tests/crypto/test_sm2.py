"""SM2 with SM3: official vectors, crafted inputs each refused, and keys that sign end to end."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hansa.crypto import sm
from hansa.crypto.keys import PrivateKey
from hansa.crypto.signatures import (
    InvalidKey,
    InvalidSignature,
    PublicKey,
    check_public_key,
    verify_signature,
)
from hansa.crypto.sm2_curve import (
    INFINITY,
    KnownPoint,
    N,
    P,
    Sm2Error,
    add_generator,
    compress_point,
    decompress_point,
    multiply_generator,
    parse_point,
    to_affine,
)
from hansa.identity.did import parse_jwk

# GB/T 32918.5-2017 Annex A.2 (the recommended curve): key, nonce and signature.
D = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
K = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
PUBLIC = bytes.fromhex(
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
MESSAGE = b"message digest"
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
E = 0xF0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640

# OpenSSL 3, test/recipes/30-test_evp_data/evppkey_sm2.txt (Apache-2.0): digests, DER taken apart.
OPENSSL_KEY = bytes.fromhex(
    "393a2ad9e27e43acaaab85a19d3b85591e14406157175addd37bf77ff0caf9ed"
    "37fcf3a8b4f55c038523261fca6636afe6a7afa2a1482a606f5cb3a18b2e2a1e"
)


def pack(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_sm3_of_gb_t_32905() -> None:
    assert sm.sm3(b"abc").hex() == (
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )
    assert sm.sm3(b"abcd" * 16).hex() == (
        "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    )


def test_signature_of_the_standard() -> None:
    assert sm.derive_public(D) == PUBLIC
    assert sm.compute_digest(PUBLIC, MESSAGE) == E
    assert sm.sign_digest(D, E, K) == pack(R, S)
    assert sm.verify(PUBLIC, MESSAGE, pack(R, S))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r, s: (r, s), b"message digesT"),
        (lambda r, s: (r + 1, s), MESSAGE),
        (lambda r, s: (r, s + 1), MESSAGE),
        (lambda r, s: (s, r), MESSAGE),
        (lambda r, s: (r, N - s), MESSAGE),
        (lambda r, s: (0, s), MESSAGE),
        (lambda r, s: (r, 0), MESSAGE),
        (lambda r, s: (N, s), MESSAGE),
        (lambda r, s: (r, N), MESSAGE),
        (lambda r, s: (r, N - r), MESSAGE),
        (lambda r, s: (r + N if r + N < 2**256 else N, s), MESSAGE),
        (lambda r, s: (r, s + N if s + N < 2**256 else N), MESSAGE),
        (lambda r, s: (2**256 - 1, 2**256 - 1), MESSAGE),
    ],
)
def test_wrong_signature_is_refused(
    change: Callable[[int, int], tuple[int, int]], message: bytes
) -> None:
    assert not sm.verify(PUBLIC, message, pack(*change(R, S)))


@pytest.mark.parametrize("size", [0, 1, 63, 65, 70, 128])
def test_signature_of_another_length_is_refused(size: int) -> None:
    assert not sm.verify(PUBLIC, MESSAGE, (pack(R, S) * 2)[:size])


def test_another_identifier_is_another_signature() -> None:
    assert not sm.verify(PUBLIC, MESSAGE, pack(R, S), b"ALICE123@YAHOO.COM")
    signed = sm.sign(D, MESSAGE, b"ALICE123@YAHOO.COM")
    assert sm.verify(PUBLIC, MESSAGE, signed, b"ALICE123@YAHOO.COM")
    with pytest.raises(Sm2Error):
        sm.sign(D, MESSAGE, b"x" * 8192)


def test_signature_that_leads_to_infinity_is_refused() -> None:
    """Whoever knows d finds r, s with sG + (r+s)P = infinity. GmSSL 3.2 takes its x for zero and
    accepts it when r is the digest (ADR 15).
    """
    for r in (sm.compute_digest(PUBLIC, MESSAGE) % N, 5, N - 1):
        s = -r * D * pow(1 + D, -1, N) % N
        t = (r + s) % N
        assert to_affine(KnownPoint(PUBLIC).add_multiple(add_generator(INFINITY, s), t)) is None
        assert not sm.verify(PUBLIC, MESSAGE, pack(r, s))
        assert not sm.verify_digest(PUBLIC, r, r, s)


@pytest.mark.parametrize("scalar", [1, 2, 3, N - 2])
def test_sums_of_equal_and_opposite_points(scalar: int) -> None:
    """Keys beside the generator make the additions meet their doubling and their infinity."""
    public = sm.derive_public(scalar)
    for message in (b"", b"a", b"b"):
        signed = sm.sign(scalar, message)
        assert sm.verify(public, message, signed)
        assert not sm.verify(public, message + b"x", signed)


def test_crafted_inputs_are_judged_as_openssl_does() -> None:
    path = Path(__file__).parent.parent / "vectors" / "sm2" / "crafted.json"
    for case in json.loads(path.read_bytes()):
        public = bytes.fromhex(case["public"])
        digest, r, s = (int(case[name], 16) for name in ("digest", "r", "s"))
        assert sm.verify_digest(public, digest, r, s) is case["holds"], case


def x_of(s: int, t: int) -> int:
    """x of sG + tP."""
    point = to_affine(KnownPoint(PUBLIC).add_multiple(add_generator(INFINITY, s), t % N))
    assert point is not None
    return point[0]


@pytest.mark.parametrize(
    ("r", "s"), [(5 + N, 7), (5, 7 + N), (0, 7), (N, 7), (5, 0), (5, N), (N - 7, 7), (7, N - 7)]
)
def test_each_bound_refuses_alone(r: int, s: int) -> None:
    """The digest is chosen so that the equation of the signature holds: only the bound is hurt."""
    assert sm.verify_digest(PUBLIC, (5 - x_of(7, 12)) % N, 5, 7)
    digest = (r - x_of(s % N, r + s)) % N
    assert not sm.verify_digest(PUBLIC, digest, r, s)


@pytest.mark.parametrize("scalar", [2, 3, D, N - 2])
def test_sum_of_equal_halves_is_a_doubling(scalar: int) -> None:
    """s = t * d, so both halves are one point; the digest is chosen to fit."""
    t = 12345
    s = t * scalar % N
    x = multiply_generator(2 * s % N)[0]
    r = (t - s) % N
    public = sm.derive_public(scalar)
    assert sm.verify_digest(public, (r - x) % N, r, s)
    assert not sm.verify_digest(public, (r - x + 1) % N, r, s)


def test_first_use_and_table_agree() -> None:
    known = KnownPoint(PUBLIC)
    for use in range(40):
        scalar = int.from_bytes(hashlib.sha256(bytes([use])).digest(), "big")
        expected = multiply_generator(scalar * D % N)
        assert to_affine(known.add_multiple(INFINITY, scalar)) == expected
    for scalar in (0, N):
        assert to_affine(known.add_multiple(INFINITY, scalar)) is None
    assert KnownPoint(PUBLIC).add_multiple(INFINITY, 0) == INFINITY


@pytest.mark.parametrize(
    ("digest", "r", "s"),
    [
        (
            "D7AD397F6FFA5D4F7F11E7217F241607DC30618C236D2C09C1B9EA8FDADEE2E8",
            "AB1DB64DE7C40EDBDE6651C9B8EBDB804673DB836E5D5C7FE15DCF9ED2725037",
            "EBA714451FF69B0BB930B379E192E7CD5FA6E3C41C7FBD8303B799AB54A54621",
        ),
        (
            "B1139602C6ECC9E15E2F3F9C635A1AFE737058BC15387479C1EA0D0B3D90E9E5",
            "E6E0414EBD3A656C35602AF14AB20287DBF30D57AF75C49A188ED4B42391F224",
            "2F54F277C606F4605E1CE9514947FFDDF94C67A539804A4ED17F852288BDBE2E",
        ),
    ],
)
def test_signatures_of_openssl(digest: str, r: str, s: str) -> None:
    e, r_, s_ = int(digest, 16), int(r, 16), int(s, 16)
    assert sm.verify_digest(OPENSSL_KEY, e, r_, s_)
    assert not sm.verify_digest(OPENSSL_KEY, e ^ 1, r_, s_)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        PUBLIC[:63],
        PUBLIC + b"\x00",
        b"\x04" + PUBLIC,
        bytes(64),
        PUBLIC[:63] + bytes([PUBLIC[63] ^ 1]),
        PUBLIC[:32] + P.to_bytes(32, "big"),
        P.to_bytes(32, "big") + PUBLIC[32:],
        b"\xff" * 64,
    ],
)
def test_key_that_is_no_point_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidKey):
        check_public_key(PublicKey.from_raw("SM2", raw))
    with pytest.raises(InvalidSignature):
        verify_signature(PublicKey.from_raw("SM2", raw), MESSAGE, pack(R, S))


def test_coordinates_are_below_p() -> None:
    """x + p fits 256 bits for small x: the same point spelt twice would be two keys."""
    small = next(
        candidate
        for x in range(1000)
        if (candidate := try_decompress(x)) is not None and x + P < 2**256
    )
    x = int.from_bytes(small[:32], "big")
    assert parse_point(small)
    with pytest.raises(Sm2Error):
        parse_point((x + P).to_bytes(32, "big") + small[32:])
    with pytest.raises(Sm2Error):
        decompress_point(b"\x02" + (x + P).to_bytes(32, "big"))


def try_decompress(x: int) -> bytes | None:
    try:
        return decompress_point(b"\x02" + x.to_bytes(32, "big"))
    except Sm2Error:
        return None


@pytest.mark.parametrize("scalar", [1, 2, 3, D])
def test_compressed_points(scalar: int) -> None:
    raw = sm.derive_public(scalar)
    assert decompress_point(compress_point(raw)) == raw
    for wrong in (b"\x04" + raw[:32], raw[:32], compress_point(raw) + b"\x00"):
        with pytest.raises(Sm2Error):
            decompress_point(wrong)


@pytest.mark.parametrize("scalar", [0, N - 1, N, -1])
def test_private_key_is_one_to_n_minus_two(scalar: int) -> None:
    with pytest.raises(Sm2Error):
        sm.derive_public(scalar)


def test_key_signs_and_its_jwk_is_read() -> None:
    key = PrivateKey.from_seed("SM2", b"\x05" * 32)
    signed = key.sign(b"act")
    verify_signature(key.public, b"act", signed)
    assert key.sign(b"act") == signed, "the nonce is derived"
    assert key.sign(b"bct")[:32] != signed[:32], "no nonce is used twice"
    assert key.public.jwk()["crv"] == "SM2"
    assert parse_jwk(key.public.jwk()) == key.public
    with pytest.raises(InvalidSignature):
        verify_signature(PublicKey("ES256", key.public.public), b"act", signed)
    with pytest.raises(InvalidSignature):
        verify_signature(PrivateKey.generate("SM2").public, b"act", signed)


def test_every_bit_of_a_signature_counts() -> None:
    for place in range(0, 512, 7):
        wrong = bytearray(pack(R, S))
        wrong[place // 8] ^= 1 << place % 8
        assert not sm.verify(PUBLIC, MESSAGE, bytes(wrong))


def test_refused_nonces_are_passed_over() -> None:
    first, second = sm.derive_nonce(D, E), sm.derive_nonce(D, E, 1)
    assert first != second
    assert 0 < first < N and 0 < second < N
    # r = 0 and r + k = n (GB/T 32918.2, 6.1, A5): digests chosen so that the nonce will not do.
    x = multiply_generator(K)[0]
    assert sm.sign_digest(D, -x % N, K) is None
    assert sm.sign_digest(D, (-x - K) % N, K) is None


def test_encryption_opens_with_its_key_only() -> None:
    draw = (b"seed" * 10).__getitem__
    box = sm.encrypt(PUBLIC, b"encryption standard", lambda size: draw(slice(0, size)))
    assert sm.decrypt(D, box) == b"encryption standard"
    for wrong in (box[:97], b"\x03" + box[1:], box[:-1], box[:-1] + bytes([box[-1] ^ 1]), b""):
        with pytest.raises(Sm2Error):
            sm.decrypt(D, wrong)
    with pytest.raises(Sm2Error):
        sm.decrypt(D + 1, box)
    with pytest.raises(Sm2Error):
        sm.encrypt(PUBLIC, b"", bytes)


def test_ciphertext_of_openssl_opens() -> None:
    """evppkey_sm2.txt, Decrypt: the DER's x, y, hash and content as C1 || C3 || C2."""
    scalar = 0xD09156733017BDAD809FD9BBD8C693F60230593169B6F94AAF1C8EE138CC99B5
    assert sm.derive_public(scalar) == OPENSSL_KEY
    box = bytes.fromhex(
        "04466be2ef5c11782ec77864a0055417f407a5afc11d653c6bce69e417bb1d05b6"
        "62b572e21ff0ddf5c726bd3f9ff2eae56e6294713a607e9b9525628965f62cc8"
        "3c1b5713b5db2728eb7bf775e44f4689fc32668bdc564f52ea45b09e8df2a5f4"
        "084a9d0cc2997092b7d3c404fce95956eb604d732b2307a8e5b8900ed6608ca5b197"
    )
    assert sm.decrypt(scalar, box) == b"The floofy bunnies hop at midnight"


def test_sm4_gcm_of_rfc_8998() -> None:
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    nonce = bytes.fromhex("00001234567800000000abcd")
    bound = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plain = b"".join(bytes([byte]) * 8 for byte in bytes.fromhex("aabbccddeeffeeaa"))
    box = sm.sm4_gcm_seal(key, nonce, plain, bound)
    assert box.hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert sm.sm4_gcm_open(key, nonce, box, bound) == plain
    for wrong in (box[:-1] + b"\x00", box[:5]):
        with pytest.raises(Sm2Error):
            sm.sm4_gcm_open(key, nonce, wrong, bound)
