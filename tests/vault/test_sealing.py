"""What is sealed opens with one key, for one purpose, unchanged; all else is refused by a code."""

import pytest

from hansa.vault.sealing import ALGS, Alg, OpeningKey, SealError, open_sealed, seal

CONTENT = "blood group 0+, 陳小明".encode()
FOR = b"access 1"


@pytest.fixture(params=ALGS)
def alg(request: pytest.FixtureRequest) -> Alg:
    chosen: Alg = request.param
    return chosen


@pytest.fixture
def key(alg: Alg) -> OpeningKey:
    return OpeningKey.generate(alg)


def close(key: OpeningKey, content: bytes = CONTENT) -> bytes:
    return seal(content, alg=key.alg, public=key.public, context=FOR)


@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_what_was_sealed_comes_back(key: OpeningKey, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert open_sealed(close(key, content), key, FOR) == content


def test_nothing_of_the_content_shows_and_no_two_seals_are_alike(key: OpeningKey) -> None:
    first, second = close(key), close(key)
    assert first != second
    assert CONTENT not in first


def test_invalid_for_another_key(key: OpeningKey) -> None:
    with pytest.raises(SealError):
        open_sealed(close(key), OpeningKey.generate(key.alg), FOR)


def test_invalid_for_another_access(key: OpeningKey) -> None:
    with pytest.raises(SealError):
        open_sealed(close(key), key, b"access 2")


def test_invalid_when_any_byte_is_changed(key: OpeningKey) -> None:
    sealed = close(key)
    for place in range(0, len(sealed), 7 if key.alg == "X25519" else 41):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(SealError):
            open_sealed(changed, key, FOR)


def test_invalid_when_truncated(key: OpeningKey) -> None:
    sealed = close(key)
    for size in (0, 10, 22, 30, 60, len(sealed) - 1):
        with pytest.raises(SealError):
            open_sealed(sealed[:size], key, FOR)


def test_invalid_under_the_name_of_the_other_algorithm(key: OpeningKey) -> None:
    other: Alg = "SM2" if key.alg == "X25519" else "X25519"
    sealed = close(key)
    renamed = sealed.replace(key.alg.encode(), other.encode(), 1)
    with pytest.raises(SealError):
        open_sealed(renamed, OpeningKey.generate(other), FOR)
    with pytest.raises(SealError):
        open_sealed(renamed, key, FOR)


@pytest.mark.parametrize(
    ("alg_", "public"),
    [
        ("X25519", b""),
        ("X25519", bytes(31)),
        ("X25519", bytes(32)),
        ("X25519", b"\x01" + bytes(31)),
        ("SM2", b""),
        ("SM2", bytes(63)),
        ("SM2", bytes(64)),
        ("SM2", b"\xff" * 64),
        ("AES", bytes(32)),
    ],
)
def test_invalid_keys_are_not_sealed_to(alg_: Alg, public: bytes) -> None:
    """Wrong lengths, points of small order (they would give everybody the key), off the curve."""
    with pytest.raises(SealError):
        seal(CONTENT, alg=alg_, public=public, context=FOR)


@pytest.mark.parametrize(
    ("alg_", "private"), [("X25519", b"short"), ("SM2", bytes(32)), ("SM2", b"\xff" * 32)]
)
def test_invalid_private_keys_have_no_public_part(alg_: Alg, private: bytes) -> None:
    with pytest.raises(SealError):
        _ = OpeningKey(alg_, private).public
