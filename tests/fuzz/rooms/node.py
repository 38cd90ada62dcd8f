"""Doors of a node's own files, and of what another node sends: snapshots, settings, back-ups."""

from collections.abc import Sequence
from typing import Any

import msgspec

from hansa.cli.backups.faults import BackupError
from hansa.cli.backups.form import HEAD, TRAILER, Entry, compute_digest
from hansa.cli.backups.reading import Backup
from hansa.cli.backups.sealing import Seal, make_lock
from hansa.client.keys import KeyFileError, Signer, open_key_file, read_key_file, seal_signer
from hansa.ledger.tree_bucket import combine, compute_change, compute_subtree
from hansa.node.faults import ConfigurationError
from hansa.node.settings import EngineSettings, Settings, decode_settings, encode_settings
from hansa.node.snapshot_format import (
    Part,
    RefusedChunk,
    RefusedSnapshot,
    compute_root,
    decode_chunk,
    decode_metadata,
    encode_chunk,
    encode_frame,
    encode_metadata,
)
from hansa.testing.chain import Actor
from hansa.vault.faults import VaultError
from hansa.vault.sealing import OpeningKey, open_sealed, seal
from tests.backups.pieces import make_up
from tests.fuzz.door import Door, build_judge, make_folder
from tests.fuzz.mutate import change_json
from tests.node.states import make_records

WORDS = "correct horse"


def build_parts() -> tuple[list[Part], list[bytes]]:
    """A small state in four chunks."""
    placed = sorted(
        (entry or b"", encode_frame(key, value))
        for key, value in make_records(12, size=40).items()
        for _path, entry in [compute_change(key, value)]
    )
    parts, chunks = [], []
    for prefix in range(4):
        mine = [each for each in placed if each[0][0] >> 6 == prefix]
        root, content = compute_subtree(b"".join(entry for entry, _frame in mine), 2)
        parts.append(Part(2, prefix, content, root))
        chunks.append(encode_chunk([frame for _entry, frame in mine]))
    return parts, chunks


def open_chunks() -> Door:
    """Chunks of a snapshot: only the very bytes are the part of the state. First byte: which."""
    parts, chunks = build_parts()

    def judge(data: bytes) -> object:
        if not data:
            return None
        index = data[0] % len(parts)
        decode_chunk(index, data[1:], parts[index])
        return index, data[1:]

    seeds = [bytes([index]) + chunk for index, chunk in enumerate(chunks)]
    return build_judge(judge, (RefusedChunk,), seeds)


def combine_all(parts: Sequence[Part]) -> bytes:
    """Root of the tree that they are, from its deepest node up; b"" where they leave a gap."""
    nodes = {part.node: (part.root, part.content) for part in parts}
    is_whole = len(nodes) == len(parts)
    while is_whole and set(nodes) != {1}:
        right = max(nodes)
        left, parent = right ^ 1, right >> 1
        is_whole = left in nodes and parent not in nodes
        if is_whole:
            (right_hash, right_content), (left_hash, left_content) = (
                nodes.pop(right),
                nodes.pop(left),
            )
            nodes[parent] = combine(left_hash, left_content, right_hash, right_content)
    return nodes[1][0] if is_whole else b""


def open_offers() -> Door:
    """Metadata of a snapshot: only what is the whole tree of the app hash, in whatever parts. What
    it says of how many leaves a part has means nothing but for the root: chunks are held to place
    and hash alone.
    """
    parts, _chunks = build_parts()
    root = compute_root(parts)

    def read(data: bytes) -> bytes:
        return combine_all(decode_metadata(data, root))

    return build_judge(read, (RefusedSnapshot,), [encode_metadata(parts)])


def open_settings() -> Door:
    """`node.toml`."""
    comet = Settings(engine=EngineSettings(kind="comet"))
    seeds = [encode_settings(each).encode() for each in (Settings(), comet)]

    def read(data: bytes) -> Settings:
        return decode_settings(data.decode())

    return Door(
        run=read,
        allowed=(ConfigurationError, UnicodeError),
        seeds=(*seeds, b'[p2p]\npeers = ["x"]\n', b"[sync]\ntrust_height = 5\n"),
        never=lambda _data, found: _is_lost(found),
    )


def _is_lost(found: Settings) -> bool:
    """Whether writing the settings again would change them; what the embedded engine does not
    read is not written.
    """
    if found.engine.kind == "embedded":
        found = msgspec.structs.replace(found, engine=EngineSettings(kind="comet"))
    return decode_settings(encode_settings(found)) != found


def open_backups() -> Door:
    """Back-up files: every byte is what was written by who knows the passphrase."""
    folder = make_folder()
    lock = make_lock()
    key = Seal(lock, WORDS)
    box = key.seal("keys/a", b"secret")
    entries = [("data/x", b"bytes"), ("genesis.json", b"{}"), ("keys/a", box)]
    listed = [
        Entry(path, len(data), compute_digest(data).hex(), path == "keys/a")
        for path, data in entries
    ]
    plain = make_up(folder / "plain", entries[:2]).read_bytes()
    whole = make_up(folder / "whole", entries, files=tuple(listed), lock=lock).read_bytes()
    length, digest, _mac, end = TRAILER.unpack(whole[-TRAILER.size :])
    listing = whole[-TRAILER.size - length : -TRAILER.size]
    signed = whole[: -TRAILER.size] + TRAILER.pack(length, digest, key.sign(listing), end)

    def judge(data: bytes) -> object:
        file = folder / "file"
        file.write_bytes(data)
        with Backup(file) as opened:
            opened.check(lambda *_: None)
            if opened.listing.lock is None:
                return None
            key.check(opened._data, opened._mac)
            opened.seal = key
            opened.check(lambda *_: None)
        return data

    return build_judge(judge, (BackupError,), [signed, plain, whole], change_backup)


def change_backup(data: bytes, chance: Any) -> bytes:
    """Change the list of a back-up, with lengths and digests in order again."""
    length = TRAILER.unpack(data[-TRAILER.size :])[0] if len(data) > TRAILER.size else len(data)
    if length > len(data) - TRAILER.size - len(HEAD):
        return change_json(data, chance)
    body, listing = data[: -TRAILER.size - length], data[-TRAILER.size - length : -TRAILER.size]
    _length, _digest, mac, end = TRAILER.unpack(data[-TRAILER.size :])
    listing = change_json(listing, chance)
    return body + listing + TRAILER.pack(len(listing), compute_digest(listing), mac, end)


def open_sealed_boxes() -> Door:
    """Content sealed to a receiver: HPKE or SM2; the first byte says to which key."""
    keys = [
        OpeningKey("X25519", bytes(range(32))),
        OpeningKey("SM2", bytes(31) + b"\x07"),
    ]
    seeds = [
        bytes([at]) + seal(b"content", alg=key.alg, public=key.public, context=b"access")
        for at, key in enumerate(keys)
    ]

    def judge(data: bytes) -> object:
        if not data:
            return None
        key = keys[data[0] % len(keys)]
        return key.alg, open_sealed(data[1:], key, b"access")

    return build_judge(judge, (VaultError,), seeds)


def open_keys() -> Door:
    """Key files without a passphrase, as their owner may have edited them."""
    folder = make_folder()
    actors = (Actor("ada"), Actor("bea", alg="ES256"), Actor("cai", alg="SM2"))
    files = [seal_signer(Signer(each.name, each.kid, each.key), None) for each in actors]

    def read(data: bytes) -> Signer:
        path = folder / "key.json"
        path.touch(mode=0o600)
        path.write_bytes(data)
        file = read_key_file(path)
        return open_key_file(file, None)

    return Door(
        run=read,
        allowed=(KeyFileError,),
        seeds=tuple(msgspec.json.encode(file) for file in files),
        shape=change_json,
    )
