"""Evidence files: documents committed to under one root, and the ledger's receipt for it. Pure.

A file names its items with their salts: who has it can prove each document, so it is private like
the documents. `take_items` makes one for a single item, which says nothing of the others. What
verifiers say of a file is in `client.evidence_verdict`.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from hansa.client.faults import ClientError
from hansa.client.receipts import NOTHING, Number
from hansa.contracts.evidence.model import ITEMS_MAX, TOKEN_BYTES_MAX, CreateEvidence, Form
from hansa.crypto.commitments import SALT_BYTES, is_commitment
from hansa.crypto.hashing import sha256
from hansa.crypto.merkle import MerklePath, merkle_paths, merkle_root
from hansa.encoding.canonical import CanonicalError, decode_canonical, encode_canonical
from hansa.encoding.json_faults import NOT_JSON
from hansa.encoding.text import encode_base64url

# 10,000 items with long names and salts, a receipt of 4 MB and tokens.
FILE_BYTES_MAX: Final = 16_000_000
NAME_MAX: Final = 255
HASH_BYTES: Final = 32
TOKENS_MAX: Final = 32
# Signers whose standing one file proves; more are asked for one by one (hansa prove).
PROOFS_MAX: Final = 32

Hash = Annotated[bytes, msgspec.Meta(min_length=HASH_BYTES, max_length=HASH_BYTES)]
Salt = Annotated[bytes, msgspec.Meta(min_length=SALT_BYTES, max_length=SALT_BYTES)]
# It may become the name of a file again: no path.
FileName = Annotated[str, msgspec.Meta(max_length=NAME_MAX, pattern=r"^[^/\\\x00]*$(?!\n)")]
Token = Annotated[bytes, msgspec.Meta(min_length=1, max_length=TOKEN_BYTES_MAX)]


class WrongEvidence(ClientError):
    """A file is no evidence file, or not of what was asked."""

    CODE = "client.evidence"


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One document. value: its salted commitment, or its SHA-256 when salt is null (public).

    path: to the root, () in a file that has all items. name: the file's name, for people.
    """

    name: FileName
    path: MerklePath = ()
    salt: Salt | None
    size: Number
    value: Hash

    def is_of(self, content: bytes) -> bool:
        """Whether the content is this document."""
        if len(content) != self.size:
            return False
        if self.salt is None:
            return sha256(content) == self.value
        return is_commitment(self.value, self.salt, content)


class EvidenceFile(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="kind",
    tag="hansa.evidence/1",
):
    """What was committed to, and where: evidence `id` of account `owner` on a chain.

    value: what is on the ledger; total: items under it. items: all of them, or some with paths.
    transaction: id of the one that put it on record, "" before. receipt: the ledger's receipt of
    it, null before. tokens: RFC 3161 time-stamp tokens over `value`. proofs: state proofs of
    signatures on it, which say whether these stood at a later block.
    """

    chain: str
    form: Form
    id: str
    items: Annotated[tuple[Item, ...], msgspec.Meta(min_length=1, max_length=ITEMS_MAX)]
    owner: str
    proofs: Annotated[tuple[msgspec.Raw, ...], msgspec.Meta(max_length=PROOFS_MAX)] = ()
    receipt: msgspec.Raw = NOTHING
    tokens: Annotated[tuple[Token, ...], msgspec.Meta(max_length=TOKENS_MAX)] = ()
    total: Annotated[int, msgspec.Meta(ge=1, le=ITEMS_MAX)]
    transaction: str = ""
    value: Hash

    @property
    def is_recorded(self) -> bool:
        """Whether the file carries a receipt."""
        return bytes(self.receipt) != bytes(NOTHING)

    @property
    def is_whole(self) -> bool:
        """Whether the file has every item, so that the root follows from them."""
        return len(self.items) == self.total and not any(item.path for item in self.items)


_decoder = msgspec.json.Decoder(EvidenceFile)


def build_file(chain: str, owner: str, items: Sequence[Item], name: str = "") -> EvidenceFile:
    """The file of documents that are to go on record: a root of many, or the one item itself.

    name: the owner's own for it, else the value is. Raises WrongEvidence for none or too many.
    """
    if not 1 <= len(items) <= ITEMS_MAX:
        raise WrongEvidence(
            f"{len(items)} items: one piece of evidence has 1 to {ITEMS_MAX}",
            "give documents, or make several pieces of evidence",
        )
    form: Form = "root"
    value = items[0].value
    if len(items) > 1:
        value = merkle_root([item.value for item in items])
    else:
        form = "digest" if items[0].salt is None else "commitment"
    return EvidenceFile(
        chain=chain,
        form=form,
        id=name or encode_base64url(value),
        items=tuple(items),
        owner=owner,
        total=len(items),
        value=value,
    )


def build_message(file: EvidenceFile) -> CreateEvidence:
    """The message that puts the file's value on record."""
    value = encode_base64url(file.value)
    name = "" if file.id == value else file.id
    return CreateEvidence(id=name, form=file.form, value=value, items=file.total)


def take_items(file: EvidenceFile, positions: Sequence[int]) -> tuple[EvidenceFile, ...]:
    """A file for each of these items, to hand on alone: its path, and nothing of the others."""
    if not file.is_whole:
        raise WrongEvidence("the file does not have all items", "take them from the whole file")
    if file.form != "root":
        return tuple(file for _ in positions)
    paths = merkle_paths([item.value for item in file.items])
    return tuple(
        msgspec.structs.replace(
            file, items=(msgspec.structs.replace(file.items[at], path=paths[at]),)
        )
        for at in positions
    )


def find_item(file: EvidenceFile, content: bytes, name: str = "") -> Item | None:
    """The item that the content is; one of that name is tried first."""
    candidates = sorted(file.items, key=lambda item: item.name != name)
    return next((item for item in candidates if item.is_of(content)), None)


def encode_evidence(file: EvidenceFile) -> bytes:
    """The one canonical form of a file."""
    return encode_canonical(file)


def decode_evidence(data: bytes) -> EvidenceFile:
    """Decode strictly. Raises WrongEvidence: not an evidence file in its one canonical form."""
    try:
        decode_canonical(data, size_max=FILE_BYTES_MAX)
        file = _decoder.decode(data)
        is_canonical = encode_canonical(file) == data
    except (*NOT_JSON, CanonicalError) as error:
        raise WrongEvidence(
            f"not an evidence file: {error}", "give the file that hansa evidence add wrote"
        ) from error
    if not is_canonical:
        raise WrongEvidence(
            "the file is not in canonical form: it was changed", "take a fresh copy of it"
        )
    return file
