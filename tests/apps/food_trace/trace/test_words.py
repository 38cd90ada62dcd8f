"""What commands of tracing say: CSV that a spreadsheet cannot be tricked by, trees, QR codes."""

import csv
import io
from typing import Any

import pytest

from hansa.apps.food_trace.commands.lineage import AGAIN, format_trees
from hansa.apps.food_trace.commands.tracing import CSV_COLUMNS, format_csv
from hansa.apps.food_trace.commands.words import format_time
from hansa.apps.food_trace.documents.qr import UnprintableLink, build_link, render_link_qr

ITEM = "01.09521000000018.10.L1"


def make_holding(**fields: Any) -> dict[str, Any]:
    holding = {
        "member": "did:hansa:x",
        "place": "414.9521000000018",
        "item": ITEM,
        "status": "seen",
        "first_ms": 0,
        "last_ms": None,
        "events": 2,
        "contents": [],
    }
    return {**holding, **fields}


def test_a_recall_list_for_spreadsheets_has_no_formulas() -> None:
    evil = '=HYPERLINK("http://evil.example","農場")'
    found = {
        "recall": {"holdings": [make_holding(), make_holding(item="+1", contents=["@a", "b"])]},
        "members": {"did:hansa:x": {"name": evil, "jurisdiction": "CN"}},
        "places": {"414.9521000000018": {"name": "-2+3", "town": 'a,"b"\nc'}},
    }
    rows = list(csv.DictReader(io.StringIO(format_csv(found))))
    assert [row["name"] for row in rows] == ["'" + evil] * 2
    assert rows[0]["site"] == "'-2+3" and rows[0]["town"] == 'a,"b"\nc'
    assert (rows[1]["item"], rows[1]["contents"]) == ("'+1", "'@a b")
    assert rows[0]["first"] == "1970-01-01 00:00Z" and rows[0]["last"] == ""
    assert tuple(rows[0]) == CSV_COLUMNS


def test_times_are_utc_to_the_minute() -> None:
    assert format_time(1_780_000_000_000) == "2026-05-28 20:26Z"
    assert format_time(None) == ""


def make_node(name: str, kind: str = "item") -> dict[str, Any]:
    return {
        "id": name,
        "kind": kind,
        "rank": 0,
        "level": "lot",
        "product": "",
        "member": "did:hansa:x",
        "place": "",
        "time_ms": None,
        "flags": int(name == "pigs"),
    }


def test_a_tree_shows_each_thing_once_with_its_branches() -> None:
    edges = [
        ("pigs", "=1"), ("=1", "loin"), ("=1", "ham"), ("loin", "=2"), ("ham", "=2"),
        ("=2", "pie"), ("pie", "crate"),
    ]  # fmt: skip
    names = sorted({name for edge in edges for name in edge})
    found = {
        "lineage": {
            "root": "pie",
            "nodes": [make_node(each, "making" if each[0] == "=" else "item") for each in names],
            "edges": [{"source": a, "target": b, "kind": "made"} for a, b in edges],
        },
        "members": {"did:hansa:x": {"name": "Maker"}},
        "places": {},
    }
    assert list(format_trees(found)) == [
        "pie  Maker",
        "  made of",
        "    loin  Maker",
        "      pigs  Maker  ⚑ 1",
        "    ham  Maker",
        "      pigs  Maker  ⚑ 1" + AGAIN,
        "  made into",
        "    crate  Maker",
    ]


def test_a_link_leads_to_gs1_or_to_the_console() -> None:
    assert build_link(ITEM, None) == "https://id.gs1.org/01/09521000000018/10/L1"
    assert build_link(ITEM, "https://x.example/") == "https://x.example/id/01/09521000000018/10/L1"
    assert build_link("01.09521000000018.10.A~2F1", None).endswith("/10/A%2F1")


@pytest.mark.parametrize(
    "base", ["ftp://x", "x.example", "https://", "https://x/?a=b", "javascript:1"]
)
def test_an_address_that_is_none_is_refused(base: str) -> None:
    with pytest.raises(UnprintableLink):
        build_link(ITEM, base)


def test_what_is_no_gs1_key_has_no_link() -> None:
    with pytest.raises(UnprintableLink):
        build_link("~urn:uuid:1", None)
    with pytest.raises(UnprintableLink):
        build_link(ITEM, "https://x.example/" + "a" * 400)


def test_a_code_is_svg_or_text() -> None:
    link = build_link(ITEM, None)
    assert render_link_qr(link, "svg").startswith("<svg")
    assert len(render_link_qr(link, "terminal").splitlines()) > 10
