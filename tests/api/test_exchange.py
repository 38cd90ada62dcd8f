"""No gateway hands out content without a grant: each way of trying, and what is left of it."""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from hansa.api.exchange import STALE_MS
from hansa.contracts.consents.model import (
    ACCESS_MS,
    Access,
    AccessLog,
    DeclareErasure,
    DeclareHolding,
    ReceiveContent,
    ReviewBreakGlass,
    WithdrawGrant,
    compute_head,
)
from hansa.encoding.text import encode_base64url
from hansa.ledger.state import get_record
from hansa.testing.chain import Actor
from hansa.vault.exchange import HandOver, compute_package_digest, unpack
from hansa.vault.sealing import OpeningKey
from tests.api.clinic import CONTENTS, KEY, ServedClinic, serve_clinic
from tests.contracts.clinic import (
    BANK,
    BLOOD,
    CITY,
    CLINIC,
    MEDIC,
    NAME,
    NURSE,
    PAT,
    QUINN,
    TELLER,
    WATCH,
    break_in,
    read,
)

pytestmark = pytest.mark.slow
EVERYONE: tuple[Actor | None, ...] = (
    None,
    PAT,
    QUINN,
    CLINIC,
    NURSE,
    BANK,
    TELLER,
    CITY,
    MEDIC,
    WATCH,
)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedClinic]:
    with serve_clinic(tmp_path_factory.mktemp("clinic")) as served:
        yield served


def ask(clinic: ServedClinic, actor: Actor | None, number: int | str, **headers: str) -> Any:
    with clinic.client(actor) as client:
        return client.get(f"/v1/exchange/{PAT.did}/{number}", headers=headers)


def get_access(clinic: ServedClinic, number: int) -> Access:
    found = get_record(clinic.node.state, "consents", Access, PAT.did, f"{number:09d}")
    assert found is not None
    return found


def open_answer(
    clinic: ServedClinic, number: int, answer: httpx.Response, key: OpeningKey = KEY
) -> dict[str, bytes]:
    """What a taker does: opens it against the access as the ledger has it."""
    access = get_access(clinic, number)
    hand_over = HandOver(
        chain=clinic.node.chain,
        subject=access.subject,
        number=access.number,
        contents=tuple((each.field, each.commitment) for each in access.handed),
        alg=access.seal_alg,
        key=access.seal_key,
    )
    assert answer.headers["hansa-package"] == compute_package_digest(answer.content)
    return unpack(answer.content, key, hand_over)


def expect(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    for content in CONTENTS.values():
        assert content not in answer.content


def test_the_taker_gets_what_was_recorded_and_nobody_else_anything(clinic: ServedClinic) -> None:
    number = clinic.read(clinic.give(), fields=(NAME, BLOOD))
    for actor in EVERYONE:
        answer = ask(clinic, actor, number)
        if actor in (BANK, TELLER):
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "no-store"
            assert open_answer(clinic, number, answer) == CONTENTS
            assert not any(content in answer.content for content in CONTENTS.values())
        elif actor is None:
            expect(answer, 401, "api.sign_in_first")
        else:
            expect(answer, 404, "api.not_found")


def test_sm2_where_the_law_asks(clinic: ServedClinic) -> None:
    key = OpeningKey.generate("SM2")
    public = encode_base64url(key.public)
    number = clinic.read(clinic.give(), seal_alg="SM2", seal_key=public)
    answer = ask(clinic, BANK, number)
    assert open_answer(clinic, number, answer, key) == {NAME: CONTENTS[NAME]}


@pytest.mark.parametrize(
    "number", ["0", "999999", "9999999999", "-1", "x", "1/2", "%2e%2e", f"{2**70}"]
)
def test_no_grant_no_content(clinic: ServedClinic, number: str) -> None:
    answer = ask(clinic, BANK, number)
    assert answer.status_code in (400, 404)
    assert "content" not in answer.headers.get("content-type", "")


@pytest.mark.parametrize("subject", ["nobody", "did:hansa:x", "..%2F..", "%00", PAT.did.upper()])
def test_no_subject_no_content(clinic: ServedClinic, subject: str) -> None:
    with clinic.client(BANK) as client:
        assert client.get(f"/v1/exchange/{subject}/1").status_code in (400, 404)


def count_accesses(clinic: ServedClinic) -> int:
    log = get_record(clinic.node.state, "consents", AccessLog, PAT.did)
    return 0 if log is None else log.accesses


@pytest.mark.parametrize(
    ("actor", "changes", "code"),
    [
        (CLINIC, {}, "consents.not_the_receiver"),
        (QUINN, {}, "consents.not_the_receiver"),
        (BANK, {"fields": ("diagnosis",)}, "consents.field_not_granted"),
        (BANK, {"purpose": "marketing"}, "consents.wrong_purpose"),
    ],
)
def test_what_the_ledger_refuses_leaves_nothing_to_ask_for(
    clinic: ServedClinic, actor: Actor, changes: dict[str, Any], code: str
) -> None:
    grant, before = clinic.give(), count_accesses(clinic)
    assert clinic.send(actor, read(grant, **changes))[0] == code
    assert count_accesses(clinic) == before
    expect(ask(clinic, actor, before + 1), 404, "api.not_found")


def test_used_up(clinic: ServedClinic) -> None:
    grant = clinic.give(uses_max=1)
    number = clinic.read(grant)
    assert ask(clinic, BANK, number).status_code == 200  # the last use counts
    assert clinic.send(BANK, read(grant))[0] == "consents.used_up"
    expect(ask(clinic, BANK, number + 1), 404, "api.not_found")


def test_withdrawn_before_it_was_fetched(clinic: ServedClinic) -> None:
    grant = clinic.give(uses_max=1)
    number = clinic.read(grant)
    clinic.commit(PAT, WithdrawGrant(grant=grant, reason="changed_mind"))
    expect(ask(clinic, BANK, number), 403, "exchange.withdrawn")
    assert clinic.send(BANK, read(grant))[0] == "consents.grant_over"


def test_expired_by_the_clock_though_no_block_said_so_yet(clinic: ServedClinic) -> None:
    until_ms = clinic.clock() + 300_000
    number = clinic.read(clinic.give(until_ms=until_ms))
    assert ask(clinic, BANK, number).status_code == 200
    clinic.late_ms = 300_001
    try:
        expect(ask(clinic, BANK, number), 403, "exchange.expired")
    finally:
        clinic.late_ms = 0


def test_a_gateway_that_knows_nothing_of_the_present_hands_out_nothing(
    clinic: ServedClinic,
) -> None:
    number = clinic.read(clinic.give())
    clinic.late_ms = STALE_MS + 60_000
    try:
        expect(ask(clinic, BANK, number), 503, "api.busy")
    finally:
        clinic.late_ms = 0


def test_a_replayed_request_gets_nothing_once_the_taker_signed(clinic: ServedClinic) -> None:
    grant = clinic.give()
    data = clinic.sign(BANK, read(grant, seal_alg=KEY.alg, seal_key=encode_base64url(KEY.public)))
    first = clinic.node.wait(clinic.node.submit(data), 30)
    number = count_accesses(clinic)
    answer = ask(clinic, BANK, number)
    # Cut off on the way, it may be asked for again: the same access, counted once.
    assert open_answer(clinic, number, ask(clinic, BANK, number)) == {NAME: CONTENTS[NAME]}
    again = clinic.node.wait(clinic.node.submit(data), 30)
    assert (first.id, count_accesses(clinic)) == (again.id, number)
    package = compute_package_digest(answer.content)
    receive = ReceiveContent(subject=PAT.did, number=number, package=package)
    clinic.commit(TELLER, receive)
    expect(ask(clinic, BANK, number), 403, "exchange.received")
    assert clinic.get_grant(grant).used == 1


def test_a_session_that_was_closed_gets_nothing(clinic: ServedClinic) -> None:
    number = clinic.read(clinic.give())
    with clinic.client(BANK) as client:
        path = f"/v1/exchange/{PAT.did}/{number}"
        assert client.get(path).status_code == 200
        assert client.delete("/v1/sessions/current").status_code == 204
        assert client.get(path).status_code == 401


def test_erased_on_the_ledger_or_in_the_vault(clinic: ServedClinic) -> None:
    first = clinic.hold("first")
    number = clinic.read(clinic.give(fields=("first",)), fields=("first",))
    clinic.commit(NURSE, DeclareErasure(subject=PAT.did, commitment=first, reason="asked_for"))
    expect(ask(clinic, BANK, number), 410, "exchange.erased")
    second = clinic.hold("second")
    number = clinic.read(clinic.give(fields=("second",)), fields=("second",))
    clinic.shelf.erase(clinic.shelf.find(second))
    expect(ask(clinic, BANK, number), 410, "exchange.erased")


def test_what_was_declared_but_not_placed_is_not_handed_out(clinic: ServedClinic) -> None:
    commitment = encode_base64url(clinic.vault.put(b"elsewhere").commitment)
    clinic.commit(NURSE, DeclareHolding(subject=PAT.did, field="loose", commitment=commitment))
    number = clinic.read(clinic.give(fields=("loose",)), fields=("loose",))
    expect(ask(clinic, BANK, number), 404, "exchange.not_placed")


def test_a_point_that_is_no_key_is_not_sealed_to(clinic: ServedClinic) -> None:
    """No access is recorded for what is no point of the curve, and no use is spent."""
    zero = read(clinic.give(), seal_alg="X25519", seal_key=encode_base64url(bytes(32)))
    assert clinic.send(BANK, zero)[0] == "consents.wrong_seal_key"


def test_anothers_gateway_has_nothing_to_hand_out(clinic: ServedClinic) -> None:
    held = DeclareHolding(subject=PAT.did, field=NAME, commitment=encode_base64url(bytes(32)))
    clinic.commit(CITY, held)
    number = clinic.read(clinic.give(controller=CITY.did))
    expect(ask(clinic, BANK, number), 404, "exchange.not_here")


def test_break_glass_opens_at_once_and_shows_in_the_log(clinic: ServedClinic) -> None:
    key = {"seal_alg": KEY.alg, "seal_key": encode_base64url(KEY.public)}
    access, loud = clinic.commit(MEDIC, break_in(**key))
    number = int(access["number"])
    answer = ask(clinic, MEDIC, number)
    assert open_answer(clinic, number, answer) == {BLOOD: CONTENTS[BLOOD]}
    expect(ask(clinic, CITY, number), 404, "api.not_found")
    assert loud["reason"] == "unconscious"
    with clinic.client(BANK) as client:  # any member hears of it, but not about whom
        events = client.get("/v1/events?limit=200").json()["items"]
        heard = [each["body"] for each in events if each["type"] == "BreakGlassUsed"]
        assert heard and PAT.did not in str(heard)
    with clinic.client(PAT) as client:
        entry = client.get(f"/v1/apps/consents/access/{PAT.did}/{number:09d}").json()
        assert entry["emergency"] == loud["emergency"]
    clinic.late_ms = ACCESS_MS
    try:
        expect(ask(clinic, MEDIC, number), 503, "api.busy")
    finally:
        clinic.late_ms = 0


def test_what_a_regulator_found_unjustified_is_handed_out_no_more(clinic: ServedClinic) -> None:
    key = {"seal_alg": KEY.alg, "seal_key": encode_base64url(KEY.public)}
    for verdict, status in (("justified", 200), ("unjustified", 403)):
        access, loud = clinic.commit(MEDIC, break_in(**key))
        number = int(access["number"])
        assert ask(clinic, MEDIC, number).status_code == 200
        clinic.commit(WATCH, ReviewBreakGlass(emergency=loud["emergency"], verdict=verdict))
        assert ask(clinic, MEDIC, number).status_code == status
    expect(ask(clinic, MEDIC, number), 403, "exchange.unjustified")


def test_the_subject_reads_its_whole_log_and_its_head_binds_it(clinic: ServedClinic) -> None:
    clinic.read(clinic.give())
    with clinic.client(PAT) as client:
        log = client.get(f"/v1/apps/consents/access_log/{PAT.did}").json()
        items, after = [], ""
        while True:
            page = client.get(
                f"/v1/apps/consents/access?prefix={PAT.did}&limit=200&after={after}"
            ).json()
            items += page["items"]
            after = page["next"]
            if not after:
                break
    head = ""
    for item in items:
        head = compute_head(head, msgspec.convert(item, type=Access))
    assert (len(items), head) == (log["accesses"], log["head"])
    for actor in (QUINN, CITY, BANK, CLINIC):
        with clinic.client(actor) as client:
            assert client.get(f"/v1/apps/consents/access_log/{PAT.did}").status_code == 404
    with clinic.client(WATCH) as client:  # the regulator of the clinic's jurisdiction
        assert client.get(f"/v1/apps/consents/access/{PAT.did}/000000001").status_code == 200


def test_the_log_and_each_entry_are_proved(clinic: ServedClinic) -> None:
    number = clinic.read(clinic.give())
    with clinic.client(PAT) as client:
        for key in (f"access_log/{PAT.did}", f"access/{PAT.did}/{number:09d}"):
            answer = client.get(f"/v1/proofs/consents/{key}")
            assert answer.status_code == 200, answer.text
        absent = client.get(f"/v1/proofs/consents/access/{PAT.did}/{number + 1:09d}")
        assert absent.status_code == 200


def test_members_see_no_grants_of_others(clinic: ServedClinic) -> None:
    grant = clinic.give()
    seen = set()
    for actor in EVERYONE:
        with clinic.client(actor) as client:
            if client.get(f"/v1/apps/consents/data_grant/{grant}").status_code == 200:
                seen.add(actor)
    assert seen == {PAT, CLINIC, NURSE, BANK, TELLER, WATCH}
