"""Private keys: made, stored as bytes and used by their holders only; never by the kernel."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

from hansa.crypto import sm
from hansa.crypto.signatures import InvalidKey, PublicKey

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class PrivateKey:
    """A private key of one suite. `to_bytes` is 32 bytes: the Ed25519 seed, or what the scalar of
    P-256 or SM2 is made from (`scalar`).
    """

    def __init__(self, alg: str, raw: bytes) -> None:
        self.alg = alg
        self._raw = raw
        self._ed: ed25519.Ed25519PrivateKey | None = None
        self._ec: ec.EllipticCurvePrivateKey | None = None
        self.scalar = 0
        if len(raw) != 32:
            raise InvalidKey("a private key has 32 bytes")
        if alg == "EdDSA":
            self._ed = ed25519.Ed25519PrivateKey.from_private_bytes(raw)
            self.public = PublicKey.from_raw(alg, self._ed.public_key().public_bytes_raw())
        elif alg == "ES256":
            self.scalar = int.from_bytes(raw, "big") % (_P256_ORDER - 1) + 1
            self._ec = ec.derive_private_key(self.scalar, ec.SECP256R1())
            numbers = self._ec.public_key().public_numbers()
            point = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
            self.public = PublicKey.from_raw(alg, point)
        elif alg == "SM2":
            self.scalar = int.from_bytes(raw, "big") % sm.SCALAR_MAX + 1
            self.public = PublicKey.from_raw(alg, sm.derive_public(self.scalar))
        else:
            raise InvalidKey(f"no signature suite {alg!r}")

    def __repr__(self) -> str:
        return f"PrivateKey({self.alg}, public={self.public.public})"

    @classmethod
    def generate(cls, alg: str = "EdDSA") -> "PrivateKey":
        """A fresh key from the operating system's randomness."""
        return cls(alg, ed25519.Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_seed(cls, alg: str, seed: bytes) -> "PrivateKey":
        """The key of a 32-byte seed; the same seed gives the same key."""
        return cls(alg, seed)

    def to_bytes(self) -> bytes:
        """The 32 secret bytes."""
        return self._raw

    def sign(self, message: bytes) -> bytes:
        """Sign: 64 bytes. ES256 is raw r||s with low s; SM2 raw r||s, its nonce derived."""
        if self._ed is not None:
            return self._ed.sign(message)
        if self._ec is None:
            return sm.sign(self.scalar, message, public=self.public.raw)
        r, s = utils.decode_dss_signature(self._ec.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + min(s, _P256_ORDER - s).to_bytes(32, "big")
