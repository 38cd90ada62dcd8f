"""What applications say of themselves beyond their types agrees with their types."""

from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
from msgspec import inspect

from hansa.appkit.application import Application
from hansa.appkit.meaning import FieldMeaning, Lifecycle, find_meaning
from hansa.appkit.schema import describe_application
from hansa.catalog import load_applications

APPLICATIONS = load_applications()
LIFECYCLES = [(app, cycle) for app in APPLICATIONS for cycle in app.lifecycles]


def _name_cycle(value: Any) -> str:
    if isinstance(value, Lifecycle):
        return f"{value.record.KIND}.{value.field}"
    return str(value.name)


def _collect_names(app: Application) -> set[str]:
    """`field` and `Type.field` of messages, records, events, all that is in them, and tables."""
    names: set[str] = set()
    infos = inspect.multi_type_info([*app.messages, *app.records, *app.events])
    waiting: list[Any] = list(infos)
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, inspect.StructType):
            for field in kind.fields:
                names |= {field.name, f"{kind.cls.__name__}.{field.name}"}
                waiting.append(field.type)
        for name in ("type", "item_type"):
            waiting.extend([getattr(kind, name)] if hasattr(kind, name) else [])
        waiting.extend(getattr(kind, "types", ()))
    for table in app.tables:
        names |= {f"{table.name}.{column.name}" for column in table.columns}
        names |= {column.name for column in table.columns}
    return names


@pytest.mark.parametrize("app", APPLICATIONS, ids=lambda app: app.name)
def test_meanings_are_of_fields_that_exist(app: Application) -> None:
    names = _collect_names(app)
    assert [field.name for field in app.fields if field.name not in names] == []


@pytest.mark.parametrize("app", APPLICATIONS, ids=lambda app: app.name)
def test_a_field_has_one_meaning(app: Application) -> None:
    names = [field.name for field in app.fields]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("app", APPLICATIONS, ids=lambda app: app.name)
def test_fields_that_name_a_record_name_a_kind_there_is(app: Application) -> None:
    kinds = {f"{each.name}/{record.KIND}" for each in APPLICATIONS for record in each.records}
    named = {field.record for field in app.fields if field.record}
    full = {name if "/" in name else f"{app.name}/{name}" for name in named}
    assert full <= kinds


@pytest.mark.parametrize(("app", "cycle"), LIFECYCLES, ids=_name_cycle)
def test_a_life_cycle_names_messages_of_its_application(app: Application, cycle: Lifecycle) -> None:
    messages = {message.__name__ for message in app.messages}
    assert {each.message for each in cycle.transitions} <= messages


@pytest.mark.parametrize(("app", "cycle"), LIFECYCLES, ids=_name_cycle)
def test_every_state_of_a_life_cycle_is_reached(app: Application, cycle: Lifecycle) -> None:
    reached = {each.target for each in cycle.transitions}
    sources = {state for each in cycle.transitions for state in each.sources}
    begins = {each.target for each in cycle.transitions if not each.sources} or {cycle.states[0]}
    assert reached | begins == set(cycle.states)
    assert sources <= set(cycle.states)


@pytest.mark.parametrize(("app", "cycle"), LIFECYCLES, ids=_name_cycle)
def test_states_are_those_of_the_type(app: Application, cycle: Lifecycle) -> None:
    type_ = get_type_hints(cycle.record)[cycle.field]
    if get_origin(type_) is not None and all(isinstance(each, str) for each in get_args(type_)):
        assert set(get_args(type_)) == set(cycle.states)
    else:  # a mark: empty or not
        assert len(cycle.states) == 2


def test_a_type_s_own_meaning_goes_before_that_of_the_name() -> None:
    fields = (FieldMeaning("amount", "amount", scale=2), FieldMeaning("Weight.amount", "decimal"))
    assert find_meaning(fields, "Weight", "amount") == fields[1]
    assert find_meaning(fields, "Other", "amount") == fields[0]
    assert find_meaning(fields, "Other", "name") is None


def test_the_description_is_plain_data_with_tables_and_life_cycles() -> None:
    described = describe_application(next(app for app in APPLICATIONS if app.name == "e_invoice"))
    about = msgspec.json.decode(msgspec.json.encode(described))
    table = next(each for each in about["tables"] if each["name"] == "invoices")
    assert table["record"] == "invoice"
    assert table["unit"] == "currency"
    assert {"name": "due", "type": "integer"} in table["columns"]
    cycle = next(each for each in about["lifecycles"] if each["field"] == "status")
    assert {"message": "ArchiveInvoice", "sources": ["POSTED"], "target": "ARCHIVED"} in cycle[
        "transitions"
    ]
