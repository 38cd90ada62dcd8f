"""Genesis documents and checkpoints that may be pinned, and those that may not: `roots.json`."""

import json
from collections.abc import Iterator
from typing import Any

from hansa.client.checkpoints import InvalidCheckpoint, decode_checkpoint
from hansa.client.receipts import encode_file
from hansa.client.trust import TrustError, build_trust_root
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url
from hansa.testing.chain import make_key
from tests.client.sealing import League
from tests.vectors.receipts.generate.malformed import FOUR, make_league, make_malformed_headers


def list_documents() -> Iterator[tuple[str, bytes]]:
    """Name and bytes."""
    made = make_league(*FOUR)
    honest: dict[str, Any] = json.loads(made.genesis())
    first, *others = honest["validators"]
    yield "honest", made.genesis()
    yield "one validator", League("v1").genesis()
    activation = {"application": "members", "digest": "0" * 64, "version": 1}
    yield "with contracts", encode_canonical(
        honest | {"activations": [activation], "contracts": {"members": {"a": [1, None]}}}
    )
    hundred = [validator(f"n{number}") for number in range(101)]
    yield "a hundred validators", encode_canonical(honest | {"validators": hundred[:100]})
    changes: tuple[tuple[str, dict[str, Any]], ...] = (
        ("a hundred and one validators", {"validators": hundred}),
        ("no validators", {"validators": []}),
        ("validators that are an object", {"validators": {}}),
        ("a chain id in capitals", {"chain": "Test-1"}),
        ("no chain id", {"chain": ""}),
        ("a chain id of 51 letters", {"chain": "c" * 51}),
        ("a chain that is a number", {"chain": 7}),
        ("a time that is text", {"time_ms": "0"}),
        ("a time before the epoch", {"time_ms": -1_500}),
        ("a time beyond year 9999", {"time_ms": 253_402_300_800_000}),
        ("an activation that is text", {"activations": ["members"]}),
        ("an activation without its digest", {"activations": [{"application": "a", "version": 1}]}),
        ("contracts that are a list", {"contracts": []}),
        ("an unknown field", {"note": ""}),
        ("another kind", {"kind": "hansa.genesis/2"}),
        ("a validator without power", {"validators": [first | {"power": 0}, *others]}),
        ("a validator of true power", {"validators": [first | {"power": True}, *others]}),
        ("a validator of great power", {"validators": [first | {"power": 10**9}, *others]}),
        ("a validator of too great power", {"validators": [first | {"power": 10**9 + 1}, *others]}),
        ("a validator with a note", {"validators": [first | {"note": ""}, *others]}),
        ("a validator twice", {"validators": [first, first, *others]}),
        (
            "two validators of one member",
            {"validators": [each | {"member": "m"} for each in honest["validators"]]},
        ),
        ("a P-256 key", {"validators": [validator("p", "ES256"), *others]}),
        ("a key of 31 bytes", {"validators": [with_key(first, bytes(31)), *others]}),
        ("a key of small order", {"validators": [with_key(first, bytes(32)), *others]}),
        (
            "a key of another spelling",
            {"validators": [with_key(first, (2**255 - 17).to_bytes(32, "little")), *others]},
        ),
        ("a key with padding", {"validators": [with_text(first, "A" * 43 + "="), *others]}),
        ("an unknown suite", {"validators": [first | {"key": first["key"] | {"alg": "SM2"}}]}),
    )
    for name, change in changes:
        yield name, encode_canonical(honest | change)
    for name in honest:
        yield f"without {name}", encode_canonical({k: v for k, v in honest.items() if k != name})
    yield "with a space", made.genesis().replace(b'"chain":', b'"chain": ')
    yield "with a line end", made.genesis() + b"\n"
    yield "a list", b"[]"
    yield "nothing", b""
    yield from list_checkpoints(made)


def list_checkpoints(made: League) -> Iterator[tuple[str, bytes]]:
    checkpoint = encode_file(made.checkpoint())
    yield "a checkpoint", checkpoint
    yield "a checkpoint with a header", encode_file(made.checkpoint(made.light_block()))
    yield "a checkpoint with another vote", checkpoint.replace(b'"flag":2', b'"flag":3')
    yield "a checkpoint with a space", checkpoint.replace(b'"chain":', b'"chain": ')
    yield "a checkpoint cut off", checkpoint[:-1]
    yield "a receipt", encode_file(made.receipt())
    weak = next(make_malformed_headers()).file
    yield "a receipt with a header", weak if isinstance(weak, bytes) else encode_file(weak)


def validator(name: str, alg: str = "EdDSA") -> dict[str, Any]:
    """A validator of a genesis document."""
    key = make_key(name, alg).public
    return {"key": {"alg": key.alg, "public": key.public}, "member": "", "power": 10}


def with_key(given: dict[str, Any], raw: bytes) -> dict[str, Any]:
    return with_text(given, encode_base64url(raw))


def with_text(given: dict[str, Any], public: str) -> dict[str, Any]:
    """The validator with another key."""
    return given | {"key": given["key"] | {"public": public}}


def judge_root(data: bytes) -> dict[str, Any] | None:
    """What is pinned of a document, None when nobody may: Python's answer."""
    if b'"kind":"hansa.checkpoint/' in data:
        try:
            checkpoint = decode_checkpoint(data)
        except InvalidCheckpoint:
            return None
        height = checkpoint.height
        return {"chain": checkpoint.chain, "digest": checkpoint.hash, "height": height}
    try:
        root = build_trust_root(data)
    except TrustError:
        return None
    return {"chain": root.chain, "digest": root.genesis, "height": 0}


def make_roots() -> dict[str, Any]:
    """The document `roots.json`."""
    cases = [
        {"name": name, "text": data.decode(), "root": judge_root(data)}
        for name, data in list_documents()
    ]
    return {"cases": cases}
