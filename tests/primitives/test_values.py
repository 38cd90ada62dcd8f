"""Named values: what an identifier may be."""

import msgspec
import pytest

from hansa.primitives.values import Did, Digest, HexAddress, Name


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        (Name, "a.b-1"),
        (Did, "did:hansa:" + "a" * 32),
        (Digest, "A" * 43),
        (HexAddress, "0" * 40),
    ],
    ids=["name", "did", "digest", "address"],
)
def test_an_identifier_ends_with_its_last_character(kind: object, good: str) -> None:
    assert msgspec.convert(good, kind) == good
    for wrong in (good + "\n", "\n" + good, good + " ", good + "\0", ""):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, kind)
