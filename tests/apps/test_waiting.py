"""What applications say waits for somebody names tables, columns, roles and messages that exist."""

import pytest

from hansa.appkit.application import Application
from hansa.appkit.waiting import Waiting
from hansa.catalog import load_applications

ENTRIES = [(app, each) for app in load_applications() for each in app.waiting]


@pytest.mark.parametrize(("app", "waiting"), ENTRIES, ids=lambda each: getattr(each, "name", ""))
def test_what_waits_can_be_asked_for(app: Application, waiting: Waiting) -> None:
    table = next(each for each in app.tables if each.name == waiting.table)
    columns = {each.name for each in table.columns}
    assert {name for name, _value in waiting.where} <= columns
    assert {waiting.mine, waiting.scope} - {""} <= columns
    assert not waiting.scope or waiting.role
    assert waiting.role in {"", *(f"{app.name}.{role.name}" for role in app.roles)}
    assert set(waiting.messages) <= {each.__name__ for each in app.messages if not each.INTERNAL}


@pytest.mark.parametrize(("app", "waiting"), ENTRIES, ids=lambda each: getattr(each, "name", ""))
def test_what_waits_is_found_by_an_index(app: Application, waiting: Waiting) -> None:
    table = next(each for each in app.tables if each.name == waiting.table)
    served = {each.name for each in table.columns if each.has_index}
    served |= {each[0] for each in table.indexes}
    assert served & {waiting.mine, waiting.scope, *(name for name, _value in waiting.where)}


def test_names_are_unique() -> None:
    names = [(app.name, each.name) for app, each in ENTRIES]
    assert len(set(names)) == len(names)
