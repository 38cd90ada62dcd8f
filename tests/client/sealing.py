"""A sealed toy league: real kernel blocks, real CometBFT commits, files for the verifier."""

from functools import partial

import msgspec

from hansa.client import verify
from hansa.client.checkpoints import CheckpointFile
from hansa.client.receipts import (
    ProofFile,
    ReceiptFile,
    Sealed,
    Standing,
    build_checkpoint,
    build_deadline_receipt,
    build_proof,
    build_receipt,
    prove_record,
)
from hansa.client.trust import TrustRoot, build_trust_root
from hansa.comet.block import compute_block_id, compute_data_hash
from hansa.comet.commit import (
    ABSENT,
    COMMIT,
    EMPTY_COMMIT,
    NO_BLOCK,
    Commit,
    CommitSig,
    encode_vote_sign_bytes,
)
from hansa.comet.header import (
    EVIDENCE_HASH_EMPTY,
    BlockID,
    Header,
    Version,
    compute_consensus_hash,
)
from hansa.comet.light import LightBlock
from hansa.comet.validators import Validator, compute_validators_hash, sort_validators
from hansa.comet.wire import Timestamp
from hansa.crypto.keys import PrivateKey
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.genesis import Genesis, GenesisValidator, encode_genesis
from hansa.ledger.model import Record, compute_state_key
from hansa.ledger.receipts import encode_exec_tx_result
from hansa.ledger.system import Account, BlockRecord, Member
from hansa.ledger.transactions import decode_transaction
from hansa.testing.chain import CHAIN, START_MS, Actor, Chain, make_key
from tests.ledger.toy import build_toy_records, build_toy_registry

ADA = Actor("ada")
BEA = Actor("bea", alg="ES256")
# When the files are judged: tests must not end with a trust period.
NOW = Timestamp.from_ms(START_MS + 30 * 86_400_000)
verify_receipt = partial(verify.verify_receipt, now=NOW)


class League:
    """A toy chain whose every block is sealed by `names` (validators of equal power)."""

    def __init__(self, *names: str, chain: str = CHAIN) -> None:
        self.founders = names
        self.keys: dict[bytes, PrivateKey] = {}
        self.hand_over(*names)
        self.chain = Chain(build_toy_registry(), build_toy_records(ADA, BEA), chain=chain)

    def hand_over(self, *names: str) -> None:
        """From now on these are the validators."""
        keys = {key.public.raw: key for key in map(make_key, names)}
        self.keys |= keys
        self.validators = sort_validators(Validator(raw, 10) for raw in keys)

    def light_block(self, flags: tuple[int, ...] = ()) -> LightBlock:
        """The header after the last block, as headers in files are."""
        sealed = self.seal(flags)
        return LightBlock(sealed.commit, sealed.header, sealed.validators)

    def checkpoint(self, *headers: LightBlock) -> CheckpointFile:
        """A checkpoint of the header after the last block."""
        return build_checkpoint(msgspec.structs.replace(self.seal(), headers=headers))

    def genesis(self) -> bytes:
        """The document that a verifier pins."""
        return encode_genesis(
            Genesis(
                activations=(),
                chain=self.chain.chain,
                contracts={},
                kind="hansa.genesis/1",
                time_ms=START_MS,
                validators=tuple(
                    GenesisValidator(key=make_key(name).public, power=10) for name in self.founders
                ),
            )
        )

    def trust(self) -> TrustRoot:
        """The trust root of this league."""
        return build_trust_root(self.genesis())

    def seal(self, flags: tuple[int, ...] = (), **changes: object) -> Sealed:
        """Header after the last block, with the votes that `flags` name (default: all for it)."""
        after = self.chain.results[-1]
        header = Header(
            version=Version(app=1),
            chain_id=self.chain.chain,
            height=self.chain.height + 1,
            time=Timestamp.from_ns(self.chain.time_ms * 1_000_000 + 123_456),
            last_block_id=BlockID(b"\x07" * 32, msgspec.structs.replace(BlockID().parts, total=1)),
            last_commit_hash=EMPTY_COMMIT.hash(),
            data_hash=compute_data_hash([]),
            validators_hash=compute_validators_hash(self.validators),
            next_validators_hash=compute_validators_hash(self.validators),
            consensus_hash=compute_consensus_hash(block_max_bytes=4_000_000, block_max_gas=-1),
            app_hash=after.state_root,
            last_results_hash=after.results_hash,
            evidence_hash=EVIDENCE_HASH_EMPTY,
            proposer_address=self.validators[0].address,
        )
        header = msgspec.structs.replace(header, **changes)
        return Sealed(header, self.sign(header, flags), self.validators)

    def sign(self, header: Header, flags: tuple[int, ...] = ()) -> Commit:
        """Commit of a header, every vote with a time of its own."""
        block_id = compute_block_id(header, [], EMPTY_COMMIT)
        entries = []
        for index, validator in enumerate(self.validators):
            flag = flags[index] if flags else COMMIT
            moment = Timestamp(header.time.seconds + 1, index)
            if flag == ABSENT:
                entries.append(CommitSig(ABSENT))
                continue
            message = encode_vote_sign_bytes(
                header.chain_id,
                height=header.height,
                round_=1,
                block_id=block_id if flag == COMMIT else NO_BLOCK,
                time=moment,
            )
            signature = self.keys[validator.public_key].sign(message)
            entries.append(CommitSig(flag, validator.address, moment, signature))
        return Commit(header.height, 1, block_id, tuple(entries))

    def prove(self, kind: type[Record], *parts: str):  # type: ignore[no-untyped-def]
        """A record of the latest state with its proof."""
        key = compute_state_key(kind.OWNER, kind.KIND, parts)
        record = self.chain.state.get(key)
        assert record is not None
        return prove_record(record, self.chain.state.tree.prove(key, self.chain.height))

    def standing(self, actor: Actor) -> Standing:
        """The signer's records."""
        return Standing(
            account=self.prove(Account, actor.did), member=self.prove(Member, actor.did)
        )

    def block_record(self, height: int):  # type: ignore[no-untyped-def]
        """The block's own record in the latest state."""
        return self.prove(BlockRecord, f"{height:012d}")

    def receipt(
        self,
        position: int = 0,
        index: int = 0,
        *,
        height: int = 0,
        flags: tuple[int, ...] = (),
        sealed: Sealed | None = None,
        actor: Actor | None = ADA,
        with_message: bool = True,
        with_events: bool = True,
    ) -> ReceiptFile:
        """Receipt of a message of the last block, or of an older one through its record."""
        at = height or self.chain.height
        block, done = self.chain.blocks[at - 1], self.chain.results[at - 1]
        message = None
        if with_message:
            payload = decode_transaction(block.transactions[position]).payload
            message = bytes(payload.messages[index])
        return build_receipt(
            sealed or self.seal(flags),
            height=at,
            result=done.results[position],
            index=index,
            block_results=[encode_exec_tx_result(each) for each in done.results],
            position=position,
            message=message,
            with_events=with_events,
            standing=None if actor is None else self.standing(actor),
            block=self.block_record(height) if height else None,
        )

    def deadline_receipt(self, index: int = 0, *, message: bytes | None = None) -> ReceiptFile:
        """Receipt of a deadline that the last block fired."""
        return build_deadline_receipt(
            self.seal(),
            height=self.chain.height,
            deadlines=self.chain.results[-1].deadlines,
            index=index,
            block=self.block_record(self.chain.height),
            message=message,
        )

    def proof(self, key: bytes) -> ProofFile:
        """Proof of what stands under `key` after the last block."""
        return build_proof(
            self.seal(),
            key=key,
            record=self.chain.state.get(key),
            proof=self.chain.state.tree.prove(key, self.chain.height),
        )


def replace(file: ReceiptFile, **changes: object) -> ReceiptFile:
    """The same file with some fields changed."""
    return msgspec.structs.replace(file, **changes)


def raw(value: object) -> msgspec.Raw:
    """Canonical JSON of a plain value, as a file carries it verbatim."""
    return msgspec.Raw(encode_canonical(value))
