"""Write the vectors of the offline verifiers: files, pinned roots, the time, what must be said.

Usage, from the repository: .venv/bin/python -m tests.vectors.receipts.generate.make_receipts

Blocks are the kernel's own, votes and proofs are real, keys are fixed. The verdicts are Python's, and
are read by people before they are committed: every verifier must give them.
"""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from hansa.client.checkpoints import decode_checkpoint
from hansa.client.receipts import NOTHING, ProofFile, ReceiptFile, encode_file
from hansa.client.trust import Root, build_trust_root
from hansa.client.verify import verify_receipt
from hansa.comet.commit import ABSENT, COMMIT, NIL
from hansa.comet.wire import Timestamp
from hansa.crypto.merkle import MerkleStep
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.model import compute_state_key
from hansa.ledger.system import Account, Member, StandingSince
from hansa.ledger.tree import MemoryBuckets, StateTree
from hansa.testing.chain import START_MS, make_key
from tests.client.sealing import ADA, BEA, League, raw, replace
from tests.client.test_verify import ABSENT_HOLDS, ABSENT_SAYS_NOTHING
from tests.ledger.toy import Count, Later
from tests.vectors.receipts.generate.cases import DAY_MS, Case
from tests.vectors.receipts.generate.genesis import make_roots
from tests.vectors.receipts.generate.malformed import (
    make_malformed_proofs,
    make_malformed_results,
    make_malformed_seals,
)

FOLDER = Path(__file__).parent.parent
PERIOD_MS = 1_095 * DAY_MS


def count(made: League, *, times: int = 1, by: int = 1) -> None:
    """A block with `times` transactions of ADA's."""
    one = [("counter", Count(id="a", by=by, limit=99))]
    made.chain.block([made.chain.sign(ADA, one) for _ in range(times)])


def make_league(*names: str, chain: str = "test-1") -> League:
    """Two blocks; in the second five transactions, the third of which counts seven times."""
    made = League(*(names or ("v1",)), chain=chain)
    count(made)
    one = [("counter", Count(id="a", by=1, limit=9))]
    seven = [("counter", Count(id=f"c{i}", by=i, limit=5)) for i in range(1, 8)]
    both = [("counter", Count(id="x", by=1, limit=5), 0), ("counter", Count(id="y", by=1, limit=5), 1)]
    several = [made.chain.sign(ADA, one) for _ in range(3)]
    several.insert(2, made.chain.sign(BEA, seven))
    several.append(made.chain.sign((ADA, BEA), both))
    made.chain.block(several)
    return made


class Heirs:
    """A league whose validators were all replaced, twice: headers at 3 and 5 lead to 7."""

    def __init__(self) -> None:
        made = self.league = League("a", "b", "c", "d")
        count(made)
        self.early = made.receipt()
        count(made)
        made.hand_over("c", "d", "e", "f")
        self.three = made.light_block()
        count(made, times=2)
        made.hand_over("e", "f", "g", "h")
        self.unannounced = made.checkpoint(self.three)
        made.hand_over("c", "d", "e", "f")
        count(made)
        made.hand_over("e", "f", "g", "h")
        self.five = made.light_block()
        self.checkpoint = made.checkpoint(self.three)
        count(made)
        count(made)
        made.hand_over("g", "h", "i", "j")
        self.late = replace(made.receipt(), headers=(self.three, self.five))
        self.genesis = made.genesis()
        self.pin = encode_file(msgspec.structs.replace(self.checkpoint, headers=()))


# --- receipts ---


def make_receipts() -> Iterator[Case]:
    """Receipts of every kind that hold, and those of leagues that nobody pinned."""
    one, four = make_league(), make_league("v1", "v2", "v3", "v4")
    pins = (one.genesis(),)
    yield Case("accepted", one.receipt(1), pins)
    yield Case("accepted, in a bulk of seven", one.receipt(2, 3, actor=BEA), pins)
    yield Case("refused, with parameters", one.receipt(2, 6, actor=BEA), pins)
    yield Case("two signers: the first one's message", one.receipt(4, 0), pins)
    yield Case("two signers: the second one's message", one.receipt(4, 1, actor=BEA), pins)
    yield Case("message not shown", one.receipt(with_message=False), pins)
    yield Case("events not shown", one.receipt(with_events=False), pins)
    for name, flags in (
        ("all signed", (COMMIT,) * 4),
        ("one voted for no block", (COMMIT, NIL, COMMIT, COMMIT)),
        ("one was not there", (COMMIT, COMMIT, ABSENT, COMMIT)),
    ):
        yield Case(f"four validators, {name}", four.receipt(flags=flags), (four.genesis(),))
    yield from make_other_receipts()
    yield from make_led()
    yield Case("nothing is pinned", one.receipt(), ())
    yield Case("nothing is pinned, and it is broken", replace(one.receipt(), height=3), ())


def make_other_receipts() -> Iterator[Case]:
    invalid = make_league()
    invalid.chain.block([b"no transaction"])
    yield Case(
        "an invalid transaction",
        invalid.receipt(actor=None, with_message=False),
        (invalid.genesis(),),
    )
    timed = make_league()
    later = [("counter", Later(id=f"l{i}", in_ms=500)) for i in range(3)]
    timed.chain.block([timed.chain.sign(ADA, later)])
    timed.chain.block()
    fired = timed.deadline_receipt(2, message=b'{"id":"l2","v":1}')
    yield Case("a deadline", fired, (timed.genesis(),))
    old = make_league()
    for _ in range(3):
        old.chain.block()
    yield Case("an old block, by its record", old.receipt(2, 3, height=2, actor=BEA), (old.genesis(),))


def make_led() -> Iterator[Case]:
    """Headers over changed validator sets."""
    heirs = Heirs()
    genesis, pin = heirs.genesis, heirs.pin
    yield Case("validators replaced twice, over two headers", heirs.late, (genesis,))
    yield Case("validators not yet replaced, no headers", heirs.early, (genesis,))
    yield Case("from a checkpoint, headers not needed", heirs.late, (pin,))
    yield Case("from a checkpoint, no headers", replace(heirs.late, headers=()), (pin,))
    yield Case("the newest root that is not later decides", heirs.early, (pin, genesis))
    yield Case("older than the only root", heirs.early, (pin,))
    yield Case("headers left out", replace(heirs.late, headers=()), (genesis,))
    yield Case("one header left out", replace(heirs.late, headers=(heirs.five,)), (genesis,))
    swapped = replace(heirs.late, headers=(heirs.five, heirs.three))
    yield Case("headers exchanged", swapped, (genesis,))
    yield Case("headers exchanged and not needed", swapped, (pin,))
    forged = forge_vote(heirs.three)
    yield Case("a forged vote in a header", replace(heirs.late, headers=(forged, heirs.five)), (genesis,))
    other = League("a", "x", "y", "z").genesis()
    yield Case("heirs of another genesis", heirs.late, (other,))
    yield Case("a root that vouches no longer", heirs.late, (genesis,), START_MS + PERIOD_MS)
    yield Case("a root on its last millisecond", heirs.late, (genesis,), START_MS + PERIOD_MS - 1)
    yield Case("a clock that is behind", heirs.late, (genesis,), heirs.late.header.time.ms - 10_001)
    stranger = League("w", "x", "y", "z")
    for _ in range(8):
        count(stranger)
    yield Case("does not lead from the checkpoint", stranger.receipt(), (pin,))


def forge_vote(block: Any) -> Any:
    first, *others = block.commit.signatures
    wrong = msgspec.structs.replace(first, signature=first.signature[::-1])
    commit = msgspec.structs.replace(block.commit, signatures=(wrong, *others))
    return msgspec.structs.replace(block, commit=commit)


# --- checkpoints ---


def make_checkpoints() -> Iterator[Case]:
    """Checkpoint files, judged as any file."""
    heirs = Heirs()
    alone = msgspec.structs.replace(heirs.checkpoint, headers=())
    late = heirs.checkpoint.header.time.ms + 5_000 * DAY_MS
    yield Case("leads from genesis over a header", heirs.checkpoint, (heirs.genesis,))
    yield Case("validators that nobody announced", heirs.unannounced, (heirs.genesis,))
    yield Case("without its header", alone, (heirs.genesis,))
    yield Case("is the pinned one", heirs.checkpoint, (heirs.pin,))
    yield Case("is the pinned one, which does not expire", heirs.checkpoint, (heirs.pin,), late)
    yield Case("nothing is pinned", heirs.checkpoint, ())
    fork = League("e", "f", "g", "h")
    for _ in range(heirs.checkpoint.height - 1):
        fork.chain.block()
    yield Case("another header at the pinned height", fork.checkpoint(), (heirs.pin,))
    other = League("g", "h", chain="test-2")
    other.chain.block()
    yield Case("of another chain", heirs.late, (encode_file(other.checkpoint()),))
    weak = League("a", "b", "c", "d")
    weak.chain.block()
    between = weak.light_block((COMMIT, COMMIT, NIL, NIL))
    weak.chain.block()
    yield Case("over a header that its validators did not decide", weak.checkpoint(between), (weak.genesis(),))


# --- state proofs ---


def make_proofs() -> Iterator[Case]:
    """Records, absence, and identifiers under which nothing can ever be."""
    made = make_league()
    pins = (made.genesis(),)
    present = made.proof(compute_state_key("counter", "counter", ("a",)))
    yield Case("a record", present, pins)
    yield Case("an account", made.proof(compute_state_key("accounts", "account", (ADA.did,))), pins)
    yield Case("a member", made.proof(compute_state_key("members", "member", (ADA.did,))), pins)
    yield Case("absence of a kind that the release does not know", made.proof(b"counter/counter/none"), pins)
    yield Case("absence of an unknown kind of a contract", made.proof(b"members/nothing/x"), pins)
    small = League("v1")
    small.chain.block()
    absent = made.proof(ABSENT_HOLDS[0].encode())
    changes: tuple[tuple[str, dict[str, object]], ...] = (
        ("another key", {"key": "counter/counter/c1"}),
        ("a key outside ASCII", {"key": "counter/counter/ä"}),
        ("no key", {"key": ""}),
        ("too long a key", {"key": "x" * 401}),
        ("a record that is said to be absent", {"record": NOTHING}),
        ("another record", {"record": raw({"id": "a", "v": 1, "value": 6})}),
        ("another height", {"height": 1}),
        ("the proof of an absent one", {"proof": absent.proof}),
    )
    for name, change in changes:
        yield Case(f"a record with {name}", msgspec.structs.replace(present, **change), pins)
    yield Case("an absent one with a record", msgspec.structs.replace(absent, record=present.record), pins)
    yield from make_broken_absence(absent, pins)
    # The browser has no SM2, and needs none: a record is proved by hashes, a block by Ed25519.
    sm2 = change_standing({"public": make_key("ada", "SM2").public}, {})
    account = sm2.proof(compute_state_key("accounts", "account", (ADA.did,)))
    yield Case("an account with an SM2 key", account, (sm2.genesis(),))


def make_broken_absence(absent: ProofFile, pins: tuple[bytes, ...]) -> Iterator[Case]:
    proof = absent.proof
    assert proof.left is not None and proof.right is not None
    deep = msgspec.structs.replace(proof.left, siblings=("",) * 256)
    for name, change in (
        ("a neighbour on the wrong side", {"left": proof.right, "right": proof.left}),
        ("no left neighbour", {"left": None}),
        ("no neighbours", {"left": None, "right": None}),
        ("a sibling more", {"siblings": (*proof.siblings, "")}),
        ("a neighbour deeper than the tree", {"left": deep}),
        ("a digest that is none", {"key": proof.key[:-1]}),
        ("a digest in another alphabet", {"key": "+" + proof.key[1:]}),
    ):
        broken = msgspec.structs.replace(absent, proof=msgspec.structs.replace(proof, **change))
        yield Case(f"absence with {name}", broken, pins)


def make_absence() -> Iterator[Case]:
    """Identifiers of real kinds: which are complete, and which say nothing."""
    made = make_league()
    pins = (made.genesis(),)
    for key in (*ABSENT_HOLDS, *ABSENT_SAYS_NOTHING):
        yield Case(key, made.proof(key.encode()), pins)


# --- forged and broken receipts ---


def make_forged() -> Iterator[Case]:
    """Receipts that must not pass, each wrong in one thing."""
    one, four = make_league(), make_league("v1", "v2", "v3", "v4")
    pins, file = (one.genesis(),), one.receipt()
    forger, other = make_league("v9"), make_league(chain="test-2")
    yield Case("another league with the same chain id", forger.receipt(), pins)
    yield Case("the same validators on another chain", other.receipt(), pins)
    yield Case("another chain, renamed", replace(other.receipt(), chain="test-1"), pins)
    quoted = replace(forger.receipt(), validators=one.validators)
    yield Case("a forger quotes the trusted validators", quoted, pins)
    for name, flags in (
        ("two of four signed", (COMMIT, COMMIT, ABSENT, ABSENT)),
        ("two of four voted for no block", (COMMIT, COMMIT, NIL, NIL)),
    ):
        yield Case(name, four.receipt(flags=flags), (four.genesis(),))
    yield from make_forged_headers(one, four)
    yield from make_forged_claims(one)
    yield from make_forged_standing(one)


def make_forged_headers(one: League, four: League) -> Iterator[Case]:
    file, pins = one.receipt(), (one.genesis(),)
    votes = four.receipt()
    last = votes.commit.signatures[3]
    wrong = msgspec.structs.replace(last, signature=last.signature[::-1])
    commit = msgspec.structs.replace(votes.commit, signatures=(*votes.commit.signatures[:3], wrong))
    yield Case("a needless signature is wrong", replace(votes, commit=commit), (four.genesis(),))
    changed = msgspec.structs.replace(file.header, app_hash=bytes(32))
    yield Case("the commit of another header", replace(file, header=changed), pins)
    version = msgspec.structs.replace(one.seal().header.version, block=10)
    yield Case("another block protocol", one.receipt(sealed=one.seal(version=version)), pins)
    for number in (2**53, 2**64, 10**300):
        app = msgspec.structs.replace(file.header.version, app=number)
        header = msgspec.structs.replace(file.header, version=app)
        yield Case(f"a number of {number.bit_length()} bits", replace(file, header=header), pins)
        validator = msgspec.structs.replace(file.validators[0], power=number)
        yield Case(
            f"a power of {number.bit_length()} bits", replace(file, validators=(validator,)), pins
        )
    for name, power in (("no", 0), ("negative", -1)):
        validator = msgspec.structs.replace(file.validators[0], power=power)
        yield Case(f"a validator of {name} power", replace(file, validators=(validator,)), pins)
    yield Case("no validators", replace(file, validators=()), pins)
    moved = four.receipt()
    yield Case("validators out of order", replace(moved, validators=moved.validators[::-1]), (four.genesis(),))


def make_forged_claims(one: League) -> Iterator[Case]:
    pins, file = (one.genesis(),), one.receipt()
    refused = one.receipt(2, 6, actor=BEA)
    yield Case("another height", replace(file, height=1), pins)
    leaf = msgspec.json.decode(refused.result) | {"code": "ok", "params": {}}
    yield Case("a refusal turned into an acceptance", replace(refused, result=raw(leaf)), pins)
    assert file.transaction is not None
    for field in ("code", "cost"):
        number = getattr(file.transaction, field) + 1
        changed = msgspec.structs.replace(file.transaction, **{field: number})
        yield Case(f"another {field}", replace(file, transaction=changed), pins)
    yield Case("the path of another message", replace(refused, path=one.receipt(2, 1, actor=BEA).path), pins)
    yield Case("a path that ends too early", replace(refused, path=refused.path[:-1]), pins)
    step = MerkleStep(bytes(32), "left")
    yield Case("a path that goes on", replace(refused, path=(*refused.path, step)), pins)
    yield Case("a path of 41 steps", replace(refused, path=(step,) * 41), pins)
    short = MerkleStep(bytes(31), "left")
    yield Case("a hash of 31 bytes", replace(refused, path=(short, *refused.path[1:])), pins)
    message = msgspec.json.decode(file.message)
    message["body"]["by"] = 2
    yield Case("another message shown", replace(file, message=raw(message)), pins)
    assert file.events
    yield Case("events left out", replace(file, events=()), pins)
    yield Case("an event twice", replace(file, events=(*file.events, *file.events)), pins)
    yield from make_spellings(file, pins)


def make_spellings(file: ReceiptFile, pins: tuple[bytes, ...]) -> Iterator[Case]:
    """Other spellings of an honest file: none of them is the file."""
    data = encode_file(file)
    plain = json.loads(data)

    def swap(old: bytes, new: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    def write(value: object, **options: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, **options).encode()

    tight = {"separators": (",", ":")}
    digest = base64.b64encode(file.header.validators_hash)
    for name, changed in (
        ("a key twice", swap(b'"chain":', b'"chain":"other","chain":')),
        ("the kind twice", data[:-1] + b',"kind":"hansa.receipt/1"}'),
        ("another order", write(dict(reversed(plain.items())), **tight)),
        ("spaces", write(plain, sort_keys=True)),
        ("a space inside the message", swap(b'"app":"counter",', b'"app": "counter",')),
        ("a space before the message", swap(b'"message":{', b'"message": {')),
        ("an escaped letter", swap(b'"test-1"', b'"t\\u0065st-1"')),
        ("a whole float", swap(b'"height":3', b'"height":3.0')),
        ("an exponent", swap(b'"height":3', b'"height":3e0')),
        ("minus zero", swap(b'"cost":', b'"cost":-0,"cost":')),
        ("an unknown field", write(plain | {"note": ""}, sort_keys=True, **tight)),
        ("no headers, said so", swap(b'"height":2,"kind"', b'"headers":[],"height":2,"kind"')),
        ("a byte order mark", b"\xef\xbb\xbf" + data),
        ("a line end", data + b"\n"),
        ("UTF-16", data.decode().encode("utf-16")),
        ("cut off", data[:-1]),
        ("nothing", b""),
        ("another kind", swap(b"hansa.receipt/1", b"hansa.receipt/2")),
        ("a kind that is no text", swap(b'"hansa.receipt/1"', b"1")),
        ("a list", b"[]"),
        ("deep", b"[" * 5_000),
        ("no UTF-8", swap(b'"test-1"', b'"test-\xff"')),
        ("padding in base64", swap(b'="', b'"')),
        ("loose bits in base64", swap(digest, digest[:-2] + bytes([digest[-2] + 1]) + b"=")),
        ("a message that is not canonical", swap(b'"message":{"app"', b'"message":{"\xc3\xa9":1,"app"')),
        ("a message that is deep", data.replace(bytes(file.message), b"[" * 20 + b"]" * 20)),
        ("a message with a float", data.replace(bytes(file.message), b"[1.5]")),
        ("a result that is deep", data.replace(bytes(file.result), b"[" * 20 + b"]" * 20)),
    ):
        yield Case(f"spelt with {name}", changed, pins)


def make_forged_standing(one: League) -> Iterator[Case]:
    pins, file = (one.genesis(),), one.receipt()
    yield Case("standing left out", replace(file, standing=None), pins)
    yield Case("the standing of another", replace(file, standing=one.standing(BEA)), pins)
    assert file.standing is not None
    mixed = msgspec.structs.replace(file.standing, member=one.standing(BEA).member)
    yield Case("the account of one, the member of another", replace(file, standing=mixed), pins)
    for name, account, member in (
        ("key revoked in the block itself", {"until": 2}, {}),
        ("key revoked before", {"until": 1}, {}),
        ("key that begins later", {"since": 3}, {}),
        ("key of another name", {"id": "k2"}, {}),
        ("key that only signs in", {"purposes": ("authenticate",)}, {}),
        ("service key", {"purposes": ("service",)}, {}),
        ("member suspended before", {}, {"standing": spell((0, "good"), (1, "suspended"))}),
        ("member reinstated", {}, {"standing": spell((0, "suspended"), (2, "good"))}),
        ("member expelled afterwards", {}, {"standing": spell((0, "good"), (3, "expelled"))}),
        ("member not yet there", {}, {"standing": spell((3, "good"))}),
    ):
        made = change_standing(account, member)
        yield Case(f"a {name}", made.receipt(), (made.genesis(),))


def spell(*entries: tuple[int, str]) -> tuple[StandingSince, ...]:
    """A history of standings."""
    return tuple(StandingSince(since=since, standing=what) for since, what in entries)  # type: ignore[arg-type]


def change_standing(key: dict[str, object], member: dict[str, object]) -> League:
    """A league whose second block changes ADA's records as governance would."""
    made = make_league()
    state = made.chain.state
    for kind, change in ((Account, key), (Member, member)):
        place = compute_state_key(kind.OWNER, kind.KIND, (ADA.did,))
        record: Any = msgspec.json.decode(state.values[place], type=kind)
        if kind is Account and change:
            change = {"keys": (msgspec.structs.replace(record.keys[0], **change),)}
        state.values[place] = encode_canonical(msgspec.structs.replace(record, **change))
    buckets = MemoryBuckets()
    tree = StateTree(buckets)
    delta = tree.compute(state.values.items())
    buckets.write(delta.buckets)
    tree.apply(delta, made.chain.height)
    state._tree = tree
    last = msgspec.structs.replace(made.chain.results[-1], state_root=delta.root)
    made.chain.results[-1] = last
    return made


# --- writing ---


def read_root(data: bytes) -> Root:
    """A pinned root of its bytes."""
    is_genesis = b'"kind":"hansa.genesis/1"' in data
    return build_trust_root(data) if is_genesis else decode_checkpoint(data)


def judge(data: bytes, roots: tuple[Root, ...], now_ms: int) -> dict[str, Any]:
    """Python's verdict, as plain JSON."""
    verdict = verify_receipt(data, roots, now=Timestamp.from_ms(now_ms))
    plain: dict[str, Any] = msgspec.to_builtins(verdict)
    return plain


def write_bytes(data: bytes) -> dict[str, str]:
    """Bytes as text where they are text."""
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def build_document(make: Callable[[], Iterator[Case]]) -> dict[str, Any]:
    """All cases of one file; roots are named so that each stands there once."""
    roots: dict[str, str] = {}
    cases = []
    for name, file, pins, now_ms in make():
        data = file if isinstance(file, bytes) else encode_file(file)
        for pin in pins:
            roots.setdefault(pin.decode(), f"r{len(roots)}")
        verdict = judge(data, tuple(map(read_root, pins)), now_ms)
        cases.append(
            {
                "name": name,
                "file": write_bytes(data),
                "roots": [roots[pin.decode()] for pin in pins],
                "now_ms": now_ms,
                "verdict": verdict,
            }
        )
    return {"roots": {name: text for text, name in roots.items()}, "cases": cases}


FILES: dict[str, Callable[[], Iterator[Case]]] = {
    "receipts": make_receipts,
    "checkpoints": make_checkpoints,
    "proofs": make_proofs,
    "absence": make_absence,
    "forged": make_forged,
    "malformed_seals": make_malformed_seals,
    "malformed_results": make_malformed_results,
    "malformed_proofs": make_malformed_proofs,
}


def main() -> None:
    """Write each file anew."""
    documents = {name: build_document(make) for name, make in FILES.items()}
    for name, document in {**documents, "roots": make_roots()}.items():
        text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)
        (FOLDER / f"{name}.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
