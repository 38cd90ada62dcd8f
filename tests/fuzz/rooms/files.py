"""Doors of the files that people hand to each other: receipts, proofs, bundles, evidence."""

import json
from functools import cache
from typing import Any

from hansa.client.bundles import build_bundle
from hansa.client.drafts import DraftError, read_draft
from hansa.client.evidence import encode_evidence, take_items
from hansa.client.invites import InvalidInvite, Invite, decode_invite, encode_invite
from hansa.client.receipts import encode_file
from hansa.client.trust import TrustRoot
from hansa.comet.announcement import (
    Announcement,
    InvalidAnnouncement,
    check_announcement,
    decode_announcement,
    sign_announcement,
)
from hansa.comet.commit import COMMIT, NIL
from hansa.encoding.canonical import encode_canonical
from hansa.testing.chain import make_key
from tests.client.sealing import ADA, BEA, League, raw, verify_receipt
from tests.client.test_bundles import bundle, seal_world
from tests.client.test_evidence import DOCUMENTS, get_sealed
from tests.client.test_trust_path import heirs
from tests.fuzz.door import Door, build_judge
from tests.fuzz.mutate import change_json, change_jws
from tests.identity.world import World, build_sd_jwt, build_vc, show
from tests.ledger.toy import Count

# What a file may leave out and still be the same proof: it says less.
SPARE = ("message", "events")


def drop_spare(data: bytes) -> object:
    """What a file proves: its document without what it may leave out."""
    document = json.loads(data)
    return {name: value for name, value in document.items() if name not in SPARE}


def judge_file(data: bytes, trust: TrustRoot, **asked: Any) -> object:
    """What a file that is judged yes says."""
    assert verify_receipt(data, None, **asked).outcome != "yes"
    verdict = verify_receipt(data, trust, **asked)
    return drop_spare(data) if verdict.outcome == "yes" else None


def is_other(data: bytes, seeds: tuple[bytes, ...]) -> bool:
    """Whether a file says anything that none of the seeds says."""
    said = json.loads(data)
    for seed in seeds:
        known = json.loads(seed)
        same = all(said.get(name) in (None, known.get(name)) for name in SPARE)
        if same and drop_spare(data) == drop_spare(seed):
            return False
    return True


@cache
def build_league(*names: str) -> League:
    """A sealed league with two blocks of counts."""
    made = League(*names)
    counts = [("counter", Count(id=f"c{i}", by=i, limit=5)) for i in range(1, 3)]
    made.chain.block([made.chain.sign(ADA, counts) for _ in range(2)])
    return made


def open_receipts() -> Door:
    """Receipts of several leagues' forms, judged by one trust root."""
    made = build_league("v1")
    seeds = [encode_file(made.receipt(1, 1)), encode_file(made.receipt(with_events=False))]
    made.chain.block()
    seeds.append(encode_file(made.receipt(height=1)))
    return _build_file_door(made.trust(), seeds)


def open_proofs() -> Door:
    """State proofs: of a record and of an absence, and a checkpoint, by four validators."""
    made = build_league("v1", "v2", "v3", "v4")
    made.chain.block()
    flags = (COMMIT, NIL, COMMIT, COMMIT)
    made.receipt(height=1, flags=flags)
    keys = (b"counter/counter/c1", b"counter/counter/zz", b"accounts/account/" + ADA.did.encode())
    seeds = [encode_file(made.proof(key)) for key in keys]
    seeds.append(encode_file(made.checkpoint()))
    return _build_file_door(made.trust(), seeds)


def open_paths() -> Door:
    """Files that lead over headers from the genesis to other validators."""
    made = heirs()
    seeds = [encode_file(made.late), encode_file(made.checkpoint)]
    return _build_file_door(made.trust, seeds)


def open_bundles() -> Door:
    """Bundles: a credential or presentation with the facts that judge it."""
    sealed = seal_world(World())
    seeds = [
        encode_file(bundle(sealed, document))
        for document in (build_vc(), build_sd_jwt(), show(build_sd_jwt()))
    ]
    facts: list[Any] = []
    seeds.append(encode_file(build_bundle(sealed.seal(), facts)))
    return _build_file_door(sealed.trust(), seeds)


def _build_file_door(trust: TrustRoot, seeds: list[bytes], **asked: Any) -> Door:
    kept = tuple(seeds)
    return Door(
        run=lambda data: judge_file(data, trust, **asked),
        allowed=(),
        seeds=kept,
        never=lambda data, _meaning: is_other(data, kept),
        shape=change_json,
    )


def open_evidence() -> Door:
    """Evidence files with receipts: whole, and of single items."""
    sealed, file = get_sealed()
    files = (file, *take_items(file, range(len(file.items))))
    names = list(DOCUMENTS)
    given = {names[0]: DOCUMENTS[names[0]]}

    def judge(data: bytes) -> object:
        if sealed.judge(data).outcome != "yes":
            assert sealed.judge(data, documents=given).outcome != "yes"
            return None
        document = json.loads(data)
        # Names of files and the time-stamps that nobody judged are no part of what is proved.
        receipt = document["receipt"]
        values = [item["value"] for item in document["items"]]
        return document["value"], document["owner"], receipt["result"], values

    return build_judge(judge, (), [encode_evidence(each) for each in files], change_json)


def open_drafts() -> Door:
    """Drafts that wait for signatures, as one signer sends them to the next."""
    made = build_league("v1")
    count = ("counter", Count(id="a", by=1, limit=5))
    whole = made.chain.sign([ADA, BEA], [count, (*count, 1)], mode="atomic")
    one = made.chain.sign(ADA, [count])
    document = json.loads(whole)
    half = json.dumps({**document, "signatures": document["signatures"][:1]})
    return Door(
        run=read_draft,
        allowed=(DraftError,),
        seeds=(whole, one, half.encode(), read_draft(whole).payload),
        shape=change_jws,
    )


def open_invites() -> Door:
    """Invitations to a league."""
    genesis = build_league("v1").genesis()
    invite = Invite(
        gateways=("https://a.example", "http://10.0.0.1:8480"),
        genesis=raw(json.loads(genesis)),
        peers=("ab" * 20 + "@a.example:26656",),
    )
    return Door(
        run=decode_invite,
        allowed=(InvalidInvite,),
        seeds=(encode_invite(invite),),
        never=lambda data, found: encode_invite(found) != data,
        shape=change_json,
    )


def open_announcements() -> Door:
    """Addresses that nodes announce, signed by their keys."""
    key = make_key("node")
    now_ms = 1_780_000_000_000
    announced = sign_announcement(
        Announcement(
            base=1,
            chain="bay-1",
            gateway="https://a.example",
            instance="0123456789abcdef",
            key="",
            node="00" * 20,
            p2p="a.example:26656",
            sequence=now_ms,
            validator="ab" * 20,
        ),
        key,
    )

    def judge(data: bytes) -> Announcement:
        found = decode_announcement(data)
        check_announcement(found, "bay-1", now_ms=now_ms)
        return found

    return build_judge(judge, (InvalidAnnouncement,), [encode_canonical(announced)], change_json)
