"""`Chain`: an in-process league for tests: no engine, no disk, one line to start, real signatures.

Blocks are executed by the kernel itself; time is a counter the test moves. Never used by the
product.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from hansa.crypto.hashing import sha256
from hansa.crypto.keys import PrivateKey
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url
from hansa.identity.did import compute_did
from hansa.ledger.admission import SignatureCache, check_transaction
from hansa.ledger.blocks import Block, BlockResult, Misbehaviour
from hansa.ledger.context import has_grant
from hansa.ledger.contracts import Contract, Registry
from hansa.ledger.execution import execute_block
from hansa.ledger.genesis import (
    Genesis,
    GenesisActivation,
    GenesisValidator,
    compute_genesis_changes,
)
from hansa.ledger.model import Message, Record
from hansa.ledger.receipts import MessageResult, TransactionResult
from hansa.ledger.state import MemoryState, get_record, scan_records
from hansa.ledger.system import Validator
from hansa.ledger.transactions import compute_signing_input, decode_transaction, encode_jws
from hansa.primitives.limits import VALIDATORS_MAX

R = TypeVar("R", bound=Record)

START_MS = 1_780_000_000_000
CHAIN = "test-1"


def make_key(name: str, alg: str = "EdDSA") -> PrivateKey:
    """The key that belongs to a name in tests; the same name gives the same key."""
    return PrivateKey.from_seed(alg, hashlib.sha256(b"hansa test key " + name.encode()).digest())


class Actor:
    """A key holder in a test. `did` derives from its inception key; `kid` names that key."""

    def __init__(self, name: str, alg: str = "EdDSA") -> None:
        self.name = name
        self.key = make_key(name, alg)
        self.did = compute_did(self.key.public)
        self.kid = f"{self.did}#k1"

    def __repr__(self) -> str:
        return f"Actor({self.name})"


def encode_message(application: str, message: Message, sender: int = 0) -> dict[str, Any]:
    """A message as the payload carries it."""
    return {
        "app": application,
        "body": msgspec.Raw(encode_canonical(message)),
        "sender": sender,
        "type": type(message).__name__,
    }


class Chain:
    """A league in memory. `submit` puts one transaction in a block of its own; `block` several."""

    def __init__(
        self,
        registry: Registry,
        contracts: dict[str, Any] | None = None,
        *,
        chain: str = CHAIN,
        time_ms: int = START_MS,
        validators: tuple[GenesisValidator, ...] = (),
    ) -> None:
        self.registry = registry
        self.chain = chain
        nobodys = GenesisValidator(key=make_key("validator").public, power=10)
        self.genesis = Genesis(
            activations=tuple(
                GenesisActivation(application=name, version=contract.version, digest="test")
                for name, contract in registry.latest.items()
            ),
            chain=chain,
            contracts=contracts or {},
            kind="hansa.genesis/1",
            time_ms=time_ms,
            validators=validators or (nobodys,),
        )
        self.state = MemoryState()
        self.state.apply_genesis(compute_genesis_changes(self.genesis, registry), time_ms)
        self.blocks: list[Block] = []
        self.results: list[BlockResult] = []
        self.verified = SignatureCache()
        self.time_ms = time_ms
        self.signers: tuple[bytes, ...] | None = None  # None: all active validators vote
        self._counter = 0

    @property
    def height(self) -> int:
        """Height of the last block."""
        return self.state.height

    def sign(
        self,
        signers: Actor | Sequence[Actor],
        messages: Iterable[tuple[str, Message] | tuple[str, Message, int]],
        *,
        mode: str = "independent",
        expiry: int | None = None,
        kids: Sequence[str] | None = None,
        keys: Sequence[PrivateKey] | None = None,
    ) -> bytes:
        """Bytes of a signed transaction; messages are (application, message[, sender index])."""
        actors = [signers] if isinstance(signers, Actor) else list(signers)
        self._counter += 1
        identity = hashlib.sha256(f"{self.chain}/{self._counter}".encode()).digest()[:16]
        signing_keys = list(keys) if keys else [actor.key for actor in actors]
        signing_kids = list(kids) if kids else [actor.kid for actor in actors]
        payload = encode_canonical(
            {
                "chain": self.chain,
                "expiry": self.height + 100 if expiry is None else expiry,
                "id": encode_base64url(identity),
                "messages": [encode_message(*message) for message in messages],
                "mode": mode,
                "signers": signing_kids,
                "v": 1,
            }
        )
        signatures = []
        for kid, key in zip(signing_kids, signing_keys, strict=True):
            protected, signing_input = compute_signing_input(kid, key.alg, payload)
            signatures.append((protected, key.sign(signing_input)))
        return encode_jws(payload, tuple(signatures))

    def block(
        self,
        transactions: Iterable[bytes] = (),
        *,
        step_ms: int = 1_000,
        misbehaviours: Iterable[Misbehaviour] = (),
    ) -> BlockResult:
        """Execute the next block with these transaction bytes, `step_ms` after the last."""
        self.time_ms += step_ms
        height = self.height + 1
        block = Block(
            chain=self.chain,
            height=height,
            time_ms=self.time_ms,
            hash=sha256(f"header {height}".encode()),
            transactions=tuple(transactions),
            signers=self.list_signers() if height > 1 else (),
            misbehaviours=tuple(misbehaviours),
        )
        result = execute_block(self.state, block, self.registry, self.verified)
        self.state.apply(block, result)
        self.blocks.append(block)
        self.results.append(result)
        return result

    def list_signers(self) -> tuple[bytes, ...]:
        """Addresses that vote for each block: those of `signers`, or of all active validators."""
        if self.signers is not None:
            return self.signers
        found = scan_records(self.state, Validator.OWNER, Validator, limit=VALIDATORS_MAX)
        active = [each for each in found if each.state == "active"]
        return tuple(
            bytes.fromhex(each.address)
            for each in sorted(active, key=lambda each: (-each.power, each.address))
        )

    def submit(
        self,
        signers: Actor | Sequence[Actor],
        application: str | Contract,
        *messages: Message,
        mode: str = "independent",
    ) -> TransactionResult:
        """Sign and execute messages of one application in a block of their own."""
        name = application if isinstance(application, str) else application.name
        data = self.sign(signers, [(name, message) for message in messages], mode=mode)
        return self.block([data]).results[0]

    def send(
        self, signers: Actor | Sequence[Actor], application: str | Contract, message: Message
    ) -> MessageResult:
        """As `submit`, for one message; returns its result."""
        return self.submit(signers, application, message).messages[0]

    def check(self, data: bytes) -> None:
        """What the door says of these bytes now: returns, or raises the Rejection."""
        check_transaction(
            self.state,
            data,
            self.registry,
            chain=self.chain,
            height=self.height + 1,
            time_ms=self.time_ms + 1,
            has_seen=self.state.has_seen(decode_transaction(data).id),
            verified=self.verified,
        )

    def get(self, application: str, kind: type[R], *key: str) -> R | None:
        """A record of committed state."""
        return get_record(self.state, kind.OWNER or application, kind, *key)

    def has_role(self, application: str, role: str, holder: str, scope: str = "") -> bool:
        """Whether `holder` holds the role now."""
        return has_grant(self.state, application, role, (holder,), scope, self.time_ms)

    def advance(self, milliseconds: int) -> BlockResult:
        """An empty block that much later: fires what is due."""
        return self.block(step_ms=milliseconds)


__all__ = ["CHAIN", "START_MS", "Actor", "Chain", "encode_message", "make_key"]
