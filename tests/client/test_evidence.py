"""Evidence files: made from documents, proved item by item, judged offline; each lie found."""

from collections.abc import Callable, Mapping
from functools import cache

import msgspec
import pytest
from msgspec.structs import replace

from hansa.catalog import build_registry
from hansa.client.evidence import (
    EvidenceFile,
    Item,
    WrongEvidence,
    build_file,
    build_message,
    decode_evidence,
    encode_evidence,
    find_item,
    take_items,
)
from hansa.client.evidence_verdict import verify_evidence
from hansa.client.receipts import NOTHING, encode_file
from hansa.client.verdict import Verdict
from hansa.contracts.evidence.model import (
    ITEMS_MAX,
    CreateEvidence,
    RevokeEvidence,
    SignEvidence,
)
from hansa.crypto.commitments import compute_commitment
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url
from hansa.ledger.receipts import OK
from hansa.testing.chain import CHAIN, Actor, Chain
from tests.client.sealing import NOW, League
from tests.client.tsa import Authority
from tests.contracts.league import build_genesis

NOTARY, RIVAL = Actor("notary"), Actor("rival")
DOCUMENTS = {f"deed-{number}.xml": f"deed {number}".encode() for number in range(5)}
TSA = Authority()


def commit(name: str, content: bytes, salt: bytes | None) -> Item:
    value = sha256(content) if salt is None else compute_commitment(content, salt)
    return Item(name=name, salt=salt, size=len(content), value=value)


def build(documents: Mapping[str, bytes], *, public: bool = False) -> EvidenceFile:
    """The file of these documents, with salts that a test knows."""
    items = [
        commit(name, content, None if public else sha256(name.encode()))
        for name, content in documents.items()
    ]
    return build_file(CHAIN, NOTARY.did, items)


class Sealed:
    """A sealed chain on which the notary puts evidence on record."""

    def __init__(self) -> None:
        self.league = League("v1", "v2", "v3")
        self.league.chain = Chain(build_registry(), build_genesis((NOTARY, RIVAL)))
        self.trust = self.league.trust()

    def record(self, file: EvidenceFile, actor: Actor = NOTARY) -> EvidenceFile:
        """The file with the receipt of its message."""
        self.league.chain.send(actor, "evidence", build_message(file))
        receipt = self.league.receipt(actor=actor)
        return replace(file, receipt=msgspec.Raw(encode_file(receipt)))

    def judge(self, file: EvidenceFile | bytes, **asked: object) -> Verdict:
        data = file if isinstance(file, bytes) else encode_evidence(file)
        return verify_evidence(data, lambda _chain: (self.trust,), now=NOW, **asked)  # type: ignore[arg-type]


@cache
def get_sealed() -> tuple[Sealed, EvidenceFile]:
    """Five deeds on record."""
    sealed = Sealed()
    return sealed, sealed.record(build(DOCUMENTS))


def list_failures(verdict: Verdict) -> list[str]:
    return [step.name for step in verdict.steps if step.ok is False]


def test_all_documents_of_a_bulk_are_proved_by_one_file() -> None:
    sealed, file = get_sealed()
    verdict = sealed.judge(file, documents=DOCUMENTS)
    assert verdict.outcome == "yes", verdict.steps
    names = [step.name for step in verdict.steps]
    assert [f"document {name}" for name in DOCUMENTS] == names[-5:]


def test_one_item_is_proved_alone_and_says_nothing_of_the_others() -> None:
    sealed, file = get_sealed()
    for at, (alone, (name, content)) in enumerate(
        zip(take_items(file, range(5)), DOCUMENTS.items(), strict=True)
    ):
        assert sealed.judge(alone, documents={name: content}).outcome == "yes"
        data = encode_evidence(alone)
        for other in file.items[:at] + file.items[at + 1 :]:
            assert other.salt is not None
            assert msgspec.json.encode(other.salt) not in data
            assert other.name.encode() not in data


def test_a_renamed_document_is_found_and_another_is_not() -> None:
    sealed, file = get_sealed()
    assert sealed.judge(file, documents={"copy.xml": b"deed 3"}).outcome == "yes"
    verdict = sealed.judge(file, documents={"deed-3.xml": b"deed 9"})
    assert (verdict.outcome, list_failures(verdict)) == ("no", ["document deed-3.xml"])


@pytest.mark.parametrize("public", [False, True])
def test_a_single_document_is_its_own_commitment_or_public_digest(public: bool) -> None:
    sealed = Sealed()
    file = sealed.record(build({"law.pdf": b"law"}, public=public))
    assert (file.form, file.value == sha256(b"law")) == (
        ("digest", True) if public else ("commitment", False)
    )
    assert sealed.judge(file, documents={"law.pdf": b"law"}).outcome == "yes"
    assert take_items(file, [0]) == (file,)


def test_a_custom_key_names_it_on_the_ledger() -> None:
    sealed = Sealed()
    file = build_file(CHAIN, NOTARY.did, build(DOCUMENTS).items, "deeds-2026")
    assert build_message(file).id == "deeds-2026"
    assert sealed.judge(sealed.record(file)).outcome == "yes"


def test_a_file_without_receipt_is_not_judged() -> None:
    sealed, file = get_sealed()
    verdict = sealed.judge(replace(file, receipt=NOTHING), documents=DOCUMENTS)
    assert verdict.outcome == "could_not_judge"


def test_without_a_trust_root_it_never_says_yes() -> None:
    _sealed, file = get_sealed()
    verdict = verify_evidence(encode_evidence(file), lambda _chain: (), now=NOW)
    assert verdict.outcome == "could_not_judge"


def swap_salt(file: EvidenceFile) -> EvidenceFile:
    return replace(file, items=(replace(file.items[0], salt=bytes(32)), *file.items[1:]))


def swap_item(file: EvidenceFile) -> EvidenceFile:
    return replace(file, items=(commit("new.xml", b"new", bytes(32)), *file.items[1:]))


def move_root(file: EvidenceFile) -> EvidenceFile:
    forged = build_file(CHAIN, NOTARY.did, swap_item(file).items)
    return replace(forged, receipt=file.receipt)


def bend_path(file: EvidenceFile) -> EvidenceFile:
    alone = take_items(file, [0])[0]
    item = alone.items[0]
    step = replace(item.path[0], hash=bytes(32))
    return replace(alone, items=(replace(item, path=(step, *item.path[1:])),))


LIES: dict[str, tuple[str, Callable[[EvidenceFile], EvidenceFile]]] = {
    "another salt": ("document deed-0.xml", swap_salt),
    "another item": ("items", swap_item),
    "another root": ("entry", move_root),
    "another path": ("items", bend_path),
    "another owner": ("entry", lambda file: replace(file, owner=RIVAL.did)),
    "another id": ("entry", lambda file: replace(file, id="other")),
    "another chain": ("receipt", lambda file: replace(file, chain="test-2")),
    "fewer items": ("items", lambda file: replace(file, items=file.items[:-1])),
    "another total": ("entry", lambda file: replace(file, total=6)),
    "another form": ("entry", lambda file: replace(file, form="digest")),
    "another receipt": (
        "entry",
        lambda file: replace(file, receipt=Sealed().record(build({"a": b"a"})).receipt),
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_file_that_lies_is_found(name: str) -> None:
    sealed, file = get_sealed()
    step, lie = LIES[name]
    verdict = sealed.judge(lie(file), documents={"deed-0.xml": b"deed 0"})
    failures = list_failures(verdict)
    assert verdict.outcome == "no"
    assert step in failures, verdict.steps


def test_a_refused_message_is_no_evidence() -> None:
    sealed = Sealed()
    file = build(DOCUMENTS)
    sealed.record(file)
    again = sealed.record(file)
    verdict = sealed.judge(again)
    assert (verdict.outcome, list_failures(verdict)) == ("no", ["receipt"])


def test_evidence_of_another_is_not_taken_for_ones_own() -> None:
    """The rival puts the same root on record; its receipt does not serve the notary's file."""
    sealed = Sealed()
    verdict = sealed.judge(sealed.record(build(DOCUMENTS), RIVAL))
    assert (verdict.outcome, list_failures(verdict)) == ("no", ["entry"])


def test_time_stamps_are_judged_by_the_roots_given_alone() -> None:
    sealed, file = get_sealed()
    stamped = replace(file, tokens=(TSA.stamp(file.value),))
    assert sealed.judge(stamped).outcome == "could_not_judge"
    verdict = sealed.judge(stamped, authorities=(TSA.root,))
    assert verdict.outcome == "yes"
    assert "2026-06-01T12:00:00Z" in verdict.steps[-1].text
    verdict = sealed.judge(stamped, authorities=(Authority("Other").root,))
    assert (verdict.outcome, list_failures(verdict)) == ("no", ["time-stamp 1"])
    other = replace(file, tokens=(TSA.stamp(bytes(32)),))
    verdict = sealed.judge(other, authorities=(TSA.root,))
    assert "other_digest" in verdict.steps[-1].text


def prove_signature(sealed: Sealed, file: EvidenceFile, signer: Actor) -> msgspec.Raw:
    """The state of a signature after the last block."""
    key = f"evidence/signature/{file.owner}/{file.id}/{signer.did}"
    return msgspec.Raw(encode_file(sealed.league.proof(key.encode())))


def test_a_revoked_signature_is_said_by_the_proofs_that_the_file_has() -> None:
    sealed = Sealed()
    file = sealed.record(build(DOCUMENTS))
    place = {"owner": file.owner, "id": file.id}
    value = encode_base64url(file.value)
    sealed.league.chain.send(RIVAL, "evidence", SignEvidence(**place, value=value))
    standing = tuple(prove_signature(sealed, file, actor) for actor in (NOTARY, RIVAL))
    verdict = sealed.judge(replace(file, proofs=standing))
    assert verdict.outcome == "yes"
    assert [step.name for step in verdict.steps[-2:]] == [
        f"signature of {actor.did}" for actor in (NOTARY, RIVAL)
    ]
    revoke = RevokeEvidence(**place, reason="forged")
    assert sealed.league.chain.send(RIVAL, "evidence", revoke).code == OK
    kept = replace(file, proofs=(standing[0], prove_signature(sealed, file, RIVAL)))
    verdict = sealed.judge(kept)
    assert (verdict.outcome, list_failures(verdict)) == ("no", [f"signature of {RIVAL.did}"])
    assert "REVOKED" in verdict.steps[-1].text
    assert "(forged)" in verdict.steps[-1].text


def test_a_proof_of_something_else_says_nothing_of_a_signature() -> None:
    sealed = Sealed()
    file = sealed.record(build(DOCUMENTS))
    other = build_file(CHAIN, NOTARY.did, build(DOCUMENTS).items, "other")
    sealed.record(other)
    foreign = prove_signature(sealed, other, NOTARY)
    absent = prove_signature(sealed, file, RIVAL)
    torn = msgspec.Raw(
        bytes(prove_signature(sealed, file, NOTARY)).replace(b'"since_ms":1', b'"since_ms":2')
    )
    for proof in (foreign, absent, torn, file.receipt):
        verdict = sealed.judge(replace(file, proofs=(proof,)))
        assert verdict.outcome == "no", verdict.steps[-1]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"null",
        b'{"kind":"hansa.receipt/1"}',
        encode_evidence(build(DOCUMENTS)) + b" ",
        encode_evidence(build(DOCUMENTS)).replace(b'"kind"', b'"KIND"'),
        encode_evidence(build(DOCUMENTS)).replace(b'"total":5', b'"total":10001'),
        encode_evidence(build(DOCUMENTS)).replace(b'"total":5', b'"total":5,"total":5'),
        bytes(16_000_001),
    ],
)
def test_what_is_no_evidence_file_is_refused(data: bytes) -> None:
    with pytest.raises(WrongEvidence):
        decode_evidence(data)
    sealed, _file = get_sealed()
    verdict = sealed.judge(data)
    assert (verdict.outcome, list_failures(verdict)) == ("no", ["file"])


def test_no_byte_of_a_file_can_be_changed() -> None:
    sealed, file = get_sealed()
    alone = encode_evidence(take_items(file, [2])[0])
    end = alone.index(b'"receipt"')
    for position in range(0, end, 3):
        spoilt = bytearray(alone)
        spoilt[position] ^= 1
        verdict = sealed.judge(bytes(spoilt), documents={"deed-2.xml": b"deed 2"})
        is_name = b'"name"' in alone[max(0, position - 22) : position]
        assert verdict.outcome == "no" or is_name, bytes(spoilt[position - 20 : position + 20])


def test_none_and_too_many_items_are_refused() -> None:
    item = commit("a", b"a", bytes(32))
    for items in ((), (item,) * (ITEMS_MAX + 1)):
        with pytest.raises(WrongEvidence):
            build_file(CHAIN, NOTARY.did, items)
    with pytest.raises(WrongEvidence):
        take_items(take_items(build(DOCUMENTS), [0])[0], [0])


def test_an_item_is_found_by_name_first_and_size() -> None:
    file = build({"a": b"same", "b": b"same"})
    found = find_item(file, b"same", "b")
    assert found is not None
    assert found.name == "b"
    assert find_item(file, b"sam", "a") is None


def test_the_message_carries_the_root_alone() -> None:
    file = build(DOCUMENTS)
    assert build_message(file) == CreateEvidence(
        form="root", value=encode_base64url(file.value), items=5
    )


@pytest.mark.slow
def test_each_of_ten_thousand_items_is_provable_alone() -> None:
    documents = {f"{number:05d}": f"deed {number}".encode() for number in range(ITEMS_MAX)}
    sealed = Sealed()
    file = sealed.record(build(documents))
    assert sealed.judge(file, documents={"00042": documents["00042"]}).outcome == "yes"
    positions = range(0, ITEMS_MAX, 997)
    for at, alone in zip(positions, take_items(file, positions), strict=True):
        name = f"{at:05d}"
        assert len(alone.items[0].path) <= 14
        assert sealed.judge(alone, documents={name: documents[name]}).outcome == "yes"


@pytest.mark.parametrize("shown", [b'{"app":"evidence","type":"CreateEvidence"}', b"[]", b"null"])
def test_a_receipt_that_shows_half_a_message_is_a_no(shown: bytes) -> None:
    sealed, file = get_sealed()
    receipt = msgspec.json.decode(bytes(file.receipt))
    receipt["message"] = msgspec.Raw(shown)
    verdict = sealed.judge(replace(file, receipt=msgspec.Raw(encode_canonical(receipt))))
    assert (verdict.outcome, "entry" in list_failures(verdict)) == ("no", True)
