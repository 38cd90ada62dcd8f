"""Every application of this release fits the gateway as it is (D15): nothing by hand, no clash."""

import msgspec

from hansa.api.openapi import describe_api
from hansa.api.query import describe_scalars
from hansa.catalog import load_applications
from hansa.index.schema import Tables
from hansa.index.shape import Shape
from tests.api.league import League

# Parts of addresses, and parameters of lists, that a kind or a column would hide.
PARTS = {"messages", "tables"}
PARAMETERS = {"after", "limit", "group_by", "sums", "key", "line"}


def test_every_application_is_described(league: League) -> None:
    shape = Shape(load_applications())
    document = msgspec.json.decode(describe_api(league.app.litestar, shape))
    for app in shape.applications:
        for message in app.messages:
            assert f"/v1/apps/{app.name}/messages/{message.__name__}" in document["paths"]
        for table in app.tables:
            assert f"/v1/apps/{app.name}/tables/{table.name}/totals" in document["paths"]
    for owner, kind in shape.records:
        assert f"/v1/apps/{owner}/{kind}" in document["paths"]


def test_no_kind_or_column_hides_a_part_of_an_address() -> None:
    shape = Shape(load_applications())
    assert not {kind for _app, kind in shape.records} & PARTS
    for table in shape.tables.values():
        assert not {column.name for column in table.columns} & PARAMETERS


def test_every_table_has_its_place() -> None:
    shape = Shape(load_applications())
    names = [table.name for table in Tables(shape).metadata.tables.values()]
    assert len(names) == len(set(names))
    for app, name in shape.tables:
        assert f"{app}__{name}" in names


def test_every_kind_can_be_filtered_by_some_field() -> None:
    for kind in Shape(load_applications()).records.values():
        assert describe_scalars(kind.newest)
