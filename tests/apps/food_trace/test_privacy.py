"""What is public says nothing of partners, orders or extensions (D8): canaries are looked for."""

from collections.abc import Iterator

from hansa.apps.food_trace import APPLICATION
from hansa.apps.food_trace.identifiers import element_of
from hansa.apps.food_trace.model import Capture
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.state import scan_records
from tests.apps.food_trace.league import APP, CUT, PIG, League, lot, one
from tests.privacy.test_canaries import disguise

SECRET_PARTY = "urn:epc:id:pgln:9529999.77777"
CANARIES = {
    "party": SECRET_PARTY,
    "party in element form": element_of(SECRET_PARTY),
    "order": "urn:epcglobal:cbv:bt:9529999000006:KANARIE-77",
    "extension": "Kanaria Vogelsang, Kanarienweg 77",
    "master data": "金絲雀先生",
    "device": "urn:epc:id:giai:9529999.kanarie",
}


def tell_all(league: League) -> None:
    """Events that carry every canary, their declaration, a refusal that names what it can."""
    secrets = {
        "sourceList": [{"type": "owning_party", "source": SECRET_PARTY}],
        "destinationList": [{"type": "owning_party", "destination": SECRET_PARTY}],
        "bizTransactionList": [{"type": "po", "bizTransaction": CANARIES["order"]}],
        "{http://example.com/ns}note": CANARIES["extension"],
        "sensorElementList": [
            {
                "sensorMetadata": {"deviceID": CANARIES["device"]},
                "sensorReport": [{"type": "Temperature", "value": 20, "uom": "CEL"}],
            }
        ],
    }
    league.limit("-", 4)
    master = {"ilmd": {"{http://example.com/ns}farmer": CANARIES["master data"]}}
    begun = league.object(
        [one(PIG, 1), (lot(CUT, "a"), 5)], action="ADD", step="commissioning", **secrets, **master
    )
    league.done("farm", begun)
    shipped = league.object(
        [(lot(CUT, "a"), 5)], step="shipping", disposition="returned", **secrets
    )
    league.done("farm", shipped)
    assert league.capture("farm", league.object([(lot(CUT, "a"), 5)], step="shipping", **secrets))
    league.done("retailer", league.object([(lot(CUT, "a"), 5)], step="receiving", **secrets))
    assert league.declare("farm", shipped) == "ok"


def list_public(league: League) -> Iterator[tuple[str, bytes]]:
    """Every public record and event, and every refusal."""
    for kind in APPLICATION.records:
        if kind.VISIBILITY == "public":
            for record in scan_records(league.chain.state, APP, kind, limit=1_000):
                yield kind.KIND, "/".join(record.key()).encode() + encode_canonical(record)
    public = {kind.__name__ for kind in APPLICATION.events if kind.VISIBILITY == "public"}
    for block in league.chain.results:
        for result in (*(each for r in block.results for each in r.messages), *block.deadlines):
            yield "refusal", repr(result.params).encode()
            for event in result.events:
                if event.type in public:
                    yield event.type, bytes(event.body)


def test_nothing_public_says_who_traded_with_whom() -> None:
    league = League()
    tell_all(league)
    found = list(list_public(league))
    assert {"step", "item", "flag", "EventCaptured", "ItemsFlagged"} <= {name for name, _ in found}
    for canary, text in CANARIES.items():
        for form, needle in disguise(text):
            for name, data in found:
                assert needle not in data, f"{canary} ({form}) in {name}"


def test_what_is_private_is_in_the_document_for_its_parties() -> None:
    league = League()
    tell_all(league)
    captures = scan_records(league.chain.state, APP, Capture, limit=9)
    assert all(CANARIES["order"] in each.document for each in captures)
    assert {each.parties() for each in captures} == {
        (league.did("farm"),),
        (league.did("retailer"),),
    }
