"""Filters mean the same in every language; CSV runs nothing; values are exact and linked."""

import csv
import io
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.appkit.schema import describe_application
from hansa.catalog import load_application
from hansa.console.describing import Described
from hansa.console.listing import read_filters, write_exact
from hansa.console.spreadsheet import is_number, write_row
from hansa.console.templates import WRITINGS
from hansa.console.values import Reader, list_dids
from hansa.locales.words import load_words

ABOUT = Described(
    msgspec.json.decode(msgspec.json.encode(describe_application(load_application("e_invoice"))))
)
COLUMNS = [ABOUT.column("invoices", each["name"]) for each in ABOUT.tables["invoices"]["columns"]]
DID = "did:hansa:" + "a" * 32


def reader(tag: str = "en", names: dict[str, str] | None = None) -> Reader:
    return Reader("e_invoice", load_words(tag), WRITINGS[tag], names or {})


@pytest.mark.parametrize(("typed", "decimal"), [("1,234.50", "."), ("1.234,50", ",")])
def test_what_was_typed_becomes_one_link(typed: str, decimal: str) -> None:
    filters = read_filters(COLUMNS, {"t.due_min": typed, "t.status": "ISSUED"}, decimal)
    assert filters.query == {"due_min": "1234.50", "status": "ISSUED"}
    assert filters.asked == {"due_min": "123450", "status": "ISSUED"}


@pytest.mark.parametrize("decimal", [".", ","])
def test_a_link_is_read_alike_by_all(decimal: str) -> None:
    filters = read_filters(COLUMNS, {"due_min": "1234.50", "issue_date_max": "2026-03-09"}, decimal)
    assert filters.asked == {"due_min": "123450", "issue_date_max": "2026-03-09"}
    due = ABOUT.column("invoices", "due")
    assert write_exact(due, filters.asked["due_min"], ",") == "1234,50"


def test_what_is_no_value_is_a_fault_and_no_filter() -> None:
    query = {"due_min": "x", "t.due_max": "1,5", "issue_date_min": "yesterday", "nothing": "1"}
    filters = read_filters(COLUMNS, query, ".")
    assert filters.conditions == []
    assert set(filters.faults) == {"due_min", "due_max", "issue_date_min"}


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", "-x", '=HYPERLINK("x")'],
)
def test_no_cell_begins_like_a_formula(text: str) -> None:
    (cell,) = next(csv.reader(io.StringIO(write_row([text]).decode(), newline="")))
    assert cell == "'" + text


@pytest.mark.parametrize("text", ["-12.50", "12", "-1", "0.5"])
def test_numbers_stay_numbers(text: str) -> None:
    assert write_row([text]) == text.encode() + b"\r\n"
    assert is_number(text)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=2))
def test_a_row_comes_back_as_it_was(cells: list[str]) -> None:
    text = write_row(cells).decode()
    (row,) = csv.reader(io.StringIO(text, newline=""))
    assert [each.removeprefix("'") for each in row] == [each.removeprefix("'") for each in cells]


def test_amounts_are_exact_in_the_unit_beside_them() -> None:
    shape = ABOUT.column("invoices", "due")
    row = {"due": 2**53 - 1, "currency": "HKD"}
    assert reader().show(shape, row["due"], (row,)).text == "HK$90,071,992,547,409.91"
    assert reader().scaled(shape, str(10**20), (row,)) == "HK$1,000,000,000,000,000,000.00"
    rate = ABOUT.message("IssueInvoice")
    assert rate is not None
    content = rate.field("content")
    assert content is not None
    lines = content.field("lines")
    assert lines is not None and lines.item is not None
    ppm = lines.item.field("rate_ppm")
    assert ppm is not None
    assert [reader().show(ppm, each).text for each in (130_000, 99_750, 0)] == [
        "13%",
        "9.975%",
        "0%",
    ]
    assert reader("pt").show(ppm, 99_750).text == "9,975%"


def test_a_did_is_a_name_with_a_link_and_the_whole_behind_it() -> None:
    shape = ABOUT.column("invoices", "seller_member")
    shown = reader(names={DID: "Ram <b>"}).show(shape, DID)
    assert (shown.text, shown.title) == ("Ram <b>", DID)
    assert shown.href == f"/apps/members/records/member/{quote(DID, safe='')}"
    unknown = reader().show(shape, DID)
    assert (unknown.href, unknown.title) == ("", DID)
    assert list(list_dids({"a": [DID, {"b": f"{DID}#k1"}], "c": 1})) == [DID, DID]


def test_a_key_is_a_link_that_escapes_it() -> None:
    shape = ABOUT.column("invoices", "id")
    shown = reader().show(shape, "CN-USCC:1:N#1+2")
    assert shown.href == "/apps/e_invoice/records/invoice/CN-USCC%3A1%3AN%231%2B2"


def test_what_turns_text_around_is_shown_as_missing() -> None:
    shape = ABOUT.column("invoices", "number")
    assert reader().show(shape, "a\u202eb").text == "a\ufffdb"


def test_a_mark_is_no_choice_of_states() -> None:
    assert ABOUT.column("invoices", "frozen_by").kind != "choice"
    assert ABOUT.column("invoices", "status").kind == "choice"
    assert ABOUT.column("invoices", "seller_member").kind == "party"
    assert ABOUT.column("invoices", "issue_date").kind == "date"
