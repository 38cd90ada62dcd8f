"""How items, places and links are called: identifiers that are none stay text, hidden partners keep
their names, and a link's path is read as GS1 writes it.
"""

import pytest

from hansa.apps.food_trace.identifiers import element_of, to_digital_link
from hansa.apps.food_trace.identifiers import split_element as split_as_the_application
from hansa.console.asking import ApiProblem
from hansa.console.food_names import (
    HIDDEN,
    HIDDEN_SENTENCE,
    make_label_path,
    name_item,
    name_place,
    split_element,
    tell_step,
)
from hansa.console.pages.label import split_link
from hansa.locales.words import load_words

EN = load_words("en")
LOT = "01.09523001000042.10.L1"


@pytest.mark.parametrize(
    ("uri", "title", "subtitle", "path"),
    [
        (
            "https://id.gs1.org/01/09523001000042/10/A%2FB",
            "Lot A/B",
            "GTIN 09523001000042",
            "/id/01/09523001000042/10/A%2FB",
        ),
        (
            "https://id.gs1.org/01/09523001000042/21/7",
            "No. 7",
            "GTIN 09523001000042",
            "/id/01/09523001000042/21/7",
        ),
        (
            "urn:epc:id:sscc:9523001.0000000001",
            "Unit 095230010000000011",
            "SSCC",
            "/id/00/095230010000000011",
        ),
        ("urn:example:crate:<b>9</b>", "<b>9</b>", "urn:example:crate:<b>9</b>", ""),
    ],
)
def test_an_item_is_called_by_what_is_printed_on_it(
    uri: str, title: str, subtitle: str, path: str
) -> None:
    element = element_of(uri)
    found = name_item(EN, element)
    assert (found.title, found.subtitle) == (title, subtitle)
    assert found.href.startswith("/food/items/")
    assert make_label_path(element) == path


@pytest.mark.parametrize(
    "uri",
    [
        "https://id.gs1.org/01/09523001000042/22/v/10/A%2FB%22%C3%A9/21/~.",
        "urn:epc:id:sgln:9523001.00001.0",
        "urn:epc:id:sscc:9523001.0000000001",
        "urn:example:" + "x" * 300,
        "urn:example:a~b c".replace(" ", "%20"),
    ],
)
def test_the_console_reads_element_forms_as_the_application_writes_them(uri: str) -> None:
    element = element_of(uri)
    assert tuple(split_element(element)) == split_as_the_application(element)
    path = make_label_path(element)
    assert path in ("", "/id" + to_digital_link(element, ""))


def test_a_hidden_place_keeps_its_name_and_an_unregistered_one_has_its_number() -> None:
    hidden = f"{HIDDEN}AAAA"
    for place in (hidden, element_of(hidden)):
        assert name_place(EN, place, {}) == HIDDEN_SENTENCE
    assert name_place(EN, "414.9523001000011", {}) == "GLN 9523001000011"
    known = {"414.9523001000011": {"name": "Foods", "town": "Hong Kong"}}
    assert name_place(EN, "414.9523001000011", known) == "Foods · Hong Kong"
    assert name_place(EN, "", {}) == ""


def test_a_step_is_told_as_a_story_and_unknown_ones_by_their_name() -> None:
    assert tell_step(EN, "retail_selling") == "Sold"
    assert tell_step(EN, "cold_smoking") == "Cold smoking"


@pytest.mark.parametrize(
    ("link", "parts"),
    [
        ("01/09523001000042/10/L1", ["01", "09523001000042", "10", "L1"]),
        ("01/09523001000042/10/A/B", ["01", "09523001000042", "10", "A/B"]),
        (
            "01/09523001000042/22/v/10/A/21/7/8",
            ["01", "09523001000042", "22", "v", "10", "A", "21", "7/8"],
        ),
        ("/00/095230010000000011/", ["00", "095230010000000011"]),
    ],
)
def test_a_link_is_read_part_by_part_also_with_a_slash_in_a_value(
    link: str, parts: list[str]
) -> None:
    assert split_link(link) == parts


@pytest.mark.parametrize("link", ["", "01", "x/1", "01/1/99/2", "01/1/10", "/".join("a" * 40)])
def test_what_names_nothing_is_no_page(link: str) -> None:
    with pytest.raises(ApiProblem) as refused:
        split_link(link)
    assert refused.value.status == 404
