"""Identifiers that records can have: those that the contract writes, and no mistyped ones."""

import pytest

from hansa.apps.food_trace.model import RECORDS, Flag, Item, Stay, Transformation
from hansa.apps.food_trace.model import messages as m
from hansa.apps.food_trace.model.registers import Limits, Site
from hansa.ledger.state import scan_records
from tests.apps.food_trace.league import (
    APP,
    CUT,
    GLN,
    PREFIX,
    SAUSAGE,
    League,
    lot,
    one,
    pallet,
    product_of,
)


def test_every_record_stands_under_an_identifier_of_its_kind() -> None:
    league = League()
    league.limit("-", 9)
    league.limit(product_of(one(CUT, 1)), 4)
    league.must(
        "regulator-cn", m.RegisterSite(gln=GLN, member=league.did("farm"), name="F", town="T")
    )
    league.must("regulator-cn", m.RegisterTrader(prefix=PREFIX, member=league.did("processor")))
    yields = m.DeclareYield(product=product_of(one(CUT, 1)), ppm=1_000_000)
    league.must("processor", yields)
    begun = league.begin("processor", one(CUT, 1), "urn:example:odd/thing?x=1")
    league.declare("processor", begun)
    league.pack("carrier", pallet(1), one(CUT, 1), (lot(CUT, "L/1.a"), 5))
    league.make("processor", [one(CUT, 2)], [one(SAUSAGE, 1)], transformationID="urn:example:b")
    league.make("processor", [one(CUT, 3)], [one(SAUSAGE, 2)])
    assert league.ship("carrier", pallet(1)) == "ok"
    league.observe("carrier", pallet(1), celsius=20)
    league.report("laboratory", "L1", one(CUT, 1))
    league.recall("regulator-cn", "R1", one(CUT, 1))
    for kind in RECORDS:
        found = scan_records(league.chain.state, APP, kind, limit=1_000)
        assert found, kind
        for record in found:
            assert kind.is_key(record.key()), record.key()


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        (Item, ("01.09521000000018",)),
        (Item, ("01.09521000000018.10.a",)),
        (Item, ("00.095210000000000018",)),
        (Item, ("~urn:example:x",)),
        (Item, ("8004.4012345AAbb",)),
        (Stay, ("01.09521000000018.21.1", "00.095210000000000018")),
        (Flag, ("01.09521000000018.10.a", "3")),
        (Transformation, ("#253.9521000000018400",)),
        (Limits, ("CN", "-", "Temperature")),
        (Site, (GLN,)),
    ],
)
def test_right_identifiers_are_known(kind: type[Item], parts: tuple[str, ...]) -> None:
    assert kind.is_key(parts)


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        (Item, ("01.09521000000019",)),
        (Item, ("01.9521000000018",)),
        (Item, ("00.095210000000000019",)),
        (Item, ("01.09521000000018.11.a",)),
        (Item, ("urn:epc:id:sgtin:1.2.3",)),
        (Stay, ("01.09521000000018.21.1", "00.095210000000000019")),
        (Stay, ("01.09521000000018.21.1",)),
        (Flag, ("01.09521000000018.10.a", "03")),
        (Limits, ("CN", "01.09521000000019", "Temperature")),
        (Site, ("9521000000019",)),
    ],
)
def test_mistyped_identifiers_are_impossible(kind: type[Item], parts: tuple[str, ...]) -> None:
    assert not kind.is_key(parts)
