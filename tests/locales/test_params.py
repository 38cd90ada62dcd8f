"""Numbers in refusals are written as people write them: rates, amounts and times."""

import re

import pytest

from hansa.appkit.meaning import find_meaning
from hansa.catalog import load_applications
from hansa.locales import LANGUAGES, load_words
from hansa.locales.params import AMOUNTS, RATES, is_amount, is_rate
from hansa.locales.words import Words
from hansa.locales.writing import Writing

NBSP = "\u00a0"
NOON = 1_772_400_000_000
PLACES = [
    (app, f"{each.CODESPACE}.{each.CODE}", name)
    for app in load_applications()
    for each in app.rejections
    for name in sorted(set(re.findall(r"\{(\w+)\}", f"{each.TEXT} {each.REMEDY}")))
]


def say(tag: str, code: str, name: str, value: object) -> str:
    """A refusal without words in the catalogue, that says only one parameter."""
    return Words(LANGUAGES[tag], {}).of(
        "rejection", code, default=f"{{{name}}}", params={name: value}
    )


@pytest.mark.parametrize(
    ("tag", "code", "name", "value", "text"),
    [
        ("en", "e_invoice.br_s_05", "rate_ppm", 130_000, "13%"),
        ("pt", "e_invoice.br_s_05", "rate_ppm", 99_750, "9,975%"),
        ("en", "e_invoice.br_s_05", "rate_ppm", 0, "0%"),
        ("zh-Hans", "food_trace.yield_too_high", "ppm", 1_200_000, "120%"),
        ("zh-Hant", "food_trace.yield_too_high", "limit", 1_000_000, "100%"),
        ("en", "ledger.too_large", "limit", 1_000_000, "1000000"),
        ("en", "e_invoice.br_co_10", "stated", 123_450, "1,234.50"),
        ("pt", "e_invoice.quota_spent", "left", 123_450, f"1{NBSP}234,50"),
        ("zh-Hans", "e_invoice.red_letter_amount", "allowed", -5, "-0.05"),
        ("zh-Hant", "mandates.over_limit", "amount", 100, "1.00"),
        ("en", "e_invoice.br_co_10", "stated", "123450", "1,234.50"),
        ("en", "e_invoice.quota_spent", "numbers", 100, "100"),
        ("en", "evidence.other_value", "amount", 100, "100"),
        ("en", "food_trace.in_the_future", "ahead_ms", 5_000, "5000"),
        ("en", "e_invoice.br_co_10", "stated", "all", "all"),
        ("en", "e_invoice.br_co_10", "stated", True, "True"),
    ],
)
def test_rates_and_amounts_are_written_as_the_place_does(
    tag: str, code: str, name: str, value: object, text: str
) -> None:
    assert say(tag, code, name, value) == text


@pytest.mark.parametrize("tag", LANGUAGES)
def test_times_are_written_as_times(tag: str) -> None:
    text = Writing(LANGUAGES[tag]).when(NOON)
    assert say(tag, "permissions.end_exceeded", "limit_ms", NOON) == text
    assert say(tag, "permissions.end_exceeded", "limit_ms", str(NOON)) == text


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_sentence_says_no_other_unit(tag: str) -> None:
    words = load_words(tag)
    unit = re.compile("ppm|hundredths|centésimos|百分之一|百[万萬]分|#分|以分")
    for _app, code, name in PLACES:
        if is_rate(code, name) or is_amount(code, name):
            for context in ("rejection", "remedy"):
                text = re.sub(r"\{\w+\}", "#", words.of(context, code))
                assert not unit.search(text), text


def test_a_parameter_is_what_the_application_says_of_a_field_of_its_name() -> None:
    for app, code, name in PLACES:
        found = find_meaning(app.fields, code.partition(".")[2], name)
        if found is not None and found.meaning in ("rate", "amount"):
            assert is_rate(code, name) is (found.meaning == "rate"), (code, name)
            assert is_amount(code, name) is (found.meaning == "amount"), (code, name)


def test_what_is_listed_is_a_parameter_of_a_refusal() -> None:
    rates = {(code, name) for code, names in RATES.items() for name in names}
    assert rates <= {(code, name) for _app, code, name in PLACES}
    amounts = {(app, name) for app, names in AMOUNTS.items() for name in names}
    assert amounts <= {(app.name, name) for app, _code, name in PLACES}
