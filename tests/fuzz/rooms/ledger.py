"""Doors of the kernel: canonical JSON, transactions, admission, messages, proofs, genesis."""

import json
from pathlib import Path
from typing import Any

import msgspec

from hansa.catalog import build_registry
from hansa.crypto.merkle import MerkleError, MerklePath, compute_root_from_path, merkle_path
from hansa.encoding.canonical import (
    CanonicalError,
    decode_canonical,
    decode_typed,
    encode_canonical,
)
from hansa.ledger.admission import SignatureCache, check_transaction
from hansa.ledger.blocks import Block
from hansa.ledger.execution import execute_block
from hansa.ledger.genesis import (
    InvalidGenesis,
    compute_genesis_changes,
    decode_genesis,
    encode_genesis,
)
from hansa.ledger.rejections import Rejection
from hansa.ledger.state import MemoryState
from hansa.ledger.transactions import (
    Malformed,
    Payload,
    SignedTransaction,
    compute_signing_input,
    decode_transaction,
    encode_jws,
)
from hansa.ledger.tree_proof import ProofError, StateProof, verify_state_proof
from hansa.testing.chain import Actor
from tests.fuzz.door import Door, build_decoder, build_judge
from tests.fuzz.mutate import change_json, change_jws
from tests.golden.chains import GoldenChain, load
from tests.ledger.test_transactions import encode_again
from tests.ledger.test_tree_proof import CASES, make_case
from tests.ledger.toy import Count, build_toy_chain
from tests.vectors.encoding.generate import make_transactions as vectors

VECTORS = Path(__file__).parents[2] / "vectors"
GOLDEN = Path(__file__).parents[2] / "golden" / "0.1.0.json.xz"
SIZE_MAX = 20_000
VECTOR_BYTES_MAX = 4_000
FAULTED = "ledger.contract_fault"


def open_canonical() -> Door:
    """Canonical JSON (D1): one form, so what is taken is written as it came."""
    cases = json.loads((VECTORS / "encoding" / "canonical.json").read_text("utf-8"))
    texts = [msgspec.json.encode(case) for case in list(cases.values())[-1][:60]]
    return build_decoder(
        lambda data: (decode_canonical(data, size_max=SIZE_MAX),),
        lambda value: encode_canonical(value[0]),
        (CanonicalError,),
        [*texts, b'{"a":[1,-2,{"b":null}],"z":"\xe6\xbe\xb3"}', b'"\\u0000"', b"9007199254740991"],
        change_json,
    )


def open_transactions() -> Door:
    """Signed transactions as they are carried."""
    cases = [data for _name, data, _verdict in vectors.list_cases()]
    return build_decoder(
        decode_transaction,
        encode_again,
        (Malformed,),
        [data for data in cases if len(data) <= VECTOR_BYTES_MAX],
        change_jws,
    )


def open_admission() -> Door:
    """The one gate: nothing is admitted but what the accounts' keys signed."""
    ada, bea = Actor("ada"), Actor("bea", alg="ES256")
    chain = build_toy_chain(ada, bea)
    count = ("counter", Count(id="a", by=1, limit=5))
    seeds = [
        chain.sign(ada, [count]),
        chain.sign(bea, [count, count]),
        chain.sign([ada, bea], [count, (*count, 1)], mode="atomic"),
        chain.sign(ada, [count], expiry=10**6),
        chain.sign(Actor("eve"), [count]),
    ]

    def admit(data: bytes) -> bytes:
        admitted = check_transaction(
            chain.state,
            data,
            chain.registry,
            chain=chain.chain,
            height=1,
            time_ms=chain.time_ms + 1,
            has_seen=False,
        )
        return admitted.transaction.id

    return build_judge(admit, (Rejection,), seeds, change_jws)


class Believing(SignatureCache):
    """Takes every signature for true: what lies behind it is to be reached."""

    def holds(self, transaction: SignedTransaction, keys: object) -> bool:
        """Always."""
        return True


def wrap_payload(payload: bytes) -> bytes:
    """The payload with signatures that nobody made."""
    signers = decode_typed(payload, Payload).signers
    parts = [(compute_signing_input(kid, "EdDSA", payload)[0], bytes(64)) for kid in signers]
    return encode_jws(payload, tuple(parts))


class Scene:
    """A golden league just before its last block, which other transactions may take."""

    def __init__(self, chain: GoldenChain) -> None:
        blocks = [each.block for each in chain.blocks]
        self.registry = build_registry()
        self.state = MemoryState()
        changes = compute_genesis_changes(chain.genesis, self.registry)
        self.state.apply_genesis(changes, chain.genesis.time_ms)
        for block in blocks[:-1]:
            self.state.apply(block, execute_block(self.state, block, self.registry))
        self.last = blocks[-1]
        self.payloads = [self._renew(data) for each in blocks for data in each.transactions]

    def _renew(self, data: bytes) -> bytes:
        """The payload, so that it has not expired at the last block."""
        try:
            payload = decode_transaction(data).payload
        except Malformed:
            return b"{}"
        expiry = self.last.height + 50
        return encode_canonical(msgspec.structs.replace(payload, expiry=expiry))

    def play(self, payload: bytes) -> tuple[str, ...]:
        """Codes of the messages when the payload is the last block's only one."""
        block = self.last
        played = Block(
            chain=block.chain,
            height=block.height,
            time_ms=block.time_ms,
            hash=block.hash,
            transactions=(wrap_payload(payload),),
            signers=block.signers,
            misbehaviours=(),
        )
        result = execute_block(self.state, played, self.registry, Believing())
        messages = [each for done in result.results for each in done.messages]
        return tuple(each.code for each in (*messages, *result.deadlines))


def change_payload(data: bytes, random: Any) -> bytes:
    """Change values of the payload; sometimes play it in another league."""
    scene = data[:1] if random.random() < 0.9 else random.randbytes(1)
    return scene + change_json(data[1:], random)


def open_messages() -> Door:
    """Messages with any bodies, executed by the catalog's contracts in leagues full of records.

    The first byte chooses the league; then a transaction's payload, whose signatures are believed.
    A handler that ends in a fault, or an invariant that breaks, is a find.
    """
    chains = sorted(load(GOLDEN).chains, key=lambda each: -len(each.covered))[:SCENES]
    scenes = [Scene(chain) for chain in chains]
    seeds = [
        bytes([number]) + payload
        for number, scene in enumerate(scenes)
        for payload in scene.payloads
        if len(payload) <= VECTOR_BYTES_MAX
    ]

    def play(data: bytes) -> tuple[str, ...] | None:
        return scenes[data[0] % len(scenes)].play(data[1:]) if data else None

    return Door(
        run=play,
        allowed=(CanonicalError, msgspec.MsgspecError, UnicodeError),
        seeds=tuple(seeds),
        never=lambda _data, codes: FAULTED in codes,
        shape=change_payload,
    )


SCENES = 24


def open_state_proofs() -> Door:
    """Proofs of presence and absence, each held to the root and key of its own case."""
    cases = [make_case(count, side) for count, side in CASES]

    def verify(data: bytes) -> object:
        decoded = decode_canonical(data, size_max=SIZE_MAX)
        proof = msgspec.convert(decoded, StateProof)
        for number, (state, key, value, _true) in enumerate(cases):
            try:
                verify_state_proof(state.tree.root, key, value, proof)
            except ProofError:
                continue
            return number, data
        return None

    seeds = [encode_canonical(proof) for _state, _key, _value, proof in cases]
    allowed = (CanonicalError, msgspec.ValidationError)
    return build_judge(verify, allowed, seeds, change_json)


def open_inclusion() -> Door:
    """Paths of a transaction's result to the block's results hash."""
    leaves = [b"result %d" % number for number in range(11)]
    paths = [merkle_path(leaves, index) for index in range(len(leaves))]
    root = compute_root_from_path(leaves[0], paths[0])

    def verify(data: bytes) -> object:
        path = msgspec.json.decode(data, type=MerklePath)
        for index, leaf in enumerate(leaves):
            if compute_root_from_path(leaf, path) == root:
                return index, path
        return None

    seeds = [msgspec.json.encode(path) for path in paths]
    return build_judge(
        verify, (msgspec.MsgspecError, UnicodeError, MerkleError), seeds, change_json
    )


def open_genesis() -> Door:
    """Genesis documents, as invitations and verifiers take them."""
    golden = load(GOLDEN).chains
    found = sorted((encode_genesis(chain.genesis) for chain in golden), key=len)
    return Door(
        run=decode_genesis,
        allowed=(InvalidGenesis,),
        seeds=tuple(found[:5]),
        # A member that has a default may be left out: the bytes differ, the meaning does not.
        never=lambda _data, genesis: decode_genesis(encode_genesis(genesis)) != genesis,
        shape=change_json,
    )
