"""Who sees what (D8), at every door: strangers, other members, parties, readers."""

import base64
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hansa.testing.chain import Actor
from tests.api.league import (
    ADA,
    BEA,
    CAI,
    CHIEF,
    CITIZEN,
    CLERK,
    INSPECTOR_HK,
    INSPECTOR_MO,
    League,
    serve_league,
)
from tests.api.parcels import (
    DropParcel,
    HandOver,
    OpenDepot,
    SendParcel,
    SetTariff,
    Weigh,
    WriteWaybill,
)
from tests.index.databases import make_database

pytestmark = pytest.mark.slow

CANARY = "CANARY-7c1f90d2"
STRANGER = None
EVERYONE: dict[str, Actor | None] = {
    "stranger": STRANGER,
    "ada": ADA,
    "clerk": CLERK,
    "bea": BEA,
    "cai": CAI,
    "citizen": CITIZEN,
    "chief": CHIEF,
    "hk": INSPECTOR_HK,
    "mo": INSPECTOR_MO,
}
# Parcel p1 is between Ada (CN) and Bea (HK).
SEES_P1 = {"ada", "clerk", "bea", "chief", "hk"}
# A refused parcel has no parties but who signed: Ada's side and readers of her place.
SEES_REFUSED = {"ada", "clerk", "chief"}
MEMBERS = set(EVERYONE) - {"stranger", "citizen"}


class Scene:
    """A league in which things happened; one client for each asker."""

    def __init__(self, league: League) -> None:
        self.league = league
        self.sent = league.commit(ADA, SendParcel(id="p1", other=BEA.did, note=CANARY, grams=5))
        self.refused = league.commit(
            ADA, SendParcel(id=CANARY, other=BEA.did, note=CANARY, grams=90_000)
        )
        league.commit(ADA, SendParcel(id="p2", other=BEA.did, note="moved", grams=5))
        league.commit(ADA, HandOver(id="p2", owner=CAI.did))
        league.commit(ADA, SendParcel(id="p3", other=BEA.did, note=CANARY, grams=5))
        league.commit(ADA, DropParcel(id="p3"))
        league.commit(BEA, Weigh(parcel="p1", number=1))
        league.commit(BEA, WriteWaybill(id="w1"))
        self.depot = league.commit(CAI, OpenDepot(id="d1", city="Macao"))
        self.tariff = league.commit(CAI, SetTariff(id="t1", cents=5))
        self.clients = {name: league.client(actor) for name, actor in EVERYONE.items()}

    def ask(self, name: str, path: str) -> httpx.Response:
        return self.clients[name].get(path)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    folder: Path = tmp_path_factory.mktemp("visibility") / "home"
    database = ""
    if request.param == "postgres":
        database = make_database(request.getfixturevalue("postgres"))
    with serve_league(folder, database) as league:
        made = Scene(league)
        yield made
        for client in made.clients.values():
            client.close()


def who(scene: Scene, path: str) -> dict[str, int]:
    return {name: scene.ask(name, path).status_code for name in EVERYONE}


def expect(seen: set[str], otherwise: int = 404) -> dict[str, int]:
    """200 for those; strangers are asked to sign in; the others get the same as for nothing."""
    return {
        name: 200 if name in seen else 401 if name == "stranger" else otherwise for name in EVERYONE
    }


@pytest.mark.parametrize("door", ["apps", "history", "proofs"])
def test_a_record_is_shown_to_its_parties_and_readers(scene: Scene, door: str) -> None:
    assert who(scene, f"/v1/{door}/parcels/parcel/p1") == expect(SEES_P1)


def test_the_proof_of_a_record_is_shown_as_the_record(scene: Scene) -> None:
    assert who(scene, "/v1/apps/parcels/parcel/p1?proof=true") == expect(SEES_P1)


@pytest.mark.parametrize("door", ["apps", "history", "proofs"])
def test_absent_and_forbidden_are_told_alike(scene: Scene, door: str) -> None:
    for name in sorted(set(EVERYONE) - SEES_P1):
        forbidden = scene.ask(name, f"/v1/{door}/parcels/parcel/p1")
        absent = scene.ask(name, f"/v1/{door}/parcels/parcel/nowhere")
        assert forbidden.status_code == absent.status_code
        told = [{**each.json(), "instance": ""} for each in (forbidden, absent)]
        assert told[0] == told[1]


def test_what_is_public_is_shown_to_all_what_is_of_the_league_to_members(scene: Scene) -> None:
    everyone = set(EVERYONE)
    for door in ("apps", "history", "proofs"):
        assert who(scene, f"/v1/{door}/parcels/depot/d1") == expect(everyone)
        assert who(scene, f"/v1/{door}/parcels/tariff/t1") == expect(MEMBERS)


def test_lists_and_tables_hold_what_one_may_see(scene: Scene) -> None:
    p1, p2 = {"p1"}, {"p2"}
    expected = {
        "ada": p1 | p2,
        "clerk": p1 | p2,
        "bea": p1,
        "cai": p2,
        "citizen": set(),
        "chief": p1 | p2,
        "hk": p1,
        "mo": p2,
    }
    for path in ("/v1/apps/parcels/parcel", "/v1/apps/parcels/tables/parcels"):
        found = {
            name: {item["id"] for item in scene.ask(name, path).json()["items"]}
            for name in expected
        }
        assert found == expected
        assert scene.ask("stranger", path).status_code == 401
    totals = "/v1/apps/parcels/tables/parcels/totals"
    counts = {name: scene.ask(name, totals).json()["items"][0]["count"] for name in expected}
    assert counts == {name: len(ids) for name, ids in expected.items()}


def test_each_version_is_shown_to_whom_it_names(scene: Scene) -> None:
    def owners(name: str) -> list[str]:
        answer = scene.ask(name, "/v1/history/parcels/parcel/p2")
        return [item["record"]["owner"] for item in answer.json().get("items", [])]

    assert owners("ada") == [ADA.did, CAI.did]
    assert owners("bea") == [ADA.did]
    assert owners("cai") == [CAI.did]
    assert owners("hk") == [ADA.did]
    assert owners("mo") == [CAI.did]
    assert owners("citizen") == []


def test_a_deletion_is_shown_to_who_saw_the_last_version(scene: Scene) -> None:
    path = "/v1/history/parcels/parcel/p3"
    assert who(scene, path) == expect(SEES_P1)
    items = scene.ask("bea", path).json()["items"]
    assert [item["record"] is None for item in items] == [False, True]


def test_an_absence_is_proved_to_whom_it_concerns(scene: Scene) -> None:
    readers_of_kind = {"chief"}
    # Parties to parcel p1 may prove that it was never weighed a second time.
    assert who(scene, "/v1/proofs/parcels/weighing/p1/2") == expect(SEES_P1)
    assert who(scene, "/v1/proofs/parcels/weighing/p9/1") == expect(set())
    assert who(scene, "/v1/proofs/parcels/parcel/p9") == expect(readers_of_kind)
    named = f"/v1/proofs/parcels/parcel/{BEA.did}"
    assert who(scene, named) == expect(readers_of_kind | {"bea"})
    assert who(scene, "/v1/proofs/parcels/depot/d9") == expect(set(EVERYONE))
    assert who(scene, "/v1/proofs/parcels/tariff/t9") == expect(MEMBERS)


def test_a_present_record_is_no_absence_for_who_may_not_read_it(scene: Scene) -> None:
    """Ada may ask whether p1 was weighed; that Bea did is Bea's to show."""
    assert scene.ask("ada", "/v1/proofs/parcels/weighing/p1/1").status_code == 404
    assert scene.ask("bea", "/v1/proofs/parcels/weighing/p1/1").status_code == 200


def test_an_absence_that_concerns_the_league_is_proved_to_every_member(scene: Scene) -> None:
    assert who(scene, "/v1/proofs/parcels/waybill/w9") == expect(MEMBERS)
    assert who(scene, "/v1/apps/parcels/waybill/w9") == expect(set())


def test_what_is_there_is_told_as_not_absent_and_no_more(scene: Scene) -> None:
    path = "/v1/proofs/parcels/waybill/w1"
    assert who(scene, path) == expect({"bea"})
    for name in sorted(set(EVERYONE) - {"bea", "stranger"}):
        told = scene.ask(name, path)
        code = "api.not_absent" if name in MEMBERS else "api.not_found"
        assert told.json()["code"] == code, name
        assert BEA.did not in told.text
        assert scene.ask(name, "/v1/apps/parcels/waybill/w1").json()["code"] == "api.not_found"


@pytest.mark.parametrize(
    "key",
    [
        "parcels/weighing/p1",
        "parcels/weighing/p1/01",
        "parcels/weighing/p1/x",
        "parcels/weighing/p1/1/x",
        "parcels/depot/..%2f..%2fetc",
        "parcels/depot/d1/x",
        "members/member/..%2f..%2fetc",
        "members/member/ada",
        "ledger/block/1",
    ],
)
def test_an_identifier_that_cannot_be_is_proved_neither_there_nor_absent(
    scene: Scene, key: str
) -> None:
    app, kind, rest = key.split("/", 2)
    addresses = [f"/v1/{door}/{key}" for door in ("proofs", "history")]
    for address in (*addresses, f"/v1/apps/{key}", f"/v1/apps/{app}/{kind}/{rest}?proof=true"):
        told = scene.ask("chief", address)
        assert (told.status_code, told.json()["code"]) == (400, "ledger.impossible_key"), address


def test_events_are_shown_to_their_parties_and_readers(scene: Scene) -> None:
    p1, p2, p3 = "p1", "p2", "p3"
    sent = {
        "stranger": set(),
        "ada": {p1, p2, p3},
        "clerk": {p1, p2, p3},
        "bea": {p1, p2, p3},
        "cai": set(),
        "citizen": set(),
        "chief": {p1, p2, p3},
        "hk": {p1, p2, p3},
        "mo": set(),
    }
    for name, expected in sent.items():
        items = scene.ask(name, "/v1/events").json()["items"]
        assert {item["body"]["id"] for item in items if item["type"] == "ParcelSent"} == expected
        types = {item["type"] for item in items} - {"ParcelSent"}
        assert types == ({"DepotOpened", "TariffSet"} if name in MEMBERS else {"DepotOpened"})


def test_results_are_shown_to_signers_parties_and_readers(scene: Scene) -> None:
    def codes(name: str, identity: str) -> set[str]:
        items = scene.ask(name, "/v1/messages").json()["items"]
        return {item["code"] for item in items if item["transaction"] == identity}

    assert {name for name in EVERYONE if codes(name, scene.sent)} == SEES_P1
    assert {name for name in EVERYONE if codes(name, scene.refused)} == SEES_REFUSED
    assert {name for name in EVERYONE if codes(name, scene.depot)} == set(EVERYONE)
    assert {name for name in EVERYONE if codes(name, scene.tariff)} == MEMBERS


def test_transactions_are_listed_to_who_sees_a_result(scene: Scene) -> None:
    def ids(name: str) -> set[str]:
        return {item["id"] for item in scene.ask(name, "/v1/transactions").json()["items"]}

    assert {name for name in EVERYONE if scene.sent in ids(name)} == SEES_P1
    assert {name for name in EVERYONE if scene.refused in ids(name)} == SEES_REFUSED
    assert {name for name in EVERYONE if scene.tariff in ids(name)} == MEMBERS
    assert {name for name in EVERYONE if scene.depot in ids(name)} == set(EVERYONE)


@pytest.mark.parametrize("address", ["/v1/transactions", "/v1/messages", "/v1/events"])
def test_lists_of_one_block_are_what_the_whole_list_has_of_it(scene: Scene, address: str) -> None:
    newest = scene.ask("ada", "/v1/status").json()["index_height"]
    for name in ("ada", "bea", "stranger"):
        items = scene.ask(name, f"{address}?limit=200").json()["items"]
        for height in range(newest + 2):
            of_block = scene.ask(name, f"{address}?height={height}").json()
            assert of_block["next"] is None
            assert of_block["items"] == [each for each in items if each["height"] == height]
    assert scene.ask("ada", f"{address}?height=x").status_code == 400


def test_a_status_has_words_for_who_sees_the_result_only(scene: Scene) -> None:
    for name in EVERYONE:
        status = scene.ask(name, f"/v1/transactions/{scene.refused}").json()
        (message,) = status["messages"]
        assert (status["state"], message["code"]) == ("committed", "parcels.too_heavy")
        assert bool(message["params"]) == (name in SEES_REFUSED)
        assert bool(message["sender"]) == (name in SEES_REFUSED)
        assert bool(message["text"]) == (name in SEES_REFUSED)


def test_the_signed_bytes_are_for_the_signers_side(scene: Scene) -> None:
    path = f"/v1/transactions/{scene.sent}/bytes"
    assert who(scene, path) == expect({"ada", "clerk"})


def test_a_receipt_is_for_who_sees_the_result_the_message_for_signers(scene: Scene) -> None:
    path = f"/v1/transactions/{scene.sent}/messages/0/receipt"
    assert who(scene, path) == expect(SEES_P1)
    for name in sorted(SEES_P1):
        receipt = scene.ask(name, path).json()
        assert (receipt["message"] is not None) == (name in {"ada", "clerk"})
        assert len(receipt["events"]) == 1


@pytest.mark.parametrize("missing", ["9", "1"])
def test_a_receipt_that_is_not_there_is_told_as_one_that_is_forbidden(
    scene: Scene, missing: str
) -> None:
    for identity in (scene.sent, "ab" * 32):
        path = f"/v1/transactions/{identity}/messages/{missing}/receipt"
        assert who(scene, path) == expect(set())


def test_the_kernels_memory_of_ids_is_nobodys_list(scene: Scene) -> None:
    for door in ("/v1/apps/ledger/seen", "/v1/proofs/ledger/seen/000000000002"):
        assert set(who(scene, door).values()) == {404}


def list_addresses(scene: Scene) -> list[str]:
    """Every address that might show the canary."""
    keys = ["parcel/p1", "parcel/p3", f"parcel/{CANARY}", "weighing/p1/1"]
    doors = ["apps", "history", "proofs"]
    addresses = [f"/v1/{door}/parcels/{key}" for door in doors for key in keys]
    addresses += [f"/v1/apps/parcels/{kind}" for kind in ("parcel", "weighing")]
    addresses += ["/v1/apps/parcels/parcel?prefix=p1", f"/v1/apps/parcels/parcel?note={CANARY}"]
    addresses += ["/v1/apps/parcels/tables/parcels", "/v1/apps/parcels/tables/parcels/totals"]
    addresses += ["/v1/apps/parcels/tables/parcels/totals?group_by=id"]
    addresses += ["/v1/messages", "/v1/messages?code=rejected", "/v1/events", "/v1/transactions"]
    for identity in (scene.sent, scene.refused):
        base = f"/v1/transactions/{identity}"
        addresses += [base, f"{base}/bytes", f"{base}/messages/0/receipt"]
    addresses += ["/v1/blocks", "/v1/status", "/v1/health", "/metrics", "/openapi.json", "/v1/apps"]
    return addresses


def encode_canary() -> list[bytes]:
    """The canary plainly, in hex, and in base64 at each of the three offsets."""
    raw = CANARY.encode()
    forms = [raw, raw.hex().encode()]
    for offset in range(3):
        encoded = base64.urlsafe_b64encode(b"x" * offset + raw)
        forms.append(encoded[(4 if offset else 0) : -4])
    return forms


@pytest.mark.parametrize("name", sorted(set(EVERYONE) - SEES_P1 - SEES_REFUSED))
def test_no_canary_reaches_who_is_no_party(scene: Scene, name: str) -> None:
    forms = encode_canary()
    for address in list_addresses(scene):
        answer = scene.ask(name, address)
        told = answer.content.replace(address.encode(), b"")
        assert not any(form in told for form in forms), address


def test_the_canary_is_found_where_it_may_be(scene: Scene) -> None:
    """The search itself works: plainly in the record, in base64 in the signed bytes."""
    forms = encode_canary()
    for address in ("/v1/apps/parcels/parcel/p1", f"/v1/transactions/{scene.sent}/bytes"):
        answer = scene.ask("ada", address)
        assert any(form in answer.content for form in forms)
