"""Names of extensions: contexts and namespaces become one form; nothing is fetched."""

from typing import Any

import pytest

from hansa.apps.food_trace.documents.names import (
    CONTEXT_TERMS_MAX,
    EPCIS_CONTEXT,
    InvalidContext,
    Prefixes,
    make_name,
    split_iri,
    split_name,
)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("ex:a", "{http://ns.example.com/epcis/}a"),
        ("noslash:a", "{http://ns.example.com/epcis}a"),
        ("http://ns.example.com/epcis/a", "{http://ns.example.com/epcis/}a"),
        ("http://ns.example.com/voc#a", "{http://ns.example.com/voc#}a"),
        ("urn:example:a", "{urn:example:}a"),
        ("nobody:a", "{nobody:}a"),
        ("gs1:a", "{https://ref.gs1.org/voc/}a"),
        ("cbvmda:lotNumber", "{urn:epcglobal:cbv:mda}lotNumber"),
        ("term", "{http://ns.example.com/terms/}own"),
        ("object", "{http://ns.example.com/terms/}object"),
        ("nested:a", "{http://ns.example.com/epcis/sub/}a"),
        ("bare", None),
        ("ex:", None),
        ("ex:a b", None),
        (":a", None),
        ("1:a", None),
        ("", None),
    ],
)
def test_names_are_expanded_by_the_context(name: str, full: str | None) -> None:
    context = EPCIS_CONTEXT.extend(
        [
            "https://elsewhere.example/context.jsonld",
            {
                "ex": "http://ns.example.com/epcis/",
                "noslash": "http://ns.example.com/epcis",
                "term": "http://ns.example.com/terms/own",
                "object": {"@id": "http://ns.example.com/terms/object", "@type": "@id"},
                "nested": "ex:sub/",
                "@vocab": "http://ns.example.com/vocab/",
                "nothing": None,
            },
        ]
    )
    assert context.expand_name(name) == full


def test_a_context_that_refers_to_itself_ends() -> None:
    context = EPCIS_CONTEXT.extend({"a": "b:x", "b": "a:y"})
    assert context.expand_name("a:z") is not None


def test_an_inner_context_adds_and_the_outer_one_stays() -> None:
    outer = EPCIS_CONTEXT.extend({"a": "http://a.example/"})
    inner = outer.extend({"a": "http://b.example/"})
    assert inner.expand_name("a:x") == "{http://b.example/}x"
    assert outer.expand_name("a:x") == "{http://a.example/}x"
    assert outer.extend("https://elsewhere.example/") is outer


@pytest.mark.parametrize(
    "local",
    [7, [7], {"a": [1]}, [["x"]], {f"p{n}": "http://x/" for n in range(CONTEXT_TERMS_MAX + 1)}],
)
def test_what_is_no_context_is_refused(local: Any) -> None:
    with pytest.raises(InvalidContext):
        EPCIS_CONTEXT.extend(local)


def test_one_vocabulary_under_several_addresses_has_one_name() -> None:
    assert make_name("https://gs1.org/voc/", "a") == make_name("https://ref.gs1.org/voc/", "a")
    assert make_name("urn:epcglobal:cbv:mda:", "a") == make_name("urn:epcglobal:cbv:mda", "a")
    assert split_name(make_name("http://x/", "a")) == ("http://x/", "a")
    assert split_name("bare") == ("", "bare")
    assert split_iri("http://x/") is None


def test_prefixes_are_none_that_a_text_uses() -> None:
    prefixes = Prefixes({"ext1", "ext3"})
    assert prefixes.shorten("{http://a/}x") == "ext2:x"
    assert prefixes.shorten("{http://b/}x") == "ext4:x"
    assert prefixes.shorten("{http://a/}y") == "ext2:y"
    assert prefixes.shorten("{https://ref.gs1.org/voc/}x") == "gs1:x"
    assert prefixes.shorten("bare") == "bare"


def test_only_the_documents_own_prefixes_are_expanded_in_texts() -> None:
    context = EPCIS_CONTEXT.extend({"ex": "http://ns.example.com/"})
    assert context.expand_own("ex:a") == "http://ns.example.com/a"
    for text in ("gs1:a", "ex: a", "ex:a b", "other:a", "http://x/", "plain", "ex"):
        assert context.expand_own(text) == text
