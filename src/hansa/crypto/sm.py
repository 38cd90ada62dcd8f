"""SM2 signatures and encryption with SM3, and SM4-GCM: national cryptography of the mainland.

The curve is our own arithmetic (`sm2_curve`, ADR 15): keys that others may time belong in hardware.
SM3 and SM4 are OpenSSL's inside the wheel of `cryptography`. Touches no randomness: it is given.
Source: GB/T 32918.2, GB/T 32918.4, GB/T 32905, GM/T 0009, RFC 8998.
"""

import hmac
from collections.abc import Callable
from functools import lru_cache
from itertools import count
from typing import Final

from hansa.crypto.sm2_curve import (
    INFINITY,
    A,
    B,
    G,
    KnownPoint,
    N,
    Point,
    Sm2Error,
    add_generator,
    encode_point,
    know_point,
    multiply_generator,
    to_affine,
)

# The identifier of GM/T 0009 that everybody uses when nothing else was agreed.
DEFAULT_ID: Final = b"1234567812345678"
SIGNATURE_SIZE: Final = 64
# A private key is 1 to n - 2: with n - 1 the inverse of 1 + d would not exist.
SCALAR_MAX: Final = N - 2
_IDENTIFIER_BYTES_MAX: Final = 8191


def sm3(data: bytes) -> bytes:
    """SM3 of `data`, 32 bytes."""
    from cryptography.hazmat.primitives import hashes  # 60 ms that EdDSA users don't pay

    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def derive_public(scalar: int) -> bytes:
    """Public key x||y of a private scalar, 1 <= scalar <= n - 2. Raises Sm2Error."""
    if not 0 < scalar <= SCALAR_MAX:
        raise Sm2Error("not a private key of SM2")
    return encode_point(multiply_generator(scalar))


def compute_digest(public: bytes, message: bytes, identifier: bytes = DEFAULT_ID) -> int:
    """e = SM3(Z || message) with Z of the signer's identifier and key (GB/T 32918.2, 5.5)."""
    return int.from_bytes(sm3(_compute_z(public, identifier) + message), "big")


def verify(public: bytes, message: bytes, signature: bytes, identifier: bytes = DEFAULT_ID) -> bool:
    """Whether r||s, 64 bytes, is the signature of `message` under x||y (GB/T 32918.2, 7.1)."""
    if len(signature) != SIGNATURE_SIZE:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        return verify_digest(public, compute_digest(public, message, identifier), r, s)
    except Sm2Error:
        return False


def verify_digest(public: bytes, digest: int, r: int, s: int) -> bool:
    """The same for a digest `e`. Raises Sm2Error when `public` is no point of the curve."""
    if not (0 < r < N and 0 < s < N):
        return False
    t = (r + s) % N
    if t == 0:
        return False
    known = know_point(public)
    point = to_affine(known.add_multiple(add_generator(INFINITY, s), t))
    return point is not None and (digest + point[0] - r) % N == 0


def sign(
    scalar: int, message: bytes, identifier: bytes = DEFAULT_ID, *, public: bytes = b""
) -> bytes:
    """r||s, 64 bytes. The nonce is derived from key and message as RFC 6979 does, with SM3.

    `public`: the key's own x||y when it is known (else it is computed once more).
    """
    public = public or derive_public(scalar)
    digest = compute_digest(public, message, identifier)
    for attempt in count():
        nonce = derive_nonce(scalar, digest, attempt)
        signature = sign_digest(scalar, digest, nonce)
        if signature is not None:
            return signature
    raise AssertionError("a counter does not end")


def sign_digest(scalar: int, digest: int, nonce: int) -> bytes | None:
    """r||s for a digest `e` and a nonce in [1, n-1]; None: this nonce will not do (6.1, A5, A6)."""
    r = (digest + multiply_generator(nonce)[0]) % N
    if r == 0 or r + nonce == N:
        return None
    s = pow(1 + scalar, -1, N) * (nonce - r * scalar) % N
    if s == 0:
        return None
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def derive_nonce(scalar: int, digest: int, attempt: int = 0) -> int:
    """Nonce in [1, n-1] of RFC 6979 section 3.2 with HMAC-SM3; `attempt` counts those refused."""
    seed = scalar.to_bytes(32, "big") + (digest % N).to_bytes(32, "big")
    value, key = b"\x01" * 32, b"\x00" * 32
    for mark in (b"\x00", b"\x01"):
        key = _hmac(key, value + mark + seed)
        value = _hmac(key, value)
    while True:
        value = _hmac(key, value)
        nonce = int.from_bytes(value, "big")
        if 0 < nonce < N:
            if attempt == 0:
                return nonce
            attempt -= 1
        key = _hmac(key, value + b"\x00")
        value = _hmac(key, value)


def encrypt(public: bytes, message: bytes, draw: Callable[[int], bytes]) -> bytes:
    """SM2 ciphertext C1 || C3 || C2 (04||x||y, SM3 digest, content), GB/T 32918.4 section 6.

    `draw(n)` gives n bytes of randomness. Raises Sm2Error: no point of the curve, or no message.
    """
    if not message:
        raise Sm2Error("an empty message is not encrypted")
    known = know_point(public)
    while True:
        nonce = int.from_bytes(draw(40), "big") % (N - 1) + 1
        shared = to_affine(known.add_multiple(INFINITY, nonce))
        mask = b"" if shared is None else _derive_mask(shared, len(message))
        if shared is not None and any(mask):
            break
    check = sm3(_encode_int(shared[0]) + message + _encode_int(shared[1]))
    return b"\x04" + encode_point(multiply_generator(nonce)) + check + _xor(message, mask)


def decrypt(scalar: int, ciphertext: bytes) -> bytes:
    """Message of C1 || C3 || C2. Raises Sm2Error: malformed, another's, or changed."""
    if len(ciphertext) < 98 or ciphertext[0] != 4:
        raise Sm2Error("not a ciphertext of SM2")
    known = KnownPoint(ciphertext[1:65])
    shared = to_affine(known.add_multiple(INFINITY, scalar % N))
    if shared is None:
        raise Sm2Error("not a ciphertext of SM2")
    content = ciphertext[97:]
    mask = _derive_mask(shared, len(content))
    message = _xor(content, mask)
    check = sm3(_encode_int(shared[0]) + message + _encode_int(shared[1]))
    if not any(mask) or not hmac.compare_digest(check, ciphertext[65:97]):
        raise Sm2Error("the ciphertext does not open with this key")
    return message


def sm4_gcm_seal(key: bytes, nonce: bytes, data: bytes, bound: bytes = b"") -> bytes:
    """Ciphertext and 16-byte tag; key 16 bytes, nonce 12 (RFC 8998). `bound`: AAD."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(bound)
    return encryptor.update(data) + encryptor.finalize() + encryptor.tag


def sm4_gcm_open(key: bytes, nonce: bytes, box: bytes, bound: bytes = b"") -> bytes:
    """Content of a sealed box. Raises Sm2Error: another key, or changed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    if len(box) < 16:
        raise Sm2Error("too short for its tag")
    decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, box[-16:])).decryptor()
    decryptor.authenticate_additional_data(bound)
    try:
        return decryptor.update(box[:-16]) + decryptor.finalize()
    except InvalidTag as error:
        raise Sm2Error("the content does not open with this key") from error


@lru_cache(maxsize=4096)
def _compute_z(public: bytes, identifier: bytes) -> bytes:
    if len(identifier) > _IDENTIFIER_BYTES_MAX:
        raise Sm2Error("the identifier is too long")
    curve = b"".join(_encode_int(number) for number in (A, B, *G))
    return sm3((len(identifier) * 8).to_bytes(2, "big") + identifier + curve + public)


def _hmac(key: bytes, data: bytes) -> bytes:
    """HMAC with SM3 (RFC 2104, 64-byte blocks); keys here have 32 bytes."""
    padded = key.ljust(64, b"\x00")
    inner = sm3(bytes(byte ^ 0x36 for byte in padded) + data)
    return sm3(bytes(byte ^ 0x5C for byte in padded) + inner)


def _derive_mask(shared: Point, size: int) -> bytes:
    """KDF of GB/T 32918.4, 5.4.3."""
    seed = _encode_int(shared[0]) + _encode_int(shared[1])
    blocks = (sm3(seed + block.to_bytes(4, "big")) for block in range(1, size // 32 + 2))
    return b"".join(blocks)[:size]


def _xor(data: bytes, mask: bytes) -> bytes:
    number = int.from_bytes(data, "big") ^ int.from_bytes(mask, "big")
    return number.to_bytes(len(data), "big")


def _encode_int(number: int) -> bytes:
    return number.to_bytes(32, "big")
