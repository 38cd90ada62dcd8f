"""Damage as a bad disk does it: bytes of sorted files flip under the database."""

from pathlib import Path
from typing import Any

from rocksdict import AccessType, Options, Rdict

from hansa.node.blocks import HEAD, PARTS, encode_key
from hansa.node.mirror import mirrored


def is_of_a_block(file: dict[str, Any]) -> bool:
    """Whether its first key is that of a block's part: the height in eight bytes, a letter."""
    start: bytes = file["start_key"]
    return len(start) == 9 and start[:4] == bytes(4) and start[8:] in PARTS


def damage_block(data: Path, height: int) -> None:
    """Flip a byte in the first data block of each sorted file that has the block of `height`."""
    key = encode_key(height, HEAD)
    names = ("default", "records", "buckets", "blocks", "transactions", "meta")
    with mirrored(data) as mirror:
        families = {name: Options(raw_mode=True) for name in names}
        database = Rdict(
            str(mirror),
            Options(raw_mode=True),
            column_families=families,
            access_type=AccessType.read_only(False),
        )
        live = [each for each in database.live_files() if is_of_a_block(each)]
        live = [each for each in live if each["start_key"] <= key <= each["end_key"]]
        database.close()
    assert live
    for each in live:
        path = data / each["name"].lstrip("/")
        content = bytearray(path.read_bytes())
        content[60] ^= 1
        path.write_bytes(content)
