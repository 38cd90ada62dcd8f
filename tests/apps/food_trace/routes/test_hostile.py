"""Whatever is sent to the door, it answers with a problem of EPCIS's, never with a fault."""

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.apps.food_trace.documents.query import _NAMED
from hansa.apps.food_trace.routes import DOORS
from tests.apps.food_trace.routes.serving import Served, make_document, make_event

pytestmark = pytest.mark.slow
SETTINGS = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PATHS = sorted({route.path for route in DOORS.routes})
EXPECTED = {501}

words = st.text(max_size=40) | st.sampled_from(
    [
        "urn:epc:id:sgtin:9521000.000001.1",
        "https://id.gs1.org/01/09521000000018/21/1",
        "urn:epc:idpat:sgtin:9521000.*.*",
        "commissioning",
        "ObjectEvent",
        "2026-01-01T00:00:00Z",
        "99999999999999999999999999999999",
        "-1e400",
        "SimpleEventQuery",
        "../../v1/status",
        "%",
        "*",
        "[",
    ]
)
_FRONTS = ("EQ", "GE", "EXISTS", "MATCH", "EQ_INNER_ILMD", "HASATTR", "EQ_ATTR_readPoint")
names = (
    st.sampled_from(sorted(_NAMED))
    | st.sampled_from(["perPage", "nextPageToken", "stream", "item", "limit", "recall"])
    | st.builds(
        "{}_{}".format,
        st.sampled_from(
            ["EQ", "GE", "EXISTS", "MATCH", "EQ_INNER_ILMD", "HASATTR", "EQ_ATTR_readPoint"]
        ),
        words,
    )
    | words
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


def check(answer: httpx.Response) -> None:
    assert answer.status_code < 500 or answer.status_code in EXPECTED, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"].startswith("application/problem+")
        assert "Traceback" not in answer.text


@SETTINGS
@given(
    method=st.sampled_from(["GET", "OPTIONS", "DELETE", "POST"]),
    path=st.sampled_from(PATHS),
    parts=st.lists(words, min_size=3, max_size=3),
    query=st.lists(st.tuples(names, words), max_size=4),
    accept=st.sampled_from(["", "application/xml", "application/json", "x", "*/*;q=2"]),
)
def test_any_address(
    league: Served,
    scanner: httpx.Client,
    method: str,
    path: str,
    parts: list[str],
    query: list[tuple[str, str]],
    accept: str,
) -> None:
    filled = path
    for part in parts:
        start = filled.find("{")
        if start >= 0:
            end = filled.index("}", start) + 1
            filled = filled[:start] + quote(part, safe="") + filled[end:]
    asked = "&".join(f"{quote(name)}={quote(value)}" for name, value in query)
    url = f"{league.url}/food-trace{filled}" + (f"?{asked}" if asked else "")
    check(scanner.request(method, url, headers={"accept": accept} if accept else {}))


@SETTINGS
@given(
    path=st.sampled_from(
        ["/capture", "/events", "/queries", "/queries/q/subscriptions", "/queries/x/subscriptions"]
    ),
    body=values,
    media=st.sampled_from(
        ["application/json", "application/ld+json", "application/xml", "a/b", ""]
    ),
)
def test_any_body(scanner: httpx.Client, path: str, body: Any, media: str) -> None:
    data = json.dumps(body).encode("utf-8", "surrogatepass")
    headers = {"content-type": media} if media else {}
    check(scanner.post(path, content=data, headers=headers))


@SETTINGS
@given(
    field=st.sampled_from(
        "type eventID eventTime eventTimeZoneOffset action bizStep epcList readPoint ilmd".split()
    ),
    value=values,
)
def test_any_event(scanner: httpx.Client, field: str, value: Any) -> None:
    event = {**make_event(1), field: value}
    data = json.dumps(make_document(event)).encode("utf-8", "surrogatepass")
    sent = {"content-type": "application/json"}
    check(scanner.post("/capture", content=data, headers=sent))


@SETTINGS
@given(data=st.binary(max_size=200), path=st.sampled_from(["/capture", "/events", "/queries"]))
def test_any_bytes(scanner: httpx.Client, data: bytes, path: str) -> None:
    for media in ("application/json", "application/xml"):
        check(scanner.post(path, content=data, headers={"content-type": media}))
