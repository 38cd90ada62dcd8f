"""Every rule and refusal of food_trace, named for the rule that it holds."""

import pytest

from hansa.apps.food_trace.contract.manifest import (
    EVENT_ITEMS_MAX,
    FLAGS_MAX,
    NEST_MAX,
    SHIPMENTS_MAX,
    TRANSIT_MS,
    WALK_MAX,
)
from hansa.apps.food_trace.identifiers import element_of
from hansa.apps.food_trace.model import Capture, Load, Stay, Transformation
from hansa.apps.food_trace.model import messages as m
from hansa.apps.food_trace.model.trail import compute_head, compute_step_digest
from tests.apps.food_trace.league import (
    APP,
    CARCASS,
    CARTON,
    CUT,
    GLN,
    HOUR_MS,
    PIG,
    PREFIX,
    SAUSAGE,
    League,
    kind,
    lot,
    one,
    pallet,
    product_of,
    spell,
)


@pytest.fixture
def league() -> League:
    return League()


# -- I1 -----------------------------------------------------------------------------------------


def test_i1_an_object_is_commissioned_once(league: League) -> None:
    first = league.begin("farm", one(PIG, 1))
    again = league.object([one(PIG, 1)], action="ADD", step="commissioning")
    assert league.capture("farm", again) == "already_made"
    assert league.params["event"] == element_of(first["eventID"])


def test_i1_the_output_of_a_transformation_is_commissioned_by_it(league: League) -> None:
    league.make("slaughterhouse", [one(PIG, 1)], [one(CARCASS, 1)])
    again = league.making([one(PIG, 2)], [one(CARCASS, 1)])
    assert league.capture("slaughterhouse", again) == "already_made"


def test_i1_a_lot_may_be_made_in_several_events(league: League) -> None:
    league.begin("farm", (lot(PIG, "a"), 100))
    league.begin("farm", (lot(PIG, "a"), 50.5))
    (account,) = league.item(lot(PIG, "a")).accounts
    assert (account.made, account.scale, account.uom) == (1505, 1, "KGM")


def test_i1_nothing_happens_to_an_object_after_its_end(league: League) -> None:
    league.begin("farm", one(CUT, 1))
    ended = league.object([one(CUT, 1)], action="DELETE", step="destroying")
    league.done("processor", ended)
    at = league.chain.time_ms
    assert league.capture("carrier", league.object([one(CUT, 1)], at=at)) == "already_ended"
    assert league.capture("carrier", league.packing(pallet(1), [one(CUT, 1)])) == "already_ended"
    league.observe("carrier", one(CUT, 1), at=at - 2_000)
    again = league.object([one(CUT, 1)], action="DELETE", step="destroying", at=at - 2_000)
    assert league.capture("processor", again) == "already_ended"


def test_i1_an_object_does_not_end_before_its_last_event(league: League) -> None:
    league.begin("farm", one(CUT, 1))
    at = league.chain.time_ms
    league.observe("carrier", one(CUT, 1), at=at)
    ended = league.object([one(CUT, 1)], action="DELETE", step="destroying", at=at - 1)
    assert league.capture("processor", ended) == "seen_later"


def test_i1_what_was_observed_first_comes_from_outside_and_may_be_commissioned(
    league: League,
) -> None:
    league.observe("carrier", one(CUT, 1))
    assert league.item(one(CUT, 1)).commissioned == ""
    league.begin("farm", one(CUT, 1))
    assert league.item(one(CUT, 1)).commissioned != ""


# -- I2 -----------------------------------------------------------------------------------------


def test_i2_an_object_is_in_one_parent_at_a_time(league: League) -> None:
    league.pack("carrier", pallet(1), one(CUT, 1))
    assert league.capture("carrier", league.packing(pallet(2), [one(CUT, 1)])) == "already_packed"
    out = league.packing(pallet(2), [one(CUT, 1)], action="DELETE", step="unpacking")
    assert league.capture("carrier", out) == "not_packed"
    league.pack("carrier", pallet(1), one(CUT, 1), action="DELETE", step="unpacking")
    league.pack("carrier", pallet(2), one(CUT, 1))
    assert league.item(one(CUT, 1)).parent == element_of(pallet(2))
    assert league.item(pallet(1)).children == 0


def test_i2_an_object_is_not_put_in_again_and_of_a_lot_there_may_be_more(league: League) -> None:
    league.pack("carrier", pallet(1), one(CUT, 1), (lot(CUT, "a"), 5))
    assert league.capture("carrier", league.packing(pallet(1), [one(CUT, 1)])) == "already_packed"
    more = league.pack("carrier", pallet(1), (lot(CUT, "a"), 5))
    assert league.item(pallet(1)).children == 2
    assert league.declare("carrier", more) == "ok"
    stay = league.chain.get(APP, Stay, element_of(lot(CUT, "a")), element_of(pallet(1)))
    assert stay is not None
    assert stay.until_ms is None


def test_i2_taking_out_without_children_empties_the_parent(league: League) -> None:
    league.pack("carrier", pallet(1), one(CUT, 1), one(CUT, 2), (lot(CUT, "a"), 10))
    league.pack("carrier", pallet(1), action="DELETE", step="unpacking")
    assert league.chain.get(APP, Load, element_of(pallet(1))) is None
    assert {league.item(one(CUT, n)).parent for n in (1, 2)} == {""}
    stay = league.chain.get(APP, Stay, element_of(lot(CUT, "a")), element_of(pallet(1)))
    assert stay is not None
    assert stay.until_ms is not None


def test_i2_what_was_packed_outside_may_be_taken_out(league: League) -> None:
    league.pack("carrier", pallet(1), one(CUT, 1), action="DELETE", step="unpacking")
    assert league.item(one(CUT, 1)).parent == ""


def test_i2_packing_is_in_the_order_of_event_times(league: League) -> None:
    at = league.chain.time_ms
    league.pack("carrier", pallet(1), one(CUT, 1), at=at)
    early = league.packing(pallet(1), [one(CUT, 1)], action="DELETE", at=at - 1)
    assert league.capture("carrier", early) == "packed_later"
    league.pack("carrier", pallet(1), one(CUT, 1), action="DELETE", at=at + 500)
    assert (
        league.capture("carrier", league.packing(pallet(2), [one(CUT, 1)], at=at + 400))
        == "packed_later"
    )


def test_i2_a_lot_may_be_in_many_parents(league: League) -> None:
    league.pack("carrier", pallet(1), (lot(CUT, "a"), 10))
    league.pack("carrier", pallet(2), (lot(CUT, "a"), 10))
    assert league.item(lot(CUT, "a")).stays == 2


def test_i2_association_is_no_packing(league: League) -> None:
    for parent in (pallet(1), pallet(2)):
        event = league.packing(parent, [one(CUT, 1)], step="installing")
        league.done("carrier", {**event, "type": "AssociationEvent"})
    assert league.item(one(CUT, 1)).parent == ""


# -- I3 -----------------------------------------------------------------------------------------


def test_i3_no_more_comes_out_than_goes_in(league: League) -> None:
    league.make("processor", [(lot(CUT, "a"), 100)], [(lot(SAUSAGE, "b"), 100)])
    more = league.making([(lot(CUT, "a"), 100)], [(lot(SAUSAGE, "c"), 100.001)])
    assert league.capture("processor", more) == "unbalanced"
    assert league.params == {"given": "100", "out": "100.001", "uom": "KGM"}


def test_i3_grams_and_kilograms_are_one_unit(league: League) -> None:
    league.make("processor", [(lot(CUT, "a"), 2, "KGM")], [(lot(SAUSAGE, "b"), 2_000, "GRM")])
    more = league.making([(lot(CUT, "a"), 2, "KGM")], [(lot(SAUSAGE, "c"), 2_001, "GRM")])
    assert league.capture("processor", more) == "unbalanced"


def test_i3_each_unit_is_judged_where_an_input_is_given_in_it(league: League) -> None:
    league.make("processor", [(lot(CUT, "a"), 1, "LTR")], [(lot(SAUSAGE, "b"), 9, "KGM")])
    league.make("slaughterhouse", [one(PIG, 1)], [(lot(CARCASS, "b"), 90), one(CARCASS, 2)])
    league.make("processor", [(lot(CUT, "a"), 3, "")], [(lot(SAUSAGE, "c"), 300, "")])


def test_i3_a_declared_yield_is_the_members_own_and_for_its_product(league: League) -> None:
    more = league.making([(lot(CUT, "a"), 100)], [(lot(SAUSAGE, "b"), 120)])
    declare = m.DeclareYield(product=product_of(lot(SAUSAGE, "b")), ppm=1_200_000)
    league.must("processor-hk", declare)
    assert league.capture("processor", more) == "unbalanced"
    league.must("processor", declare)
    league.done("processor", more)
    other = league.making([(lot(CUT, "a"), 100)], [(lot(CARTON, "b"), 120)])
    assert league.capture("processor", other) == "unbalanced"
    assert league.violations() == []


def test_i3_yields_of_several_products_add_up_exactly(league: League) -> None:
    for product, ppm in ((SAUSAGE, 1_500_000), (CARTON, 3_000_000)):
        league.must("processor", m.DeclareYield(product=product_of(lot(product, 1)), ppm=ppm))
    both = [(lot(SAUSAGE, "b"), 15), (lot(CARTON, "b"), 30)]
    league.make("processor", [(lot(CUT, "a"), 20)], both)
    over = [(lot(SAUSAGE, "c"), 15), (lot(CARTON, "c"), 30.001)]
    assert league.capture("processor", league.making([(lot(CUT, "a"), 20)], over)) == "unbalanced"


def test_i3_a_yield_has_a_limit_and_a_product(league: League) -> None:
    product = product_of(lot(SAUSAGE, "b"))
    over = m.DeclareYield(product=product, ppm=3_000_001)
    assert league.send("processor", over) == "yield_too_high"
    wrong = m.DeclareYield(product="01.1234", ppm=1)
    assert league.send("processor", wrong) == "limits_invalid"
    bad_digit = m.DeclareYield(product=product[:-1] + str((int(product[-1]) + 1) % 10), ppm=1)
    assert league.send("processor", bad_digit) == "limits_invalid"
    assert league.send("retailer", m.DeclareYield(product=product, ppm=1)).endswith("missing_role")


def test_i3_events_of_one_transformation_are_balanced_together(league: League) -> None:
    name = {"transformationID": "urn:epc:id:gdti:9521000.00001.400"}
    league.make("processor", [(lot(CUT, "a"), 60)], [], **name)
    league.make("processor", [(lot(CUT, "b"), 40)], [], **name)
    league.make("processor", [], [(lot(SAUSAGE, "c"), 100)], **name)
    assert league.capture("processor", league.making([], [(lot(SAUSAGE, "d"), 1)], **name)) == (
        "unbalanced"
    )
    other = league.making([(lot(CUT, "a"), 60)], [], **name)
    assert league.capture("processor-hk", other) == "not_the_party"
    key = "#" + element_of(name["transformationID"])
    record = league.chain.get(APP, Transformation, key)
    assert record is not None
    assert [each.item for each in record.inputs] == [element_of(lot(CUT, n)) for n in "ab"]
    assert league.item(lot(SAUSAGE, "c")).sources == (key,)


def test_i3_a_lot_is_not_used_beyond_what_was_made(league: League) -> None:
    league.begin("farm", (lot(CUT, "a"), 100))
    league.make("processor", [(lot(CUT, "a"), 99.5)], [(lot(SAUSAGE, "b"), 50)])
    over = league.making([(lot(CUT, "a"), 600, "GRM")], [(lot(SAUSAGE, "c"), 100, "GRM")])
    assert league.capture("processor", over) == "used_beyond_made"
    gone = league.object([(lot(CUT, "a"), 0.6)], action="DELETE", step="destroying")
    assert league.capture("processor", gone) == "used_beyond_made"
    league.begin("farm", (lot(CUT, "a"), 0.1))
    league.done("processor", gone)
    assert league.violations() == []


def test_i3_a_lot_from_outside_or_of_unknown_amount_is_not_judged(league: League) -> None:
    league.make("processor", [(lot(CUT, "a"), 100)], [(lot(SAUSAGE, "b"), None)])
    league.make("processor", [(lot(SAUSAGE, "b"), 500)], [(lot(CARTON, "c"), 400)])


def test_i3_a_lot_that_was_used_before_is_not_begun_too_small(league: League) -> None:
    league.make("processor", [(lot(CUT, "a"), 100)], [(lot(SAUSAGE, "b"), 100)])
    small = league.object([(lot(CUT, "a"), 99)], action="ADD", step="commissioning")
    assert league.capture("farm", small) == "used_beyond_made"


# -- I4 -----------------------------------------------------------------------------------------


def test_i4_nothing_is_made_of_itself(league: League) -> None:
    circle = league.making([(lot(CUT, "a"), 10)], [(lot(CUT, "a"), 5)])
    assert league.capture("processor", circle) == "circular"
    league.make("processor", [(lot(CUT, "a"), 10)], [(lot(SAUSAGE, "b"), 5)])
    league.make("processor", [(lot(SAUSAGE, "b"), 5)], [(lot(CARTON, "c"), 5)])
    back = league.making([(lot(CARTON, "c"), 5)], [(lot(CUT, "a"), 1)])
    assert league.capture("processor", back) == "circular"
    league.make("processor", [(lot(CARTON, "c"), 1)], [(lot(SAUSAGE, "d"), 1)])


def test_i4_a_later_input_of_one_transformation_closes_no_circle(league: League) -> None:
    name = {"transformationID": "urn:example:batch-1"}
    league.make("processor", [(lot(CUT, "a"), 10)], [(lot(SAUSAGE, "b"), 5)], **name)
    league.make("processor", [(lot(SAUSAGE, "b"), 5)], [(lot(CARTON, "c"), 5)])
    back = league.making([(lot(CARTON, "c"), 5)], [], **name)
    assert league.capture("processor", back) == "circular"


def test_i4_a_class_without_a_lot_has_no_lineage(league: League) -> None:
    league.make("processor", [(kind(CUT), 10)], [(kind(SAUSAGE), 5)])
    league.make("processor", [(kind(SAUSAGE), 10)], [(kind(CUT), 5)])
    assert league.item(kind(CUT)).sources == ()


def test_i4_nothing_is_in_itself(league: League) -> None:
    league.pack("carrier", pallet(1), pallet(2))
    assert league.capture("carrier", league.packing(pallet(2), [pallet(1)])) == "inside_itself"
    assert league.capture("carrier", league.packing(pallet(3), [pallet(3)])) == "inside_itself"
    for number in range(2, NEST_MAX + 1):
        league.pack("carrier", pallet(number), pallet(number + 1))
    league.pack("carrier", pallet(NEST_MAX + 1), pallet(NEST_MAX + 2))
    deep = league.packing(pallet(NEST_MAX + 2), [one(CUT, 1)])
    assert league.capture("carrier", deep) == "inside_itself"


# -- I5, I6, I7 ---------------------------------------------------------------------------------


def test_i5_nothing_is_captured_before_it_happened(league: League) -> None:
    league.observe("farm", one(PIG, 1), at=league.chain.time_ms + 1_000)
    future = league.object([one(PIG, 1)], at=league.chain.time_ms + 1_001)
    assert league.capture("farm", future) == "in_the_future"
    assert league.params == {"ahead_ms": 1, "field": "eventTime"}


def test_i5_nothing_is_declared_before_it_was_declared(league: League) -> None:
    event = league.observe("farm", one(PIG, 1))
    declared = league.in_error(event)
    declared["errorDeclaration"]["declarationTime"] = "2099-01-01T00:00:00Z"
    assert league.capture("farm", declared) == "in_the_future"


def test_i6_the_same_again_is_already_captured_and_another_is_refused(league: League) -> None:
    event = league.begin("farm", one(PIG, 1))
    assert league.capture("farm", event) == "already_captured"
    assert league.params["number"] == 1
    assert league.capture("farm", {**event, "disposition": "active"}) == "event_changed"


def test_i6_the_same_in_another_spelling_is_already_captured(league: League) -> None:
    """As JSON and XML write it: another order in a list, a number or a time written otherwise."""
    event = league.begin("farm", one(PIG, 1), one(PIG, 2))
    turned = {**event, "epcList": event["epcList"][::-1]}
    assert turned != event
    assert league.capture("farm", turned) == "already_captured"
    fewer = {**event, "epcList": event["epcList"][:1]}
    assert league.capture("farm", fewer) == "event_changed"


def test_i6_a_declaration_marks_its_event_and_both_stay(league: League) -> None:
    event = league.begin("farm", one(PIG, 1))
    assert league.declare("farm", event) == "ok"
    step = league.step_of(event)
    key = step.event + "#error"
    assert (step.withdrawn, step.declares) == (key, "")
    declaration = league.chain.get(APP, Capture, key)
    assert declaration is not None
    assert league.item(one(PIG, 1)).commissioned == ""
    assert league.item(one(PIG, 1)).steps == 2
    assert league.declare("farm", event, "other_reason") == "event_changed"
    league.begin("farm", one(PIG, 1))
    assert league.violations() == []


def test_i6_only_who_captured_an_event_declares_it_and_repeats_it(league: League) -> None:
    event = league.begin("farm", one(PIG, 1))
    assert league.declare("processor", event) == "not_the_party"
    assert league.declare("farm", {**event, "bizStep": "other"}) == "declaration_differs"


def test_i6_a_declaration_may_come_before_its_event_which_then_does_nothing(
    league: League,
) -> None:
    event = league.object([one(PIG, 1)], action="ADD", step="commissioning")
    assert league.declare("farm", event) == "ok"
    league.done("farm", event)
    assert league.item(one(PIG, 1)).commissioned == ""
    assert league.step_of(event).withdrawn == league.step_of(event).event + "#error"
    assert league.violations() == []


def test_i6_what_was_used_is_not_taken_back(league: League) -> None:
    begun = league.begin("farm", (lot(CUT, "a"), 100))
    made = league.make("processor", [(lot(CUT, "a"), 80)], [(lot(SAUSAGE, "b"), 80)])
    more = league.begin("farm", (lot(CUT, "a"), 100))
    assert league.declare("farm", begun) == "ok"
    assert league.declare("farm", more) == "still_needed"
    assert league.declare("processor", made) == "ok"
    assert league.declare("farm", more) == "ok"
    assert league.chain.get(APP, Transformation, league.step_of(made).event) is None
    assert league.violations() == []


def test_i6_an_end_that_was_in_error_is_taken_back(league: League) -> None:
    league.begin("farm", one(CUT, 1), (lot(CUT, "a"), 10))
    gone = league.object([one(CUT, 1), (lot(CUT, "a"), 10)], action="DELETE", step="destroying")
    league.done("farm", gone)
    assert league.declare("farm", gone) == "ok"
    league.observe("farm", one(CUT, 1))
    assert league.item(lot(CUT, "a")).accounts[0].used == 0
    assert league.violations() == []


def test_i6_packing_that_was_in_error_is_taken_back_last_first(league: League) -> None:
    first = league.pack("carrier", pallet(1), one(CUT, 1), (lot(CUT, "a"), 5))
    out = league.pack("carrier", pallet(1), one(CUT, 1), action="DELETE", step="unpacking")
    again = league.pack("carrier", pallet(1), one(CUT, 1))
    assert league.declare("carrier", first) == "still_needed"
    assert league.declare("carrier", again) == "ok"
    assert league.item(one(CUT, 1)).parent == ""
    assert league.violations() == []
    league.pack("carrier", pallet(2), one(CUT, 1))
    assert league.declare("carrier", out) == "still_needed"


def test_i6_taking_out_in_error_leaves_the_children_inside(league: League) -> None:
    first = league.pack("carrier", pallet(1), one(CUT, 1), (lot(CUT, "a"), 5))
    before = (league.item(one(CUT, 1)).parent, league.item(one(CUT, 1)).packed_ms)
    out = league.pack("carrier", pallet(1), action="DELETE", step="unpacking")
    assert league.declare("carrier", first) == "still_needed"
    assert league.declare("carrier", out) == "ok"
    assert (league.item(one(CUT, 1)).parent, league.item(one(CUT, 1)).packed_ms) == before
    assert league.item(pallet(1)).children == 2
    assert league.violations() == []
    assert league.declare("carrier", first) == "ok"
    assert league.item(one(CUT, 1)).stays == 0
    assert league.violations() == []


def test_i6_a_child_is_not_put_back_into_what_is_in_it_now(league: League) -> None:
    league.pack("carrier", pallet(1), pallet(2))
    out = league.pack("carrier", pallet(1), pallet(2), action="DELETE")
    league.pack("carrier", pallet(2), pallet(1))
    assert league.declare("carrier", out) == "still_needed"


def test_i6_one_event_of_a_shared_transformation_is_taken_back(league: League) -> None:
    name = {"transformationID": "urn:example:batch-1"}
    first = league.make("processor", [(lot(CUT, "a"), 60)], [(lot(SAUSAGE, "c"), 10)], **name)
    league.make("processor", [(lot(CUT, "b"), 40)], [(lot(SAUSAGE, "c"), 40)], **name)
    second = league.make("processor", [], [(lot(SAUSAGE, "c"), 50)], **name)
    assert league.declare("processor", first) == "unbalanced"
    assert league.declare("processor", second) == "ok"
    assert league.declare("processor", first) == "ok"
    assert league.item(lot(SAUSAGE, "c")).makings == 1
    assert league.item(lot(SAUSAGE, "c")).sources != ()
    assert league.violations() == []


def test_i6_the_head_of_an_item_is_over_all_its_steps(league: League) -> None:
    events = [league.begin("farm", one(PIG, 1)), league.observe("farm", one(PIG, 1))]
    head = ""
    for event in events:
        head = compute_head(head, compute_step_digest(league.step_of(event)))
    assert (league.item(one(PIG, 1)).head, league.item(one(PIG, 1)).steps) == (head, 2)


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("https://id.gs1.org/01/09506000134353/21/1", "bad_check_digit"),
        ("https://id.gs1.org/00/340123453111111116", "bad_check_digit"),
        ("urn:epc:id:sgtin:9521000.1.1", "bad_identifier"),
        ("no uri at all", "invalid_event"),
    ],
)
def test_i7_a_wrong_key_is_refused(league: League, uri: str, code: str) -> None:
    assert league.capture("carrier", league.object([uri])) == code


def test_i7_a_place_with_a_wrong_check_digit_is_not_registered(league: League) -> None:
    wrong = m.RegisterSite(gln="9521000000019", member=league.did("farm"), name="F", town="T")
    assert league.send("regulator-cn", wrong) == "bad_check_digit"


def test_a_document_that_is_not_normal_is_refused(league: League) -> None:
    event = league.object([one(PIG, 1)])
    spaced = m.CaptureEvent(document=spell(event).replace(",", ", ", 1))
    assert league.send("farm", spaced) == "invalid_event"


# -- I8 -----------------------------------------------------------------------------------------


def test_i8_a_shipment_is_received(league: League) -> None:
    event = league.object([one(CUT, 1), (lot(CUT, "a"), 10)], step="shipping")
    league.done("farm", event)
    assert league.shipment(event).status == "IN_TRANSIT"
    league.receive("retailer", one(CUT, 1), (lot(CUT, "a"), 4_000, "GRM"))
    (left,) = league.shipment(event).left
    assert (left.amount, left.scale, left.uom) == (6, 0, "KGM")
    league.receive("retailer", (lot(CUT, "a"), 6))
    assert league.shipment(event).status == "RECEIVED"
    assert league.item(lot(CUT, "a")).shipments == ()
    league.pass_time(TRANSIT_MS + 1)
    assert league.shipment(event).status == "RECEIVED"
    assert league.violations() == []


def test_i8_a_shipment_that_is_not_received_in_time_is_overdue(league: League) -> None:
    event = league.object([one(CUT, 1)], step="shipping")
    league.done("farm", event)
    league.pass_time(TRANSIT_MS - 1)
    assert league.shipment(event).status == "IN_TRANSIT"
    league.pass_time(1)
    assert league.shipment(event).status == "OVERDUE"
    league.receive("retailer", one(CUT, 1))
    assert league.shipment(event).status == "RECEIVED"


def test_i8_what_is_missing_is_stopped_until_it_is_found(league: League) -> None:
    event = league.object([one(CUT, 1), one(CUT, 2)], step="shipping")
    league.done("farm", event)
    league.receive("retailer", one(CUT, 2))
    missing = m.ReportMissing(shipment=league.shipment(event).id)
    assert league.send("outsider", missing) == "not_the_party"
    league.must("retailer", missing)
    assert league.send("farm", missing) == "not_under_way"
    assert league.ship("retailer", one(CUT, 2)) == "ok"
    assert league.ship("retailer", one(CUT, 1)) == "stopped"
    assert league.params["kind"] == "missing"
    league.receive("retailer", one(CUT, 1))
    assert league.shipment(event).status == "RECEIVED"
    assert league.ship("retailer", one(CUT, 1)) == "ok"
    assert league.violations() == []


def test_i8_a_pallet_brings_what_is_in_it(league: League) -> None:
    league.pack("farm", pallet(1), one(CUT, 1))
    event = league.packing(pallet(1), [one(CUT, 1)], action="OBSERVE", step="shipping")
    league.done("farm", event)
    assert [each.item for each in league.shipment(event).portions] == [element_of(pallet(1))]
    league.pack("retailer", pallet(1), one(CUT, 1), action="OBSERVE", step="receiving")
    assert league.shipment(event).status == "RECEIVED"


def test_i8_of_several_shipments_of_a_lot_the_one_with_the_same_order_is_settled(
    league: League,
) -> None:
    def order(number: int) -> dict[str, object]:
        transaction = {"type": "po", "bizTransaction": f"urn:epcglobal:cbv:bt:9521:{number}"}
        return {"bizTransactionList": [transaction]}

    first = league.object([(lot(CUT, "a"), 10)], step="shipping", **order(1))
    second = league.object([(lot(CUT, "a"), 10)], step="shipping", **order(2))
    league.done("farm", first)
    league.done("farm", second)
    league.receive("retailer", (lot(CUT, "a"), 10), **order(2))
    assert (league.shipment(first).status, league.shipment(second).status) == (
        "IN_TRANSIT",
        "RECEIVED",
    )
    league.receive("retailer", (lot(CUT, "a"), None))
    assert league.shipment(first).status == "RECEIVED"


def test_i8_what_somebody_ships_on_has_arrived(league: League) -> None:
    first = league.object([one(CUT, 1)], step="shipping")
    league.done("farm", first)
    assert league.ship("carrier", one(CUT, 1)) == "ok"
    assert league.shipment(first).status == "RECEIVED"


def test_i8_a_shipment_is_voided_by_its_sender(league: League) -> None:
    event = league.object([one(CUT, 1)], step="shipping")
    league.done("farm", event)
    league.observe("carrier", one(CUT, 1), step="void_shipping")
    assert league.shipment(event).status == "IN_TRANSIT"
    league.observe("farm", one(CUT, 1), step="void_shipping")
    assert league.shipment(event).status == "WITHDRAWN"
    assert league.violations() == []


def test_i8_shipping_and_receiving_in_error_are_taken_back(league: League) -> None:
    event = league.object([one(CUT, 1)], step="shipping")
    league.done("farm", event)
    received = league.receive("retailer", one(CUT, 1))
    assert league.declare("retailer", received) == "ok"
    assert league.shipment(event).status == "IN_TRANSIT"
    assert league.item(one(CUT, 1)).shipments == (league.shipment(event).id,)
    assert league.violations() == []
    received = league.receive("retailer", one(CUT, 1))
    league.pass_time(TRANSIT_MS)
    assert league.declare("retailer", received) == "ok"
    assert league.shipment(event).status == "OVERDUE"
    assert league.declare("farm", event) == "ok"
    assert league.shipment(event).status == "WITHDRAWN"
    assert league.violations() == []


# -- I9 -----------------------------------------------------------------------------------------


def test_i9_a_reading_outside_the_limits_stops_the_item(league: League) -> None:
    league.limit(product_of(one(CUT, 1)), 4, 0)
    for celsius in (4, 0, 2.5):
        league.observe("carrier", one(CUT, 1), celsius=celsius)
    assert league.ship("carrier", one(CUT, 1)) == "ok"
    for celsius in (4.1, -0.01):
        warm = league.observe("carrier", one(CUT, 2), celsius=celsius)
        assert league.step_of(warm).excursion
    assert league.ship("carrier", one(CUT, 2)) == "stopped"
    sell = league.object([one(CUT, 2)], step="retail_selling")
    assert league.capture("retailer", sell) == "stopped"
    assert league.capture("processor", league.making([one(CUT, 2)], [one(SAUSAGE, 1)])) == "stopped"


def test_i9_limits_are_of_a_place_and_a_product_or_any(league: League) -> None:
    league.limit("-", 8)
    league.limit(product_of(one(CUT, 1)), 4)
    league.observe("carrier", one(CUT, 1), one(PIG, 1), celsius=6)
    assert league.ship("carrier", one(PIG, 1)) == "ok"
    assert league.ship("carrier", one(CUT, 1)) == "stopped"
    league.observe("cold_store", one(CUT, 3), celsius=60)  # in Hong Kong, where none is set
    assert league.ship("carrier", one(CUT, 3)) == "ok"


def test_i9_fahrenheit_is_compared_and_nonsense_is_not(league: League) -> None:
    league.limit(product_of(one(CUT, 1)), 4)

    def measure(uom: str, value: float) -> str:
        report = {"type": "Temperature", "uom": uom, "value": value}
        return league.capture(
            "carrier",
            league.object([one(CUT, 1)], sensorElementList=[{"sensorReport": [report]}]),
        )

    assert measure("FAH", 39.2) == "ok"
    assert measure("KEL", 277.15) == "ok"
    assert league.item(one(CUT, 1)).flags == ()
    assert measure("KGM", 3) == "wrong_unit"
    assert measure("FAH", 39.3) == "ok"
    assert len(league.item(one(CUT, 1)).flags) == 1


def test_i9_whatever_was_made_of_it_is_stopped_when_used(league: League) -> None:
    league.limit(product_of(one(PIG, 1)), 4)
    league.begin("farm", (lot(PIG, "a"), 100))
    league.make("slaughterhouse", [(lot(PIG, "a"), 50)], [(lot(CARCASS, "b"), 40)])
    league.make("processor", [(lot(CARCASS, "b"), 40)], [one(SAUSAGE, 1), one(SAUSAGE, 2)])
    assert league.ship("processor", one(SAUSAGE, 1)) == "ok"
    league.observe("farm", (lot(PIG, "a"), None), celsius=20)
    assert league.ship("wholesaler", one(SAUSAGE, 1)) == "stopped"
    assert league.params["origin"] == element_of(lot(PIG, "a"))
    sell = league.object([one(SAUSAGE, 2)], step="retail_selling")
    assert league.capture("retailer", sell) == "stopped"
    assert league.clear("regulator-hk", lot(PIG, "a")).endswith("missing_role")
    assert league.clear("regulator-cn", lot(PIG, "a")) == "ok"
    league.done("retailer", sell)
    assert league.clear("regulator-cn", lot(PIG, "a"), 1) == "not_open"
    assert league.violations() == []


def test_i9_a_released_item_is_free_of_what_is_above_and_its_sources_are_not(
    league: League,
) -> None:
    league.limit(product_of(one(PIG, 1)), 4)
    league.make("slaughterhouse", [(lot(PIG, "a"), 50)], [(lot(CUT, "b"), 20), (lot(CUT, "c"), 20)])
    league.make("processor", [(lot(CUT, "b"), 20)], [one(SAUSAGE, 1)])
    league.observe("farm", (lot(PIG, "a"), None), celsius=20)
    assert league.release("regulator-hk", lot(CUT, "b")).endswith("missing_role")
    assert league.release("regulator-cn", lot(CUT, "b")) == "ok"
    assert league.release("regulator-cn", lot(CUT, "b")) == "nothing_to_release"
    assert league.ship("processor", one(SAUSAGE, 1)) == "ok"
    assert league.ship("processor", (lot(CUT, "c"), 1)) == "stopped"
    league.observe("farm", (lot(PIG, "a"), None), celsius=30)
    assert league.ship("processor", one(SAUSAGE, 1)) == "stopped"
    assert league.violations() == []


def test_i9_a_warm_pallet_is_judged_by_what_is_in_it_and_stops_that(league: League) -> None:
    league.limit(product_of(one(CUT, 1)), 4)
    at = league.chain.time_ms - 10 * HOUR_MS
    league.pack("carrier", pallet(1), one(CUT, 1), one(SAUSAGE, 1), at=at)
    league.observe("carrier", pallet(1), celsius=9, at=at + HOUR_MS)
    assert league.ship("carrier", pallet(1)) == "stopped"
    league.pack("carrier", pallet(1), action="DELETE", at=at + 2 * HOUR_MS)
    assert league.ship("carrier", one(CUT, 1)) == "stopped"
    assert league.ship("carrier", one(SAUSAGE, 1)) == "ok"
    league.pack("carrier", pallet(1), one(CUT, 2), at=at + 3 * HOUR_MS)
    league.pack("carrier", pallet(1), one(CUT, 2), action="DELETE", at=at + 4 * HOUR_MS)
    assert league.ship("carrier", one(CUT, 2)) == "ok"
    assert league.violations() == []


def test_i9_a_late_reading_reaches_what_has_left_since(league: League) -> None:
    league.limit(product_of(one(CUT, 1)), 4)
    at = league.chain.time_ms - 10 * HOUR_MS
    league.pack("carrier", pallet(2), pallet(1), at=at)
    league.pack("carrier", pallet(1), one(CUT, 1), at=at)
    league.pack("carrier", pallet(1), one(CUT, 1), action="DELETE", at=at + 2 * HOUR_MS)
    assert league.ship("carrier", one(CUT, 1)) == "ok"
    league.limit("-", 4)
    league.observe("carrier", pallet(2), celsius=9, at=at + HOUR_MS)
    assert league.ship("wholesaler", one(CUT, 1)) == "stopped"


def test_i9_a_pallet_with_something_stopped_in_it_is_not_shipped(league: League) -> None:
    league.limit(product_of(one(CUT, 1)), 4)
    league.pack("carrier", pallet(1), pallet(2), one(CUT, 9))
    league.observe("carrier", one(CUT, 1), celsius=9)
    assert league.ship("carrier", pallet(1)) == "ok"
    league.pack("carrier", pallet(2), one(CUT, 1))
    assert league.ship("carrier", pallet(1)) == "stopped"
    assert league.violations() == []


def test_i9_what_is_put_into_a_stopped_pallet_is_looked_at_again(league: League) -> None:
    league.limit("-", 4)
    at = league.chain.time_ms
    league.observe("carrier", pallet(1), celsius=9, at=at)
    assert league.ship("carrier", one(CUT, 1)) == "ok"
    league.pack("carrier", pallet(1), one(CUT, 1), at=at - 1)
    assert league.ship("wholesaler", one(CUT, 1)) == "stopped"


def test_i9_what_goes_away_may_be_shipped(league: League) -> None:
    league.limit(product_of(one(CUT, 1)), 4)
    league.observe("carrier", one(CUT, 1), celsius=9)
    assert league.ship("carrier", one(CUT, 1), disposition="returned") == "ok"
    assert league.ship("carrier", one(CUT, 1)) == "stopped"


def test_i9_further_excursions_extend_the_flag(league: League) -> None:
    league.limit(product_of(one(CUT, 1)), 4)
    for _ in range(3):
        league.observe("carrier", one(CUT, 1), celsius=9)
    (number,) = league.item(one(CUT, 1)).flags
    assert number == 3
    assert league.violations() == []


def test_i9_an_excursion_that_was_in_error_is_cleared_by_the_regulator_alone(
    league: League,
) -> None:
    league.limit(product_of(one(CUT, 1)), 4)
    warm = league.observe("carrier", one(CUT, 1), celsius=9)
    assert league.declare("carrier", warm) == "ok"
    assert league.ship("carrier", one(CUT, 1)) == "stopped"
    assert league.clear("regulator-cn", one(CUT, 1)) == "ok"
    assert league.ship("carrier", one(CUT, 1)) == "ok"


def test_i9_a_class_without_a_lot_is_not_flagged(league: League) -> None:
    league.limit(product_of(one(CUT, 1)), 4)
    warm = league.observe("carrier", (kind(CUT), 5), celsius=9)
    assert league.step_of(warm).excursion
    assert league.ship("carrier", (kind(CUT), 5)) == "ok"


def test_i9_a_pallet_is_judged_by_the_classes_in_it_too(league: League) -> None:
    league.limit(product_of(one(CUT, 1)), 4)
    league.pack("carrier", pallet(1), (kind(CUT), 10, ""))
    league.observe("carrier", pallet(1), celsius=3)
    assert league.ship("carrier", pallet(1)) == "ok"
    league.observe("carrier", pallet(1), celsius=9)
    assert league.ship("wholesaler", pallet(1)) == "stopped"
    assert league.ship("wholesaler", (kind(CUT), 10, "")) == "ok"
    assert league.violations() == []
    league.clear("regulator-cn", pallet(1))
    league.pack("carrier", pallet(1), (kind(CUT), 10, ""), action="DELETE")
    league.observe("carrier", pallet(1), celsius=9)
    assert league.ship("wholesaler", pallet(1)) == "ok"


def test_i9_a_pallet_of_many_warm_products_has_one_flag_for_all(league: League) -> None:
    league.limit("-", 4)
    league.pack("carrier", pallet(1), *(one(number, 1) for number in range(1, 11)))
    league.observe("carrier", pallet(1), celsius=9)
    assert len(league.item(pallet(1)).flags) == 1
    assert league.ship("carrier", one(7, 1)) == "stopped"


def test_i9_limits_name_a_product_and_bounds_in_order(league: League) -> None:
    limits = {"jurisdiction": "CN", "sensor": "Temperature", "uom": "CEL", "scale": 0}
    product = product_of(one(CUT, 1))
    for wrong in (
        {"product": product, "low": 5, "high": 4},
        {"product": product, "low": None, "high": None},
        {"product": "pork", "low": None, "high": 4},
    ):
        assert league.send("regulator-cn", m.SetLimits(**limits, **wrong)) == "limits_invalid"
    right = m.SetLimits(**limits, product=product, low=None, high=4)
    assert league.send("regulator-hk", right).endswith("missing_role")


# -- I10 ----------------------------------------------------------------------------------------


def test_i10_a_recall_reaches_whatever_was_made_of_the_items(league: League) -> None:
    league.begin("farm", (lot(PIG, "a"), 100))
    league.make("slaughterhouse", [(lot(PIG, "a"), 50)], [(lot(CUT, "b"), 40)])
    assert league.recall("processor", "R1", lot(PIG, "a")) == "not_the_party"
    assert league.recall("regulator-hk", "R1", lot(PIG, "a")) == "ok"
    assert league.recall("regulator-hk", "R1", lot(PIG, "a")) == "already_reported"
    assert league.ship("slaughterhouse", (lot(CUT, "b"), 5)) == "recalled"
    assert league.params["source"] == "R1"
    assert league.clear("regulator-hk", lot(PIG, "a")) == "not_open"
    close = m.CloseRecall(recall="R1", outcome="completed")
    assert league.send("regulator-cn", close).endswith("missing_role")
    league.must("regulator-hk", close)
    assert league.send("regulator-hk", close) == "not_open"
    assert league.ship("slaughterhouse", (lot(CUT, "b"), 5)) == "ok"
    assert league.violations() == []


def test_i10_what_nobody_can_trace_is_not_recalled(league: League) -> None:
    league.observe("carrier", (kind(CUT), 5, ""))
    assert league.recall("regulator-cn", "R1", kind(CUT)) == "not_traced"
    assert league.report("laboratory", "L1", kind(CUT)) == "not_traced"
    assert league.recall("regulator-cn", "R1", one(CUT, 1)).endswith("no_such_record")


def test_i10_who_made_the_items_recalls_its_own(league: League) -> None:
    league.begin("farm", one(PIG, 1))
    assert league.recall("farm", "R1", one(PIG, 1), one(PIG, 1)) == "ok"
    assert league.ship("farm", one(PIG, 1)) == "recalled"
    league.must("farm", m.CloseRecall(recall="R1", outcome="withdrawn"))
    assert league.ship("farm", one(PIG, 1)) == "ok"


def test_i10_a_recalled_pallet_reaches_what_was_ever_in_it(league: League) -> None:
    league.pack("carrier", pallet(1), one(CUT, 1))
    league.pack("carrier", pallet(1), one(CUT, 1), action="DELETE")
    assert league.recall("regulator-cn", "R1", pallet(1)) == "ok"
    assert league.ship("carrier", one(CUT, 1)) == "recalled"


def test_i10_a_failed_test_stops_and_a_passed_one_does_not(league: League) -> None:
    league.begin("farm", one(PIG, 1))
    assert league.report("farm", "L0", one(PIG, 1)).endswith("missing_role")
    assert league.report("laboratory", "L1", one(PIG, 1), "pass") == "ok"
    assert league.ship("farm", one(PIG, 1)) == "ok"
    assert league.report("laboratory", "L1", one(PIG, 1)) == "already_reported"
    assert league.report("laboratory", "L2", one(PIG, 1)) == "ok"
    assert league.ship("carrier", one(PIG, 1)) == "stopped"
    late = m.ReportResult(
        result="L3",
        item=element_of(one(PIG, 1)),
        test="t",
        verdict="pass",
        sampled_ms=league.chain.time_ms + 2_000,
        commitment="A" * 43,
    )
    assert league.send("laboratory", late) == "in_the_future"
    assert league.report("laboratory", "L4", one(PIG, 77)).endswith("no_such_record")


# -- who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "act", "code"),
    [
        ("farm", "commission", "ok"),
        ("carrier", "commission", "not_allowed"),
        ("retailer", "commission", "not_allowed"),
        ("laboratory", "commission", "not_allowed"),
        ("regulator-cn", "commission", "not_allowed"),
        ("outsider", "commission", "not_allowed"),
        ("carrier", "number a pallet", "ok"),
        ("processor", "transform", "ok"),
        ("wholesaler", "transform", "not_allowed"),
        ("slaughterhouse", "kill", "ok"),
        ("farm", "kill", "not_allowed"),
        ("retailer", "sell", "ok"),
        ("wholesaler", "sell", "not_allowed"),
        ("retailer", "sell and end", "ok"),
        ("carrier", "end", "not_allowed"),
        ("cold_store", "end", "ok"),
        ("carrier", "ship", "ok"),
        ("laboratory", "ship", "not_allowed"),
        ("laboratory", "receive", "ok"),
        ("laboratory", "inspect", "ok"),
        ("regulator-mo", "inspect", "ok"),
        ("regulator-mo", "receive", "not_allowed"),
        ("outsider", "inspect", "not_allowed"),
        ("cold_store", "pack", "ok"),
        ("regulator-cn", "pack", "not_allowed"),
        ("regulator-cn", "pack while inspecting", "not_allowed"),
        ("citizen", "inspect", "not_an_organisation"),
    ],
)
def test_who_may_capture_what(league: League, who: str, act: str, code: str) -> None:
    event = {
        "commission": league.object([one(PIG, 1)], action="ADD", step="commissioning"),
        "number a pallet": league.object([pallet(1)], action="ADD", step="commissioning"),
        "transform": league.making([one(PIG, 1)], [one(CARCASS, 1)]),
        "kill": league.object([one(PIG, 1)], step="killing"),
        "sell": league.object([one(PIG, 1)], step="retail_selling"),
        "sell and end": league.object([one(PIG, 1)], action="DELETE", step="retail_selling"),
        "end": league.object([one(PIG, 1)], action="DELETE", step="destroying"),
        "ship": league.object([one(PIG, 1)], step="shipping"),
        "receive": league.object([one(PIG, 1)], step="receiving"),
        "inspect": league.object([one(PIG, 1)], step="inspecting"),
        "pack": league.packing(pallet(1), [one(PIG, 1)]),
        "pack while inspecting": league.packing(pallet(1), [one(PIG, 1)], step="inspecting"),
    }[act]
    assert league.capture(who, event) == code


def test_a_role_counts_only_where_the_member_is(league: League) -> None:
    assert league.chain.has_role(APP, "retailer", league.did("retailer"), "HK")
    assert not league.chain.has_role(APP, "retailer", league.did("retailer"), "CN")


def test_only_the_owner_of_a_company_prefix_makes_items_under_it(league: League) -> None:
    register = m.RegisterTrader(prefix=PREFIX, member=league.did("farm"))
    assert league.send("regulator-hk", register).endswith("missing_role")
    league.must("regulator-cn", register)
    assert league.send("regulator-cn", register) == "already_registered"
    within = m.RegisterTrader(prefix=PREFIX + "0", member=league.did("processor"))
    assert league.send("regulator-cn", within) == "already_registered"
    league.begin("farm", one(PIG, 1))
    event = league.object([one(PIG, 2)], action="ADD", step="commissioning")
    assert league.capture("processor", event) == "foreign_prefix"
    made = league.making([one(PIG, 1)], [one(CUT, 1)])
    assert league.capture("processor", made) == "foreign_prefix"
    league.must("regulator-cn", m.RegisterTrader(prefix=PREFIX, member=league.did("processor")))
    league.done("processor", event)


def test_whose_place_is_named_may_read_the_document(league: League) -> None:
    site = m.RegisterSite(gln=GLN, member=league.did("retailer-mo"), name="Shop", town="Macao")
    assert league.send("regulator-cn", site).endswith("missing_role")
    league.must("regulator-mo", site)
    assert league.send("regulator-mo", site) == "already_registered"
    event = league.observe("carrier", one(CUT, 1))
    capture = league.chain.get(APP, Capture, league.step_of(event).event)
    assert capture is not None
    assert capture.parties() == (league.did("carrier"), league.did("retailer-mo"))


# -- bounds -------------------------------------------------------------------------------------


def test_an_event_has_at_most_so_many_items(league: League) -> None:
    most = [one(CUT, number) for number in range(EVENT_ITEMS_MAX)]
    assert league.capture("carrier", league.object([*most, one(PIG, 1)])) == "too_many"


def test_an_item_has_at_most_so_many_flags(league: League) -> None:
    league.begin("farm", one(PIG, 1))
    for number in range(FLAGS_MAX):
        assert league.report("laboratory", f"L{number}", one(PIG, 1)) == "ok"
    assert league.report("laboratory", "L", one(PIG, 1)) == "too_many"


def test_a_lot_is_in_at_most_so_many_shipments(league: League) -> None:
    for _ in range(SHIPMENTS_MAX):
        assert league.ship("farm", (lot(CUT, "a"), 1)) == "ok"
    assert league.ship("farm", (lot(CUT, "a"), 1)) == "too_many"


def test_a_long_lineage_is_judged_piece_by_piece(league: League) -> None:
    parts = []
    for part in "abc":
        pigs = [(lot(PIG, f"{part}{number}"), 1) for number in range(WALK_MAX * 9 // 20)]
        league.make("slaughterhouse", pigs, [(lot(CUT, part), 10)])
        parts.append((lot(CUT, part), 10))
    league.make("processor", parts, [one(SAUSAGE, 1)])
    league.begin("farm", one(PIG, 1))
    league.report("laboratory", "L", one(PIG, 1))
    assert league.ship("processor", one(SAUSAGE, 1)) == "lineage_too_long"
    check = m.CheckLineage(item=element_of(one(SAUSAGE, 1)))
    league.must("outsider", check)
    assert league.ship("processor", one(SAUSAGE, 1)) == "ok"


def test_a_full_pallet_is_looked_through_at_once(league: League) -> None:
    league.begin("farm", one(PIG, 1))
    league.report("laboratory", "L", one(PIG, 1))
    league.pack("carrier", pallet(1), *(one(CARTON, n) for n in range(EVENT_ITEMS_MAX - 1)))
    assert league.ship("carrier", pallet(1)) == "ok"
