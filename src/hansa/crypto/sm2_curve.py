"""Arithmetic of the curve of SM2 in Python's integers: the same answer on every machine. Pure.

Every case of every addition is told apart, so no crafted input finds another answer than the
standard's. Not constant-time (ADR 15). Source: GB/T 32918.1 section 4, GB/T 32918.5.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
A: Final = P - 3
B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
G: Final = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)

Point = tuple[int, int]
# X, Y, Z of the affine point (X / Z**2, Y / Z**3); Z == 0: the point at infinity.
Jacobian = tuple[int, int, int]
# Row w, column d - 1: d * 2**(bits * w) times a point, for every digit d of `bits` bits.
Table = tuple[tuple[Point, ...], ...]

INFINITY: Final = (1, 1, 0)
_KEY_BITS: Final = 4
_GENERATOR_BITS: Final = 8
# A table costs some fifteen multiplications by digits; it halves each later one.
_USES_BEFORE_TABLE: Final = 32


class Sm2Error(ValueError):
    """A key, a message or a ciphertext that SM2 cannot work with."""


class KnownPoint:
    """A point of the curve that may be used again; its table is built when it is."""

    def __init__(self, raw: bytes) -> None:
        self.point = parse_point(raw)
        self._row = _build_row(self.point, 2**_KEY_BITS - 1)[0]
        self._uses = 0

    def add_multiple(self, start: Jacobian, scalar: int) -> Jacobian:
        """start + scalar * this point, 0 <= scalar < 2**256."""
        self._uses += 1
        if self._uses > _USES_BEFORE_TABLE:
            return add_windows(start, _table_of(self.point), scalar)
        found: Jacobian = INFINITY
        for shift in range(256 - _KEY_BITS, -1, -_KEY_BITS):
            if found[2]:
                for _ in range(_KEY_BITS):
                    found = _double(found)
            digit = scalar >> shift & 15
            if digit:
                found = _add_affine(found, self._row[digit - 1])
        affine = to_affine(found)
        return start if affine is None else _add_affine(start, affine)


@lru_cache(maxsize=4096)
def know_point(raw: bytes) -> KnownPoint:
    """Point of x||y, 64 bytes. Raises Sm2Error."""
    return KnownPoint(raw)


def parse_point(raw: bytes) -> Point:
    """Point of x||y, 64 bytes: on the curve, so not infinity. Raises Sm2Error."""
    if len(raw) != 64:
        raise Sm2Error("an SM2 key has 64 bytes, x and y")
    x, y = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    if x >= P or y >= P or (y * y - (x * x + A) * x - B) % P:
        raise Sm2Error("the point is not on the curve of SM2")
    return x, y


def encode_point(point: Point) -> bytes:
    """x||y, 64 bytes."""
    return point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def compress_point(raw: bytes) -> bytes:
    """02 or 03, then x, of x||y. Raises Sm2Error."""
    parse_point(raw)
    return bytes([2 + (raw[63] & 1)]) + raw[:32]


def decompress_point(raw: bytes) -> bytes:
    """x||y of a compressed point (02 or 03, then x). Raises Sm2Error."""
    x = int.from_bytes(raw[1:], "big")
    if len(raw) != 33 or raw[0] not in (2, 3) or x >= P:
        raise Sm2Error("not a compressed point")
    square = ((x * x + A) * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        raise Sm2Error("the point is not on the curve of SM2")
    if y & 1 != raw[0] & 1:
        y = P - y
    return raw[1:] + y.to_bytes(32, "big")


def multiply_generator(scalar: int) -> Point:
    """scalar * G. Raises Sm2Error: 0 < scalar < n is asked for."""
    point = to_affine(add_generator(INFINITY, scalar)) if 0 < scalar < N else None
    if point is None:
        raise Sm2Error("a scalar of 1 to n - 1 is asked for")
    return point


def add_generator(start: Jacobian, scalar: int) -> Jacobian:
    """start + scalar * G, 0 <= scalar < 2**256."""
    return add_windows(start, _generator_table(), scalar)


@lru_cache(maxsize=64)
def _table_of(point: Point) -> Table:
    """64 rows of 15 points, 200 kB."""
    return _build_table(point, _KEY_BITS)


@lru_cache(maxsize=1)
def _generator_table() -> Table:
    return _build_table(G, _GENERATOR_BITS)


def _build_table(point: Point, bits: int) -> Table:
    rows: list[tuple[Point, ...]] = []
    for _ in range(256 // bits):
        row, point = _build_row(point, 2**bits - 1)
        rows.append(row)
    return tuple(rows)


def _build_row(point: Point, size: int) -> tuple[tuple[Point, ...], Point]:
    """Multiples 1 to `size` of a point, and the one after them."""
    multiples: list[Jacobian] = [(point[0], point[1], 1)]
    for _ in range(size):
        multiples.append(_add_affine(multiples[-1], point))
    *row, last = _to_affine_all(multiples)
    return tuple(row), last


def add_windows(start: Jacobian, table: Table, scalar: int) -> Jacobian:
    """start + scalar * P: one addition for each digit that is not zero."""
    found = start
    bits = 256 // len(table)
    mask = 2**bits - 1
    for row in table:
        digit = scalar & mask
        scalar >>= bits
        if digit:
            found = _add_affine(found, row[digit - 1])
    return found


def _add_affine(left: Jacobian, right: Point) -> Jacobian:
    """Sum of any two points, the right one affine (not infinity). All cases are told apart."""
    x1, y1, z1 = left
    x2, y2 = right
    if not z1:
        return x2, y2, 1
    zz = z1 * z1 % P
    h = (x2 * zz - x1) % P
    r = (y2 * zz * z1 - y1) % P
    if not h:
        return INFINITY if r else _double(left)
    hh = h * h % P
    hhh = h * hh % P
    v = x1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - y1 * hhh) % P, z1 * h % P


def _double(point: Jacobian) -> Jacobian:
    """Twice a point that is not infinity; no point of this curve has order two, so y is not 0."""
    x, y, z = point
    zz = z * z % P
    m = 3 * (x - zz) * (x + zz) % P
    yy = y * y % P
    s = 4 * x * yy % P
    x3 = (m * m - 2 * s) % P
    return x3, (m * (s - x3) - 8 * yy * yy) % P, 2 * y * z % P


def to_affine(point: Jacobian) -> Point | None:
    """The affine point; None: infinity."""
    return None if not point[2] else _to_affine_all([point])[0]


def _to_affine_all(points: Sequence[Jacobian]) -> list[Point]:
    """Affine forms of points that are not infinity, with one inversion (Montgomery's trick)."""
    products = [1]
    for _, _, z in points:
        products.append(products[-1] * z % P)
    inverse = pow(products.pop(), -1, P)
    found: list[Point] = []
    for (x, y, z), product in zip(reversed(points), reversed(products), strict=True):
        own = inverse * product % P
        inverse = inverse * z % P
        square = own * own % P
        found.append((x * square % P, y * square * own % P))
    found.reverse()
    return found
