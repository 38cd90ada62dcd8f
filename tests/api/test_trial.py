"""A trial says what a message would result in, to its sender alone, and leaves no trace."""

import msgspec
import pytest

from tests.api.league import ADA, CAI, CLERK, League
from tests.api.parcels import SendParcel

PATH = "/v1/apps/parcels/messages/SendParcel"


def _build(grams: int, id_: str = "trial") -> dict[str, object]:
    return {"id": id_, "other": CAI.did, "note": "n", "grams": grams}


def _ask(league: League, body: object, **params: object) -> tuple[int, dict[str, object]]:
    with league.client(ADA) as client:
        answer = client.post(PATH, json=body, params={"signer": ADA.kid, "trial": "true", **params})
    return answer.status_code, answer.json()


def test_it_is_what_the_ledger_would_say(league: League) -> None:
    height = league.node.height
    _status, good = _ask(league, _build(1_000))
    assert good["verdict"] == {
        "code": "ok",
        "params": {},
        "text": "",
        "rule": "",
        "remedy": "",
        "events": ["parcels.ParcelSent"],
    }
    _status, heavy = _ask(league, _build(10**9))
    verdict = heavy["verdict"]
    assert isinstance(verdict, dict)
    assert (verdict["code"], verdict["rule"]) == ("parcels.too_heavy", "P1")
    assert verdict["remedy"] == "Send two."
    identity = league.commit(ADA, SendParcel(id="trial-2", other=CAI.did, note="n", grams=10**9))
    really = league.node.status(identity).result
    assert really is not None
    assert (really.messages[0].code, really.messages[0].params["grams"]) == (
        verdict["code"],
        verdict["params"]["grams"],
    )
    assert league.node.height > height  # by the real one alone:
    with league.client(ADA) as client:
        assert client.get("/v1/apps/parcels/parcel/trial").status_code == 404


def test_it_names_a_key_that_no_longer_signs(league: League) -> None:
    with league.client(ADA) as client:
        answer = client.post(
            PATH, json=_build(1), params={"signer": f"{ADA.did}#gone", "trial": "true"}
        )
    assert (answer.status_code, answer.json()["code"]) == (400, "api.invalid_parameter")


@pytest.mark.parametrize("signer", [CAI.kid, CLERK.kid, ""])
def test_it_is_for_a_key_of_the_asker(league: League, signer: str) -> None:
    status, answer = _ask(league, _build(1), signer=signer)
    assert (status, answer["code"]) == (400, "api.invalid_parameter")


def test_strangers_have_no_trial(league: League) -> None:
    with league.client() as client:
        answer = client.post(PATH, json=_build(1), params={"signer": ADA.kid, "trial": "true"})
        plain = client.post(PATH, json=_build(1), params={"signer": ADA.kid})
    assert (answer.status_code, answer.json()["code"]) == (401, "api.sign_in_first")
    assert plain.json()["verdict"] is None


def test_nothing_of_it_is_kept(league: League) -> None:
    height = league.node.height
    for grams in (1, 10**9):
        _ask(league, _build(grams, "kept"))
    with league.client(ADA) as client:
        page = client.get("/v1/messages").json()
    assert "kept" not in msgspec.json.encode(page).decode()
    assert league.node.height == height
