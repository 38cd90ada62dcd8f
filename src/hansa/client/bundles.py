"""Bundle files: a credential or presentation with all that judges it, each fact proved. Pure.

One header for all facts: what was read (accounts, schema, accreditations, status, or that there is
none) stands in one state of the ledger. A file is canonical JSON, as receipts are.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from hansa.client.checkpoints import Headers, Validators
from hansa.client.receipts import NOTHING, Number, Sealed
from hansa.client.verdict import Failed
from hansa.comet.commit import Commit
from hansa.comet.header import Header
from hansa.encoding.canonical import decode_canonical
from hansa.ledger.model import is_key_part
from hansa.ledger.tree_proof import StateProof, verify_state_proof
from hansa.primitives.limits import KEY_BYTES_MAX, RECORD_BYTES_MAX

# Issuers, schema, a chain of eight, recognitions and status of what one presentation holds.
FACTS_MAX: Final = 256
DOCUMENT_CHARACTERS_MAX: Final = 260_000

Text = Annotated[str, msgspec.Meta(max_length=DOCUMENT_CHARACTERS_MAX)]


class ProvenFact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record under its state key, or that there is none (null), with its proof."""

    key: Annotated[str, msgspec.Meta(max_length=KEY_BYTES_MAX)]
    proof: StateProof
    record: msgspec.Raw


Facts = Annotated[tuple[ProvenFact, ...], msgspec.Meta(max_length=FACTS_MAX)]


class BundleFile(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="kind",
    tag="hansa.bundle/1",
):
    """A document and the facts that judge it, in the state after block `height`.

    document: the credential or presentation verbatim; "" where facts alone were asked for.
    """

    chain: str
    commit: Commit
    document: Text = ""
    facts: Facts
    header: Header
    headers: Headers = ()
    height: Number
    validators: Validators

    @property
    def known_ms(self) -> int:
        """Up to when the facts hold, in ms: the next block may change them at its own time."""
        return self.header.time.ms - 1


def build_bundle(
    sealed: Sealed, facts: Sequence[tuple[bytes, bytes | None, StateProof]], document: str = ""
) -> BundleFile:
    """Bundle of facts (state key, record or None, proof) in the state that `sealed` carries."""
    return BundleFile(
        chain=sealed.header.chain_id,
        commit=sealed.commit,
        document=document,
        facts=tuple(
            ProvenFact(
                key=key.decode("ascii"),
                proof=proof,
                record=NOTHING if record is None else msgspec.Raw(record),
            )
            for key, record, proof in facts
        ),
        header=sealed.header,
        headers=sealed.headers,
        height=sealed.header.height - 1,
        validators=sealed.validators,
    )


def read_facts(bundle: BundleFile) -> dict[str, bytes | None]:
    """The facts by state key, each held to the header. Raises one of verdict.FAILURES."""
    if bundle.header.height != bundle.height + 1:
        raise Failed("the header does not carry the state of the height that the file names")
    facts: dict[str, bytes | None] = {}
    for fact in bundle.facts:
        if fact.key in facts or not all(map(is_key_part, fact.key.split("/"))):
            raise Failed("a fact stands twice, or under no key that state can have")
        record = bytes(fact.record)
        is_absent = record == bytes(NOTHING)
        decode_canonical(record, size_max=RECORD_BYTES_MAX)
        value = None if is_absent else record
        verify_state_proof(bundle.header.app_hash, fact.key.encode("ascii"), value, fact.proof)
        facts[fact.key] = value
    return facts
