"""Tokens: whole questions, strict, nothing but positions; links that simple clients can cut."""

import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.appkit.route import Asking, Trouble
from hansa.apps.food_trace.routes.epcis.paging import (
    PER_PAGE,
    PER_PAGE_MAX,
    UNFOLDED_BYTES_MAX,
    Token,
    build_link,
    encode_token,
    read_paging,
    read_token,
)
from hansa.encoding.text import encode_base64url

TOKEN = Token("events", (("EQ_bizStep", "shipping"),), (7, "food_trace/capture/x", 0), 5, 12)


def ask(*query: tuple[str, str]) -> Asking:
    return Asking("GET", "/food-trace/epcis/events", "/food-trace", query=query)


def test_a_token_holds_its_whole_question() -> None:
    text = encode_token(TOKEN)
    assert "=" not in text
    assert read_token(text, "events") == TOKEN
    token, size, query = read_paging(ask(("nextPageToken", text)), "events")
    assert (token, size, query) == (TOKEN, 5, TOKEN.query)


def test_who_takes_the_whole_link_for_a_name_is_understood() -> None:
    """OpenEPCIS's client cuts `/events?` out of the link and parts the rest at `=`."""
    ((_name, link),) = build_link(ask(), TOKEN)
    inside = link[link.index("<") + 1 : link.index(">")]
    name, value = inside.replace("/events?", "", 1).split("=")
    token, _size, _query = read_paging(ask((name, value)), "events")
    assert token == TOKEN


def test_a_page_has_as_many_as_asked_for_within_bounds() -> None:
    assert read_paging(ask(), "events")[1] == PER_PAGE
    assert read_paging(ask(("perPage", "7")), "events")[1] == 7
    assert read_paging(ask(("perPage", "999999")), "events")[1] == PER_PAGE_MAX
    for text in ("0", "-1", "x", "", "1.5", "9" * 20, "٣"):
        with pytest.raises(Trouble):
            read_paging(ask(("perPage", text)), "events")
    with pytest.raises(Trouble):
        read_paging(ask(("perPage", "1"), ("perPage", "2")), "events")


def bent(**changes: Any) -> str:
    return encode_token(msgspec.structs.replace(TOKEN, **changes))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "====",
        bent(of="queries"),
        bent(per_page=0),
        bent(per_page=PER_PAGE_MAX + 1),
        bent(after=()),
        bent(after=(2**63,)),
        encode_base64url(b"not packed"),
        encode_base64url(zlib.compress(b"[]")),
        encode_base64url(zlib.compress(b"x" * UNFOLDED_BYTES_MAX * 40)),
        encode_base64url(zlib.compress(msgspec.json.encode(TOKEN)) + b"more"),
    ],
)
def test_what_is_no_token_of_the_list_is_refused(text: str) -> None:
    with pytest.raises(Trouble) as refused:
        read_token(text, "events")
    assert refused.value.status == 400


@given(st.text(max_size=60))
def test_any_text_is_a_token_or_is_refused(text: str) -> None:
    try:
        read_token(text, "events")
    except Trouble as refused:
        assert refused.code == "food_trace.next_page_token"
