"""Every message of every application has a form that gives that message, and no other."""

import re
from typing import Any

import msgspec
import pytest

from hansa.appkit.schema import describe_application
from hansa.catalog import load_applications
from hansa.console.forms.control import (
    add_row,
    build_controls,
    fill_defaults,
    remove_row,
)
from hansa.console.forms.entry import read_form, type_body
from hansa.console.forms.faults import SENTENCES, Fault, find_path, guess_path
from hansa.console.forms.shape import Shape, derive_shape
from hansa.ledger.model import Message

DESCRIBED = {
    app.name: msgspec.json.decode(msgspec.json.encode(describe_application(app)))
    for app in load_applications()
}
TYPES = {
    (app.name, message.__name__): message for app in load_applications() for message in app.messages
}
MESSAGES = sorted(TYPES)
ENTERED = ("text", "long", "integer", "scaled", "date", "time", "span", "choice", "party")
# Texts of which one fits any pattern of the house.
TEXTS = (
    "a",
    "A1",
    "CN",
    "CNY",
    "did:hansa:" + "a" * 32,
    "a" * 40,
    "a" * 43,
    "0" * 64,
    "A" * 86,
    "contract:members",
    "4012345000054",
    "4012345",
    "https://example.org/",
    "2026-03-09",
    "1.0.0",
)


def shape_of(app: str, message: str) -> Shape:
    about = DESCRIBED[app]
    found = next(each for each in about["messages"] if each["name"] == message)
    return derive_shape(found["schema"], about["fields"])


def lookup(app: str, message: str) -> Shape | None:
    return shape_of(app, message) if (app, message) in TYPES else None


def make_value(shape: Shape, *, full: bool) -> Any:
    """A value of the shape; `full`: with everything that may be left out."""
    if shape.kind == "constant":
        return shape.value
    if shape.kind == "group":
        return {
            each.name: make_value(each, full=full)
            for each in shape.fields
            if each.kind != "constant" and (full or not each.has_default)
        }
    if shape.kind == "list":
        assert shape.item is not None
        least = max(shape.items_min, 1)
        return [make_value(shape.item, full=full) for _ in range(2 if full else least)][
            : shape.items_max
        ]
    if shape.kind == "several":
        return list(shape.options[:1])
    if shape.kind == "action":
        body = make_value(shape_of("members", "SuspendMember"), full=full)
        return {**body}
    if shape.kind == "json":
        return {"a": 1}
    return make_single(shape)


def make_single(shape: Shape) -> Any:
    if shape.kind == "flag":
        return True
    if shape.kind == "choice":
        return next(each for each in shape.options if each != "")
    if shape.kind in ("integer", "scaled", "time", "span"):
        return max(shape.low or 0, 0) + 7 if shape.high is None else min(shape.high, 60_007)
    if shape.meaning == "application":
        return "members"
    if shape.meaning == "message":
        return "SuspendMember"
    if shape.meaning == "date":
        return "2026-03-09"
    if shape.meaning == "scheme":
        return "0088"
    if shape.meaning == "identifier":
        return "4012345000054" if shape.unit or shape.scheme else "0088:4012345000054"
    for text in TEXTS:
        fits = len(text) >= shape.length_min and len(text) <= (shape.length_max or 999)
        if fits and (not shape.pattern or re.search(shape.pattern, text)):
            return text
    raise AssertionError(f"no text for {shape}")


@pytest.mark.parametrize(("app", "message"), MESSAGES)
@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("full", [False, True])
def test_what_is_typed_is_the_message(app: str, message: str, decimal: str, full: bool) -> None:
    shape = shape_of(app, message)
    body = make_value(shape, full=full)
    typed = type_typed(shape, body, decimal)
    read, faults = read_form(shape, typed, decimal=decimal, lookup=lookup)
    assert faults == []
    kind = TYPES[app, message]
    made: Message = msgspec.convert({"v": 1, **without_versions(read)}, kind)
    assert made == msgspec.convert({"v": 1, **body}, kind)


def test_the_message_in_a_proposal_has_its_defaults_written_out() -> None:
    """It is signed as it stands, and the ledger takes it in one form only (D1)."""
    key = {"alg": "EdDSA", "public": "A" * 43}
    body = {
        "name": "Crane",
        "jurisdiction": "HK",
        "key_id": "k1",
        "key": key,
        "possession": "A" * 86,
    }
    action = {"application": "members", "type": "AdmitMember", "body": body}
    shape = shape_of("governance", "Propose")
    typed = type_typed(shape, {"topic": "admission", "actions": [action]}, ".")
    read, faults = read_form(shape, typed, lookup=lookup)
    assert faults == []
    written = read["actions"][0]["body"]
    assert set(written) == {*body, "v", "identifiers"}
    assert written["identifiers"] == []


def type_typed(shape: Shape, body: dict[str, Any], decimal: str) -> dict[str, str]:
    """What a person types; bodies of actions by the form of their message."""
    typed = type_body(shape, body, decimal=decimal)
    for index, action in enumerate(body.get("actions", ())):
        path = f"actions.{index}.body"
        del typed[path]
        inner = type_body(shape_of(action["application"], action["type"]), action["body"])
        typed.update({f"{path}.{name}": text for name, text in inner.items()})
    return typed


def without_versions(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_versions(each) for name, each in value.items() if name != "v"}
    return [without_versions(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("app", "message"), MESSAGES)
def test_every_field_of_the_type_is_in_the_form(app: str, message: str) -> None:
    shape = shape_of(app, message)
    root = build_controls(shape, fill_defaults(shape, {}), lookup=lookup)
    shown = {control.path for control in root.walk()}
    fields = {field.name for field in msgspec.structs.fields(TYPES[app, message])}
    assert fields <= shown
    assert all(control.shape.kind != "json" for control in root.walk())
    ids = [control.id for control in root.walk()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(("app", "message"), MESSAGES)
def test_an_empty_form_says_what_is_needed_at_each_field(app: str, message: str) -> None:
    shape = shape_of(app, message)
    typed = fill_defaults(shape, {})
    _body, faults = read_form(shape, typed, lookup=lookup)
    root = build_controls(shape, typed, faults, lookup=lookup)
    placed = [fault for control in root.walk() for fault in control.faults]
    assert sorted(map(str, placed)) == sorted(map(str, faults))
    assert root.faults == ()
    needed = [
        control
        for control in root.walk()
        if control.is_needed and control.shape.kind in ENTERED and "." not in control.path
    ]
    assert {control.path for control in needed} <= {fault.path for fault in faults}
    assert all(fault.code in SENTENCES for fault in faults)


INVOICE = shape_of("e_invoice", "IssueInvoice")


def faults_of(shape: Shape, typed: dict[str, str], **options: Any) -> dict[str, str]:
    _body, faults = read_form(shape, typed, **options)
    return {fault.path: fault.code for fault in faults}


def test_amounts_are_exact_in_minor_units() -> None:
    shape = shape_of("e_invoice", "GrantQuota")
    typed = {
        "seller": "0088:4012345000054",
        "currency": "CNY",
        "amount": "1,234,567.89",
        "count": "1,000",
    }
    body, faults = read_form(shape, typed)
    assert faults == []
    assert (body["amount"], body["count"]) == (123456789, 1000)
    body, _faults = read_form(shape, {**typed, "amount": "1.234.567,89"}, decimal=",")
    assert body["amount"] == 123456789
    assert faults_of(shape, {**typed, "amount": "1.005"}) == {"amount": "decimals"}
    assert faults_of(shape, {**typed, "amount": "-1"}) == {"amount": "low"}


def test_rates_are_per_cent() -> None:
    typed = {"content.lines.0.rate_ppm": "13 %", "content.lines.0.id": "1"}
    body, _faults = read_form(INVOICE, typed)
    assert body["content"]["lines"][0]["rate_ppm"] == 130_000


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("0088:4012345000055", "check_digit"),
        ("0088:40123450000", "format"),
        ("CN-USCC:91350100M000100Y44", "check_digit"),
        ("GTIN:4012345111119", "check_digit"),
        ("SSCC:340123453111111114", "check_digit"),
    ],
)
def test_check_digits_are_judged_before_sending(value: str, code: str) -> None:
    assert faults_of(INVOICE, {"content.seller": value})["content.seller"] == code


def test_an_identifier_is_sent_in_its_one_spelling() -> None:
    typed = {"content.seller": " CN-USCC:91350100 m000100y43 "}
    body, _faults = read_form(INVOICE, typed)
    assert body["content"]["seller"] == "CN-USCC:91350100M000100Y43"
    shape = shape_of("e_invoice", "RegisterTaxpayer")
    body, _faults = read_form(shape, {"scheme": "0088", "value": "401 2345-000054"})
    assert body["value"] == "4012345000054"


def test_blank_rows_are_no_rows() -> None:
    typed = {
        "content.lines.__n": "3",
        "content.lines.1.id": "1",
        "content.lines.1.net": "5",
        "content.lines.1.category": "S",
        "content.lines.1.rate_ppm": "13",
    }
    body, _faults = read_form(INVOICE, typed)
    assert body["content"]["lines"] == [
        {"id": "1", "net": 500, "category": "S", "rate_ppm": 130_000}
    ]
    assert faults_of(INVOICE, {})["content.lines"] == "few"


def test_faults_stand_at_the_row_that_was_typed() -> None:
    typed = {"content.lines.__n": "2", "content.lines.1.net": "x", "content.lines.1.id": "1"}
    found = faults_of(INVOICE, typed)
    assert found["content.lines.1.net"] == "number"
    assert not any(path.startswith("content.lines.0") for path in found)


def test_a_row_taken_away_moves_the_others_up() -> None:
    typed = {f"a.{row}.b": str(row) for row in range(3)}
    assert remove_row(typed, "a", 1, 3) == {"a.0.b": "0", "a.1.b": "2", "a.__n": "2"}
    assert add_row(typed, "a", 3)["a.__n"] == "4"


def test_what_no_page_shows_is_refused() -> None:
    shape = shape_of("members", "SuspendMember")
    member = "did:hansa:" + "a" * 32
    assert faults_of(shape, {"member": member, "reason": "a\x07"}) == {"reason": "control"}
    assert faults_of(shape, {"member": "did:hansa:x", "reason": "a"}) == {"member": "did"}
    assert faults_of(shape, {"member.__other": member, "member": "", "reason": "a"}) == {}


def test_optional_values_left_blank_are_left_out() -> None:
    shape = shape_of("permissions", "GrantRole")
    typed = {"application": "e_invoice", "role": "seller", "holder": "did:hansa:" + "a" * 32}
    body, faults = read_form(shape, typed)
    assert faults == []
    assert set(body) == {"v", "application", "role", "holder"}
    body, faults = read_form(shape, {**typed, "until_ms": "2026-03-09T08:00"})
    assert body["until_ms"] == 1_773_014_400_000


def test_a_proposal_s_action_is_read_by_the_form_of_its_message() -> None:
    shape = shape_of("governance", "Propose")
    typed = {
        "topic": "budget",
        "actions.0.application": "quotas",
        "actions.0.type": "SetAllowance",
        "actions.0.body.member": "did:hansa:" + "a" * 32,
        "actions.0.body.units": "5,000",
    }
    body, faults = read_form(shape, typed, lookup=lookup)
    assert faults == []
    assert body["actions"][0]["body"]["units"] == 5000
    found = faults_of(shape, {**typed, "actions.0.type": "NoSuch"}, lookup=lookup)
    assert found == {"actions.0.body": "message"}


def test_the_api_s_refusals_find_their_field() -> None:
    assert find_path("$.content.lines[0].net") == "content.lines.0.net"
    paths = ["content", "content.number", "content.lines.0.net", "seller"]
    typed = {"content.number": "A1", "seller": "x"}
    assert guess_path(paths, typed, "e_invoice.number_used", {"number": "A1"}) == "content.number"
    assert guess_path(paths, typed, "e_invoice.field_invalid", {"field": "number"}) == (
        "content.number"
    )
    assert guess_path(paths, typed, "ledger.missing_role", {"role": "e_invoice.seller"}) == ""


def test_a_fault_of_no_field_is_at_the_top() -> None:
    shape = shape_of("e_invoice", "DeliverInvoice")
    root = build_controls(shape, {}, [Fault("", text="No."), Fault("nowhere", "needed")])
    assert [fault.text or fault.code for fault in root.faults] == ["No.", "needed"]


ATTACKS = ("<script>alert(1)</script>", "\u202e", "{{7*7}}", "'\"><img src=x onerror=alert(1)>")


@pytest.mark.parametrize(("app", "message"), MESSAGES)
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_every_field_is_text_or_a_fault(app: str, message: str, attack: str) -> None:
    shape = shape_of(app, message)
    typed = {
        control.path: attack
        for control in build_controls(shape, {}, lookup=lookup).walk()
        if control.shape.is_flat
    }
    body, _faults = read_form(shape, typed, lookup=lookup)
    msgspec.json.encode(body)
    root = build_controls(shape, typed, lookup=lookup)
    assert all(control.text in ("", attack) for control in root.walk())
