"""The tool of the catalogues finds every word: what applications declare, and every sentence."""

import sys
from pathlib import Path

import pytest

from hansa.catalog import load_applications

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

import catalogue  # noqa: E402
import wanted_words  # noqa: E402
from babel.messages.catalog import Catalog  # noqa: E402


@pytest.fixture(scope="module")
def wanted() -> dict[tuple[str, str], wanted_words.Wanted]:
    return {(each.context, each.name): each for each in wanted_words.list_wanted()}


def test_every_message_rejection_role_and_table_wants_words(wanted) -> None:
    for app in load_applications():
        names = [("application", app.name)]
        names += [("message", f"{app.name}.{each.__name__}") for each in app.messages]
        names += [("message-help", f"{app.name}.{each.__name__}") for each in app.messages]
        names += [("role", f"{app.name}.{each.name}") for each in app.roles]
        names += [("record", f"{app.name}.{each.KIND}") for each in app.records]
        names += [("event", f"{app.name}.{each.__name__}") for each in app.events]
        names += [("table", f"{app.name}.{each.name}") for each in app.tables]
        names += [("waiting", f"{app.name}.{each.name}") for each in app.waiting]
        for each in app.rejections:
            code = f"{each.CODESPACE}.{each.CODE}"
            names += [("rejection", code), ("remedy", code)]
        assert [each for each in names if each not in wanted] == []


@pytest.mark.parametrize(
    "name",
    [
        ("field", "invoice"),  # of a message
        ("field", "rate_ppm"),  # of a part of a record
        ("field", "with_vat"),  # a column
        ("state", "ISSUED"),  # a value of a field `status`
        ("option", "RED_CONFIRMED"),  # a value of another field
        ("option", "yes"),
        ("vote", "yes"),  # apart from the Yes of a box that is ticked
        ("setting", "quotas.window_ms"),
        ("application-short", "holds"),
        ("option", "HK"),
        ("rejection", "ledger.wrong_signature"),
        ("rejection", "api.session_ended"),
        ("remedy", "console.foreign_form"),
        ("", "Sign in"),  # of a template
        ("", "Your session has ended. Sign in again."),  # of Python
        ("", "Home"),  # marked
    ],
)
def test_words_are_found_wherever_they_are_said(wanted, name: tuple[str, str]) -> None:
    assert name in wanted


def test_rejections_bring_their_english(wanted) -> None:
    found = wanted[("rejection", "e_invoice.number_used")]
    assert found.english == "The number {number} is already used."
    assert wanted[("remedy", "api.session_ended")].english.startswith("Open a new session")


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        ("O número {number} já foi usado.", True),
        ("Já foi usado.", True),
        ("O número {numero} já foi usado.", False),
        ("<b>{number}</b>", False),
    ],
)
def test_a_translation_keeps_to_the_places_and_is_no_html(text: str, is_right: bool) -> None:
    book = Catalog(locale="pt")
    book.add("e_invoice.number_used", text, context="rejection")
    assert (catalogue.list_faults(book) == []) is is_right


def test_a_sentence_loses_none_of_its_places() -> None:
    book = Catalog(locale="pt")
    book.add("block {height}", "bloco")
    assert catalogue.list_faults(book)
