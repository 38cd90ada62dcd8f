"""Write `ed25519.json`: signatures at the edges of Ed25519, and whether ZIP-215 takes them.

Usage, from the repository: .venv/bin/python -m tests.vectors.receipts.generate.make_ed25519

Keys and R out of all encodings of the points of small order (ZIP 215 test vectors are made alike),
s zero; honest signatures; each with one thing changed. What holds is asked of ed25519-zebra.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from hansa.crypto.signatures import SUITES
from hansa.testing.chain import make_key

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
MESSAGE = b"Zcash"
_D = -121665 * pow(121666, -1, P) % P


def list_small() -> list[bytes]:
    """Encodings of points of small order: y and, where it fits 255 bits, y + p; both signs."""
    eighth = find_eighth()
    values = [0, 1, P - 1, eighth, P - eighth]
    encodings = [y + more for y in values for more in (0, P) if y + more < 2**255]
    return [(y | sign << 255).to_bytes(32, "little") for y in encodings for sign in (0, 1)]


def find_eighth() -> int:
    """y of a point of order eight: twice it has y = 0, so x^2 = y^2 up to sign."""
    # Of x^2 = -y^2 on the curve -x^2 + y^2 = 1 + d x^2 y^2 follows d y^4 + 2 y^2 - 1 = 0.
    root = pow((1 + _D) % P, (P + 3) // 8, P)
    if root * root % P != (1 + _D) % P:
        root = root * pow(2, (P - 1) // 4, P) % P
    for sign in (1, -1):
        square = (-1 + sign * root) * pow(_D, -1, P) % P
        y = pow(square, (P + 3) // 8, P)
        if y * y % P != square:
            y = y * pow(2, (P - 1) // 4, P) % P
        if y * y % P == square:
            return y
    raise ValueError("no point of order eight")


def list_cases() -> Iterator[tuple[str, bytes, bytes, bytes]]:
    """Name, key, message, signature."""
    small = list_small()
    for i, key in enumerate(small):
        for j, r in enumerate(small):
            yield f"small order: key {i}, R {j}", key, MESSAGE, r + bytes(32)
    honest = make_key("v1")
    key, signature = honest.public.raw, honest.sign(MESSAGE)
    yield "honest", key, MESSAGE, signature
    yield "honest, nothing signed", key, b"", honest.sign(b"")
    yield "honest, 4,000 bytes signed", key, bytes(4_000), honest.sign(bytes(4_000))
    s = int.from_bytes(signature[32:], "little")
    yield "s beyond the order", key, MESSAGE, signature[:32] + (s + ORDER).to_bytes(32, "little")
    yield "another message", key, b"zcash", signature
    yield "another key", make_key("v2").public.raw, MESSAGE, signature
    yield "s with a bit changed", key, MESSAGE, signature[:40] + bytes([signature[40] ^ 1]) + signature[41:]
    yield "R with a bit changed", key, MESSAGE, bytes([signature[0] ^ 1]) + signature[1:]
    yield "all zero", bytes(32), MESSAGE, bytes(64)
    yield "a key that is no point", (2).to_bytes(32, "little"), MESSAGE, signature
    yield "63 bytes", key, MESSAGE, signature[:-1]
    yield "a key of 31 bytes", key[:-1], MESSAGE, signature


def main() -> None:
    """Write the file anew."""
    verify = SUITES["EdDSA"].verify
    cases = [
        {
            "name": name,
            "key": key.hex(),
            "message": message.hex(),
            "signature": signature.hex(),
            "holds": verify(key, message, signature),
        }
        for name, key, message, signature in list_cases()
    ]
    path = Path(__file__).parent.parent / "ed25519.json"
    path.write_text(json.dumps({"cases": cases}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
