"""Cases that no honest league can make: headers, votes, results and proofs that are wrong in one
thing, sealed by real keys so that every other check holds.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from hansa.client.receipts import (
    NOTHING,
    InTransaction,
    ProofFile,
    ReceiptFile,
    Sealed,
    build_proof,
)
from hansa.comet.commit import ABSENT, COMMIT, Commit, CommitSig
from hansa.comet.header import Header
from hansa.comet.validators import Validator, ValidatorSet, compute_validators_hash
from hansa.comet.wire import Timestamp
from hansa.crypto.hashing import sha256
from hansa.crypto.merkle import merkle_root
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url
from hansa.ledger.receipts import ExecTxResult, ResultLeaf
from hansa.ledger.tree_proof import Neighbour, StateProof
from tests.client.sealing import ADA, League
from tests.ledger.toy import Count
from tests.vectors.receipts.generate.cases import Case, replace_proof

FOUR = ("v1", "v2", "v3", "v4")


def make_league(*names: str) -> League:
    """One block with one transaction."""
    made = League(*(names or ("v1",)))
    made.chain.block([made.chain.sign(ADA, [("counter", Count(id="a", by=1, limit=99))])])
    return made


def reseal(made: League, validators: ValidatorSet | None = None, **changes: object) -> Sealed:
    """The last header with changes, signed again by whoever has a key."""
    chosen = made.validators if validators is None else validators
    named = {"validators_hash": compute_validators_hash(chosen)}
    header = msgspec.structs.replace(made.seal().header, **{**named, **changes})
    return Sealed(header, resign(made, header, chosen), chosen)


def resign(made: League, header: Header, validators: ValidatorSet) -> Commit:
    """Votes of those validators of whom a key is known; the others' are nonsense."""
    honest = made.sign(header)
    nonsense = CommitSig(COMMIT, bytes(20), Timestamp(1, 1), bytes(64))
    known = {each.address: each for each in honest.signatures}
    entries = tuple(known.get(each.address, nonsense) for each in validators)
    return msgspec.structs.replace(honest, signatures=entries)


# --- validators, votes, headers ---


def make_malformed_seals() -> Iterator[Case]:
    """Validator sets, votes and headers."""
    made = make_league(*FOUR)
    pins = (made.genesis(),)
    first, *others = made.validators
    for name, validators in (
        ("no validators", ()),
        ("a validator's key of 31 bytes", (Validator(first.public_key[:31], 10), *others)),
        ("a validator without power", (*made.validators[:3], replace_power(made.validators[3], 0))),
        ("a validator of negative power", (*others, replace_power(first, -1))),
        ("too much power", (replace_power(first, 2**61), *others)),
        ("the greatest power", (replace_power(first, 2**63 - 1), *others)),
        ("a validator listed twice", (first, first, *others)),
        ("validators out of order", (*others, first)),
    ):
        yield Case(f"sealed with {name}", made.receipt(sealed=reseal(made, validators)), pins)
    for name, changes in (
        ("a hash of 31 bytes", {"data_hash": bytes(31)}),
        ("an address of 19 bytes", {"proposer_address": bytes(19)}),
        ("height zero", {"height": 0}),
        ("a negative height", {"height": -1}),
        ("a negative version", {"version": msgspec.structs.replace(made.seal().header.version, app=-1)}),
        ("the time before genesis", {"time": Timestamp(1_000_000_000, 0)}),
        ("the time of year 9999", {"time": Timestamp(253_402_300_700, 999_999_999)}),
        ("the time of genesis itself", {"time": made.trust().time}),
    ):
        yield Case(f"a header with {name}", made.receipt(sealed=reseal(made, **changes)), pins)
    long = League(*FOUR, chain="c" * 51)
    long.chain.block([long.chain.sign(ADA, [("counter", Count(id="a", by=1, limit=99))])])
    yield Case("a chain id of 51 letters", long.receipt(), ())
    yield from make_malformed_votes(made, pins)
    yield from make_malformed_headers()


def replace_power(validator: Validator, power: int) -> Validator:
    """The same key with another power."""
    return msgspec.structs.replace(validator, power=power)


def make_malformed_votes(made: League, pins: tuple[bytes, ...]) -> Iterator[Case]:
    sealed = made.seal()
    commit, votes = sealed.commit, sealed.commit.signatures
    absent = CommitSig(ABSENT)

    def change(**changes: Any) -> Sealed:
        return Sealed(sealed.header, msgspec.structs.replace(commit, **changes), sealed.validators)

    def vote(**changes: Any) -> Sealed:
        return change(signatures=(*votes[:3], msgspec.structs.replace(votes[3], **changes)))

    parts = commit.block_id.parts
    empty = msgspec.structs.replace(parts, total=0)
    for name, broken in (
        ("of another height", change(height=commit.height + 1)),
        ("of round -1", change(round=-1)),
        ("of round 2**31", change(round=2**31)),
        ("without parts", change(block_id=msgspec.structs.replace(commit.block_id, parts=empty))),
        ("without a vote", change(signatures=votes[:3])),
        ("with a vote more", change(signatures=(*votes, absent))),
        ("with votes exchanged", change(signatures=(votes[1], votes[0], *votes[2:]))),
        ("with one vote twice", change(signatures=(votes[0], votes[0], *votes[2:]))),
        ("with an absent vote that is signed", vote(flag=ABSENT)),
        (
            "with an absent vote that has a time",
            change(signatures=(*votes[:3], CommitSig(ABSENT, time=Timestamp(1, 0)))),
        ),
        ("with an unknown flag", vote(flag=4)),
        ("with flag zero", vote(flag=0)),
        ("with an address of 19 bytes", vote(address=votes[3].address[:19])),
        ("with a signature of 63 bytes", vote(signature=votes[3].signature[:63])),
        ("with a vote for no block passed off", vote(flag=COMMIT, time=Timestamp(5, 5))),
    ):
        yield Case(f"a commit {name}", made.receipt(sealed=broken), pins)


def make_malformed_headers() -> Iterator[Case]:
    """What a header on the way may not be."""
    made = make_league(*FOUR)
    pins = (made.genesis(),)
    block = made.light_block()
    for _ in range(3):
        made.chain.block()
    other = League(*FOUR, chain="test-2")
    other.chain.block()
    strangers = League("w", "x")
    strangers.chain.block()
    commit, header = block.commit, block.header
    for name, between in (
        ("itself", block),
        ("of another chain", other.light_block()),
        ("with others' validators", msgspec.structs.replace(block, validators=strangers.validators)),
        (
            "with the commit of another height",
            msgspec.structs.replace(block, commit=msgspec.structs.replace(commit, height=9)),
        ),
        (
            "with an empty commit",
            msgspec.structs.replace(block, commit=msgspec.structs.replace(commit, signatures=())),
        ),
        (
            "with the commit of another header",
            msgspec.structs.replace(block, header=msgspec.structs.replace(header, app_hash=bytes(32))),
        ),
        ("of a league that follows from nothing", strangers.light_block()),
    ):
        file = msgspec.structs.replace(made.receipt(height=1), headers=(between,))
        yield Case(f"a header on the way: {name}", file, pins)


# --- results ---


def make_malformed_results() -> Iterator[Case]:
    """Results that no kernel writes, truly included."""
    made = make_league()
    pins = (made.genesis(),)
    honest: dict[str, Any] = msgspec.json.decode(made.receipt().result)
    leaves: tuple[tuple[str, object], ...] = (
        ("that is honest", honest),
        ("with a sender that no key may hold", honest | {"sender": "did:hansa:a/b#k1"}),
        ("with a sender without a key", honest | {"sender": ADA.did}),
        ("with an unknown field", honest | {"note": ""}),
        ("without a field", {name: value for name, value in honest.items() if name != "tx"}),
        ("with a list of parameters", honest | {"params": []}),
        ("with a parameter that is a list", honest | {"params": {"a": []}}),
        ("with an index that is text", honest | {"index": "0"}),
        ("with an index that is true", honest | {"index": True}),
        ("of another type", []),
        ("with parameters to be cut", honest | {"code": "x.y", "params": {"b": "\u202e" * 200, "a": -1}}),
        ("with a code of 20,000 letters", honest | {"code": "x" * 20_000}),
    )
    for name, leaf in leaves:
        yield Case(f"a result {name}", include(made, encode_canonical(leaf)), pins)
    spaced = encode_canonical(honest).replace(b'"code":', b'"code": ')
    yield Case("a result with a space", include(made, spaced), pins)
    for name, message in (
        ("with a space", b'{"a": 1}'),
        ("with a float", b'{"a":1.5}'),
        ("with a key outside ASCII", '{"é":1}'.encode()),
        ("with a great integer", b'{"a":9007199254740992}'),
        ("that is deep", b"[" * 18 + b"]" * 18),
        ("that is no UTF-8", b'"\xff"'),
        ("with half a surrogate", b'"\\ud800"'),
        ("that is text", '"港"'.encode()),
        ("too large", b'"' + b"a" * 256_000 + b'"'),
    ):
        digest = encode_base64url(sha256(message))
        result = encode_canonical(honest | {"message": digest})
        file = msgspec.structs.replace(include(made, result), message=msgspec.Raw(message))
        yield Case(f"a message {name}", file, pins)
    yield from make_malformed_deadlines()


def include(made: League, result: bytes) -> ReceiptFile:
    """A receipt of `result`, which the header's results hold alone."""
    root = merkle_root([result])
    outcome = ExecTxResult(code=0, data=root, gas_used=1)
    sealed = reseal(made, last_results_hash=merkle_root([outcome.encode()]))
    leaf = msgspec.json.decode(encode_canonical(msgspec.json.decode(result)))
    shown = isinstance(leaf, dict) and ResultLeaf.__struct_fields__ == tuple(leaf)
    return msgspec.structs.replace(
        made.receipt(sealed=sealed),
        events=None,
        message=NOTHING,
        path=(),
        result=msgspec.Raw(result),
        standing=made.standing(ADA) if shown or isinstance(leaf, dict) else None,
        transaction=InTransaction(code=0, cost=1, path=()),
    )


def make_malformed_deadlines() -> Iterator[Case]:
    from tests.ledger.toy import Later

    timed = make_league()
    later = [("counter", Later(id=f"l{i}", in_ms=500)) for i in range(3)]
    timed.chain.block([timed.chain.sign(ADA, later)])
    accepted = timed.receipt()
    timed.chain.block()
    pins, fired = (timed.genesis(),), timed.deadline_receipt()
    other = timed.deadline_receipt(1)
    for name, changes in (
        ("with a signer", {"standing": timed.standing(ADA)}),
        ("passed off as a transaction's", {"transaction": accepted.transaction}),
        ("without its block", {"block": None}),
        ("with the path of another", {"path": other.path}),
    ):
        yield Case(f"a deadline {name}", msgspec.structs.replace(fired, **changes), pins)


# --- state proofs ---


def make_malformed_proofs() -> Iterator[Case]:
    """Proofs that lead to the right root, or nearly."""
    made = make_league()
    pins = (made.genesis(),)
    first, middle, last = find_neighbours(made)
    yield Case("absence of a record that is there", forge_absence(made, first, middle, last), pins)
    present = prove(made, middle)
    proof = present.proof
    siblings = proof.siblings
    neighbour = Neighbour(proof.key, proof.key, ())
    zeros = encode_base64url(bytes(32))
    for name, changes in (
        ("another sibling", {"siblings": (zeros[:-1] + "E", *siblings[1:])}),
        ("a sibling less", {"siblings": siblings[:-1]}),
        ("a neighbour", {"left": neighbour}),
        ("a neighbour on the right", {"right": neighbour}),
        ("a digest of 31 bytes", {"value": encode_base64url(bytes(31))}),
        ("an empty sibling written out", {"siblings": (*siblings, zeros)}),
        ("256 siblings", {"siblings": ("",) * 256}),
        ("257 siblings", {"siblings": ("",) * 257}),
        ("no digest of the record", {"value": None}),
    ):
        yield Case(f"presence with {name}", replace_proof(present, **changes), pins)


def find_neighbours(made: League) -> tuple[bytes, bytes, bytes]:
    """Keys of three records that follow each other in the tree, the first two under one node."""

    def path(key: bytes) -> bytes:
        return sha256(sha256(key))

    keys = sorted(made.chain.state.values, key=path)
    for first, middle, last in zip(keys, keys[1:], keys[2:], strict=False):
        if path(first)[0] >> 7 == path(last)[0] >> 7 and share(path(first), path(middle)) > share(
            path(middle), path(last)
        ):
            return first, middle, last
    raise ValueError("no such three")


def share(one: bytes, other: bytes) -> int:
    """Number of leading bits that two paths share."""
    return 256 - (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_length()


def prove(made: League, key: bytes) -> ProofFile:
    """The honest proof of a record."""
    return made.proof(key)


def forge_absence(made: League, first: bytes, middle: bytes, last: bytes) -> ProofFile:
    """As if `first` and `last` were neighbours and nothing between them."""
    before, after = prove(made, first).proof, prove(made, last).proof
    fork = share(sha256(sha256(first)), sha256(sha256(last)))
    proof = StateProof(
        key=encode_base64url(sha256(middle)),
        value=None,
        siblings=before.siblings[:fork],
        left=Neighbour(before.key, before.value or "", before.siblings[fork + 1 :]),
        right=Neighbour(after.key, after.value or "", after.siblings[fork + 1 :]),
    )
    return build_proof(made.seal(), key=middle, record=None, proof=proof)
