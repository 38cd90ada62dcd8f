"""A reader gets the language that the browser asks for first among ours."""

import pytest

from hansa.locales import LANGUAGES, find_language, make_readable, negotiate
from hansa.locales.words import fill, load_words


@pytest.mark.parametrize(
    ("tag", "ours"),
    [
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-Hans-HK", "zh-Hans"),
        ("zh-HK", "zh-Hant"),
        ("zh_MO", "zh-Hant"),
        ("zh-Hant-CN", "zh-Hant"),
        ("zh-TW", "zh-Hant"),
        ("yue", "zh-Hant"),
        ("yue-Hans", "zh-Hans"),
        ("PT-br", "pt"),
        ("en-GB", "en"),
        ("fr", None),
        ("", None),
        ("-", None),
    ],
)
def test_a_tag_is_one_of_four_languages_or_none(tag: str, ours: str | None) -> None:
    found = find_language(tag)
    assert (found.tag if found else None) == ours


@pytest.mark.parametrize(
    ("accepted", "ours"),
    [
        ("fr-CH, fr;q=0.9, pt;q=0.8, en;q=0.7", "pt"),
        ("en;q=0.1, zh-HK;q=0.2", "zh-Hant"),
        ("zh-CN,zh;q=0.9", "zh-Hans"),
        ("pt;q=0, en;q=0.1", "en"),
        ("pt;q=nan, zh-MO;q=0.5", "zh-Hant"),
        ("pt;q=9", "en"),
        ("*", "en"),
        ("", "en"),
        (";;;,,,=", "en"),
        ("x" * 100_000, "en"),
    ],
)
def test_the_first_wish_that_is_ours_counts(accepted: str, ours: str) -> None:
    assert negotiate(accepted).tag == ours


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ("e_invoice.IssueInvoice", "Issue invoice"),
        ("used_height", "Used height"),
        ("bizStep", "Biz step"),
        ("EPCList", "Epc list"),
        ("RED_CONFIRMED", "Red confirmed"),
        ("_", "_"),
        ("", ""),
    ],
)
def test_what_has_no_words_is_made_readable(identifier: str, words: str) -> None:
    assert make_readable(identifier) == words


def test_a_sentence_reaches_nothing_but_its_places() -> None:
    filled = fill("{a} {a.__class__} {b} {0} %s", {"a": "{b}", "b": "x"})
    assert filled == "{b} {a.__class__} x {0} %s"


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_language_has_words_for_everything_asked(tag: str) -> None:
    words = load_words(tag)
    assert words("No such sentence {n}", n=3) == "No such sentence 3"
    assert words.of("field", "no_such_field") == "No such field"
    assert words.of("rejection", "x.y", default="{a}!", params={"a": 1}) == "1!"
    assert words.count("{count} thing", "{count} things", 2).startswith("2 thing")
    assert words.value("status", "") == ""
