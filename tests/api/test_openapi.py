"""The OpenAPI description is complete, derived, and kept by the gateway (schemathesis)."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from hansa.api.application import ROUTES
from hansa.testing.chain import Actor
from tests.api.league import ADA, BEA, CAI, CHIEF, League
from tests.api.parcels import (
    APPLICATION,
    APPLICATIONS,
    DropParcel,
    HandOver,
    OpenDepot,
    SendParcel,
    SetTariff,
    Weigh,
)


@pytest.fixture(scope="module")
def document(league: League) -> Any:
    with league.client() as client:
        return client.get("/openapi.json").json()


def test_every_kind_message_and_table_has_its_address(document: Any) -> None:
    paths = document["paths"]
    assert document["openapi"].startswith("3.1")
    for app in APPLICATIONS:
        for record in app.records:
            owner = record.OWNER or app.name
            key = "/".join(f"{{{name}}}" for name in record.KEY)
            assert f"/v1/apps/{owner}/{record.KIND}" in paths
            for door in ("apps", "proofs", "history"):
                assert f"/v1/{door}/{owner}/{record.KIND}/{key}" in paths
        for message in app.messages:
            assert f"/v1/apps/{app.name}/messages/{message.__name__}" in paths
    for table in APPLICATION.tables:
        assert f"/v1/apps/parcels/tables/{table.name}" in paths
    assert not any("{app}/" in path or "{kind}" in path for path in paths)


def test_every_route_is_described_and_every_operation_has_a_name(document: Any) -> None:
    operations = [
        operation for methods in document["paths"].values() for operation in methods.values()
    ]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] and operation["tags"] for operation in operations)
    for operation in operations:
        problem = operation["responses"]["default"]["content"]["application/problem+json"]
        assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert len(operations) > len(ROUTES)


def test_no_kind_of_records_hides_a_route(document: Any) -> None:
    """A kind named like a general part of an address could not be reached."""
    kinds = {record.KIND for app in APPLICATIONS for record in app.records}
    assert kinds.isdisjoint({"messages", "tables"})


@pytest.fixture(scope="module")
def scene(league: League) -> League:
    """Something of every kind, so that answers have content."""
    for number in range(4):
        league.commit(ADA, SendParcel(id=f"p{number}", other=BEA.did, note="澳門", grams=number))
    league.commit(ADA, SendParcel(id="x", other=BEA.did, note="", grams=99_999))
    league.commit(ADA, HandOver(id="p1", owner=CAI.did), DropParcel(id="p2"))
    league.commit(BEA, Weigh(parcel="p0", number=1))
    league.commit(CAI, OpenDepot(id="d", city="澳門"), SetTariff(id="t", cents=1))
    return league


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]


@schemathesis.serializer("application/jose", "application/jose+json")
def send_text(_context: object, value: object) -> bytes:
    """A JWS is sent as it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


# An address or a body beyond our limits is refused by its size, whatever else is wrong with it.
REFUSALS = ["400", "401", "403", "404", "405", "409", "413", "414", "415", "422", "429"]
CONFIG = SchemathesisConfig.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}}
)
# The stream never ends (its own tests read it); signing out would end this test's session.
LEFT_OUT = {("get", "/v1/events/stream"), ("delete", "/v1/sessions/current")}
SETTINGS = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def try_operation(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    """Ask what the description allows (or does not), and hold the answers to it."""

    @SETTINGS
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS, timeout=60)

    check()


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("actor", [None, ADA, CHIEF], ids=["stranger", "party", "reader"])
def test_the_gateway_keeps_its_description(
    scene: League, document: Any, actor: Actor | None, mode: GenerationMode
) -> None:
    loaded = schemathesis.openapi.from_dict(document, config=CONFIG)
    loaded.config.base_url = scene.url
    with scene.client(actor) as client:
        token = client.headers.get("authorization")
    headers = {"authorization": token} if token else {}
    tried, broken = 0, []
    for result in loaded.get_all_operations():
        operation = result.ok()
        if (operation.method, operation.path) in LEFT_OUT:
            continue
        tried += 1
        try:
            try_operation(operation, mode, headers)
        except Unsatisfiable:
            continue  # nothing that breaks the description can be said to this operation
        except (FailureGroup, AssertionError, ExceptionGroup) as failure:
            broken.append(f"{operation.label}: {failure}")
    assert tried == sum(len(methods) for methods in document["paths"].values()) - len(LEFT_OUT)
    assert not broken, "\n\n".join(broken)
