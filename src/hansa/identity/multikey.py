"""Multibase and Multikey: keys and signatures as base58 texts. Pure.

Source: Controlled Identifiers 1.0 section 2.2.2, the multicodec table: ed25519-pub 0xed, p256-pub
0x1200, sm2-pub 0x1206 (P-256 and SM2 compressed).
"""

from functools import lru_cache
from typing import Final

from hansa.crypto.signatures import InvalidKey, PublicKey, check_public_key, decompress_p256
from hansa.crypto.sm2_curve import Sm2Error, decompress_point
from hansa.identity.faults import Malformed

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS: Final = {character: digit for digit, character in enumerate(_ALPHABET)}
_PAIRS: Final = tuple(a + b for a in _ALPHABET for b in _ALPHABET)
# Keys and signatures; longer texts are not decoded, for the work grows with the square.
_TEXT_MAX: Final = 256

# alg -> code as varint, size of the key that follows.
_CODES: Final = {
    "EdDSA": (b"\xed\x01", 32),
    "ES256": (b"\x80\x24", 33),
    "SM2": (b"\x86\x24", 33),
}


def encode_base58(data: bytes) -> str:
    """Multibase base58btc: `z`, then the digits."""
    number, pairs = int.from_bytes(data, "big"), []
    while number >= 3364:
        number, pair = divmod(number, 3364)
        pairs.append(_PAIRS[pair])
    head = _PAIRS[number].lstrip("1")
    zeros = len(data) - len(data.lstrip(b"\0"))
    pairs.reverse()
    return "z" + "1" * zeros + (head + "".join(pairs) if head else "".join(pairs))


def decode_base58(text: str) -> bytes:
    """Bytes of a multibase base58btc text. Raises Malformed (wrong_encoding)."""
    if not text.startswith("z") or len(text) > _TEXT_MAX:
        raise Malformed("wrong_encoding", "not multibase base58")
    number = 0
    try:
        for character in text[1:]:
            number = number * 58 + _DIGITS[character]
    except KeyError as error:
        raise Malformed("wrong_encoding", "not multibase base58") from error
    zeros = len(text) - 1 - len(text[1:].lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode_multikey(key: PublicKey) -> str:
    """`z6Mk…` of a public key. Raises InvalidKey: a suite without a code."""
    code, size = _find_code(key.alg)
    raw = key.raw
    if size == 33:
        raw = bytes([2 + (raw[63] & 1)]) + raw[:32]
    return encode_base58(code + raw)


@lru_cache(maxsize=4096)
def decode_multikey(text: str) -> PublicKey:
    """Public key that any account may use. Raises InvalidKey."""
    try:
        raw = decode_base58(text)
    except Malformed as error:
        raise InvalidKey(error.text) from error
    for alg, (code, size) in _CODES.items():
        if raw.startswith(code) and len(raw) == len(code) + size:
            key = PublicKey.from_raw(alg, _decompress(alg, raw[len(code) :]))
            check_public_key(key)
            return key
    raise InvalidKey("not a multikey of a known suite")


def _find_code(alg: str) -> tuple[bytes, int]:
    found = _CODES.get(alg)
    if found is None:
        raise InvalidKey(f"no multikey code for '{alg}'")
    return found


def _decompress(alg: str, raw: bytes) -> bytes:
    if alg == "ES256":
        return decompress_p256(raw)
    try:
        return decompress_point(raw) if alg == "SM2" else raw
    except Sm2Error as error:
        raise InvalidKey(str(error)) from error
