"""A transaction between its signers is read, and tried for who could send it."""

import json
from typing import Any

import httpx
import msgspec
import pytest

from hansa.client.drafts import add_signature, read_draft
from hansa.client.keys import Signer
from hansa.client.transactions import Draft, build_payload
from hansa.encoding.text import decode_base64url
from hansa.testing.chain import Actor
from tests.api.league import ADA, BEA, CAI, CHAIN, League
from tests.api.parcels import SendParcel


def make_payload(league: League, *signers: Actor, grams: int = 1_000, id_: str = "d-1") -> bytes:
    parcel = SendParcel(id=id_, other=CAI.did, note="n", grams=grams)
    return build_payload(
        chain=CHAIN,
        expiry=league.node.height + 100,
        drafts=[Draft("parcels", parcel)],
        signers=[each.kid for each in signers],
    )


def sign(data: bytes, actor: Actor) -> bytes:
    return add_signature(read_draft(data), Signer(actor.name, actor.kid, actor.key)).encode()


def ask(league: League, data: bytes, actor: Actor | None) -> httpx.Response:
    with league.client(actor) if actor else league.client() as client:
        return client.post("/v1/drafts", content=data, headers={"content-type": "text/plain"})


def test_a_draft_is_told_with_who_signed_it(league: League) -> None:
    payload = make_payload(league, ADA, BEA)
    answer: Any = ask(league, sign(payload, ADA), BEA).json()
    assert decode_base64url(answer["payload"]) == payload
    assert answer["id"] == read_draft(payload).id
    assert [(each["kid"], each["is_own"], each["has_signed"]) for each in answer["signers"]] == [
        (ADA.kid, False, True),
        (BEA.kid, True, False),
    ]
    (message,) = answer["messages"]
    assert (message["type"], message["sender"]) == ("SendParcel", ADA.kid)
    assert message["body"]["grams"] == 1_000
    assert [each["code"] for each in answer["verdicts"]] == ["ok"]


def test_it_is_tried_for_who_has_the_other_signatures_alone(league: League) -> None:
    payload = make_payload(league, ADA, BEA, grams=10**9)
    for data, actor in ((payload, ADA), (payload, BEA), (sign(payload, ADA), CAI)):
        assert ask(league, data, actor).json()["verdicts"] is None
    assert ask(league, sign(payload, BEA), BEA).json()["verdicts"] is None
    (verdict,) = ask(league, sign(payload, ADA), BEA).json()["verdicts"]
    assert (verdict["code"], verdict["rule"]) == ("parcels.too_heavy", "P1")
    whole = sign(sign(payload, ADA), BEA)
    assert ask(league, whole, BEA).json()["verdicts"] == [verdict]
    assert ask(league, whole, CAI).json()["verdicts"] is None


def test_nobody_is_believed_to_have_signed(league: League) -> None:
    """Else whoever names somebody as a signer would learn what only that one may know."""
    payload, other = (make_payload(league, ADA, BEA, id_=each) for each in ("d-2", "d-3"))
    forged = msgspec.json.decode(sign(payload, ADA))
    forged["signatures"] = msgspec.json.decode(sign(other, ADA))["signatures"]
    answer = ask(league, json.dumps(forged, separators=(",", ":")).encode(), BEA)
    assert (answer.status_code, answer.json()["code"]) == (403, "ledger.wrong_signature")


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"a.b.c", b'{"payload":"e30","signatures":[]}', b"\xff", b'{"a":1.5}'],
)
def test_what_is_no_draft_is_refused(league: League, data: bytes) -> None:
    answer = ask(league, data, ADA)
    assert (answer.status_code, answer.json()["code"]) == (422, "api.no_draft")


def test_a_signature_of_somebody_else_is_refused(league: League) -> None:
    draft = msgspec.json.decode(sign(make_payload(league, ADA, BEA), ADA))
    foreign = msgspec.json.decode(sign(make_payload(league, CAI, BEA), CAI))
    draft["signatures"] = foreign["signatures"]
    answer = ask(league, msgspec.json.encode(draft), ADA)
    assert (answer.status_code, answer.json()["code"]) == (422, "api.no_draft")


def test_strangers_are_told_nothing(league: League) -> None:
    answer = ask(league, make_payload(league, ADA, BEA), None)
    assert (answer.status_code, answer.json()["code"]) == (401, "api.sign_in_first")


def test_nothing_of_a_draft_is_kept(league: League) -> None:
    height = league.node.height
    assert ask(league, sign(make_payload(league, ADA, BEA, id_="d-9"), ADA), BEA).is_success
    assert league.node.height == height
    with league.client(ADA) as client:
        assert client.get("/v1/apps/parcels/parcel/d-9").status_code == 404
