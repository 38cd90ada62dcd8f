"""A DID resolved from state by version, height and time, in few reads (A12)."""

from typing import Any

import pytest

from hansa.contracts.accounts.did_model import SetAgreementKey, SetService
from hansa.contracts.accounts.keys import KEYS_KEPT_MAX
from hansa.contracts.accounts.model import CloseAccount, RevokeKey
from hansa.contracts.accounts.profile import PastProfile
from hansa.contracts.accounts.resolution import list_versions, resolve_account
from hansa.identity.did_history import Asked, Version, find_version
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK
from hansa.testing.chain import Actor, Chain
from tests.contracts.league import (
    build_add_key,
    build_chain,
    build_open_account,
    build_replace_key,
)
from tests.contracts.test_account_promises import BOX, promise, use

ALMA, STAFF = Actor("alma"), Actor("staff")


@pytest.fixture
def chain() -> Chain:
    made = build_chain(ALMA)
    made.advance(60_000)
    send(made, ALMA, build_open_account(STAFF, ALMA))
    return made


def send(chain: Chain, actor: Actor, message: Message) -> None:
    result = chain.send(actor, "accounts", message)
    assert result.code == OK, (result.code, result.params)


def resolve(chain: Chain, **asked: Any) -> Any:
    return resolve_account(chain.state, STAFF.did, Asked(**asked), chain.height + 1)


def names(resolution: Any, relationship: str = "assertionMethod") -> list[str]:
    return [each.partition("#")[2] for each in resolution.document.get(relationship, [])]


def test_an_account_of_which_nothing_was_said_has_one_version(chain: Chain) -> None:
    found = resolve(chain)
    assert found.metadata["versionId"] == "1"
    assert names(found) == ["k1"]
    assert found.document["controller"] == ALMA.did
    assert resolve_account(chain.state, Actor("nobody").did, Asked(), 1) is None


def test_each_version_is_found_by_number_height_and_time(chain: Chain) -> None:
    marks = [(chain.height + 1, chain.time_ms)]
    for number in range(2, 8):
        chain.advance(1_000)
        send(
            chain,
            ALMA,
            build_replace_key(STAFF.did, ALMA.did, f"n{number}", f"k{number - 1}", f"k{number}"),
        )
        marks.append((chain.height + 1, chain.time_ms))
        chain.advance(1_000)
    for number, (height, time_ms) in enumerate(marks, start=1):
        for asked in (
            {"version": number},
            {"height": height},
            {"height": height + 1},
            {"time_ms": time_ms},
            {"time_ms": time_ms + 999},
        ):
            found = resolve(chain, **asked)
            assert found.metadata["versionId"] == str(number), asked
            assert names(found) == [f"k{number}"]
    assert resolve(chain, version=8) is None
    assert resolve(chain, version=0) is None
    assert resolve(chain, height=marks[0][0] - 1) is None
    assert resolve(chain, height=chain.height + 1).metadata["versionId"] == "7"
    assert resolve(chain, height=chain.height + 2) is None
    assert resolve(chain, time_ms=marks[0][1] - 1) is None
    assert [each.number for each in list_versions(chain.state, STAFF.did)] == [*range(1, 8)]
    assert resolve(chain, version=3).metadata["nextVersionId"] == "4"


def test_services_and_agreement_keys_stand_in_the_versions_that_had_them(chain: Chain) -> None:
    send(
        chain,
        STAFF,
        SetService(
            account=STAFF.did, id="files", type="LinkedDomains", endpoint="https://a.example/"
        ),
    )
    send(chain, STAFF, SetAgreementKey(account=STAFF.did, id="box", alg="X25519", public=BOX))
    found = resolve(chain)
    assert names(found, "keyAgreement") == ["agree.box"]
    assert found.document["service"] == [
        {
            "id": f"{STAFF.did}#service.files",
            "type": "LinkedDomains",
            "serviceEndpoint": "https://a.example/",
        }
    ]
    jwks = {each["id"]: each["publicKeyJwk"] for each in found.document["verificationMethod"]}
    assert jwks[f"{STAFF.did}#agree.box"] == {"kty": "OKP", "crv": "X25519", "x": BOX}
    second = resolve(chain, version=2).document
    assert "service" in second and "keyAgreement" not in second
    assert "service" not in resolve(chain, version=1).document


def test_a_closed_account_is_deactivated_and_its_past_is_still_told(chain: Chain) -> None:
    send(chain, ALMA, CloseAccount(account=STAFF.did, reason="left"))
    found = resolve(chain)
    assert found.deactivated and found.document["deactivated"] is True
    assert found.metadata["deactivated"] is True
    before = resolve(chain, version=1)
    assert not before.deactivated and names(before) == ["k1"]
    assert before.metadata["deactivated"] is True


def test_a_promise_is_told_and_its_key_follows(chain: Chain) -> None:
    send(chain, STAFF, promise(STAFF, "kept apart"))
    assert resolve(chain).metadata["hansa:nextKey"] == promise(STAFF, "kept apart").next_key
    send(chain, STAFF, use(STAFF, ALMA, "kept apart"))
    found = resolve(chain)
    assert "hansa:nextKey" not in found.metadata
    assert names(found) == ["n1"]


def test_keys_filed_long_ago_stand_in_the_versions_of_their_time(chain: Chain) -> None:
    for number in range(KEYS_KEPT_MAX + 2):
        shape: Any = {"purposes": ("assert",)}
        send(chain, STAFF, build_add_key(STAFF.did, ALMA.did, f"s{number}", f"s{number}", **shape))
        send(
            chain,
            STAFF,
            build_replace_key(STAFF.did, ALMA.did, f"t{number}", f"s{number}", f"t{number}"),
        )
        send(chain, STAFF, RevokeKey(account=STAFF.did, key_id=f"t{number}", reason="old"))
    found = resolve(chain, version=3)
    assert sorted(names(found)) == ["k1", "t0"]
    assert names(resolve(chain)) == ["k1"]


def test_a_version_is_found_in_few_reads_however_long_the_history() -> None:
    reads: list[int] = []

    def load(number: int) -> Version:
        reads.append(number)
        return Version(number, number * 10, number * 1_000)

    newest = Version(100_000, 1_000_000, 100_000_000)
    found = find_version(load, newest, Asked(time_ms=77_777_500))
    assert found is not None and found.number == 77_777
    assert len(reads) <= 18


def test_a_promise_alone_is_no_version(chain: Chain) -> None:
    send(chain, STAFF, promise(STAFF, "kept apart"))
    assert chain.get("accounts", PastProfile, STAFF.did, "00000001") is None
    assert resolve(chain).metadata["versionId"] == "1"
