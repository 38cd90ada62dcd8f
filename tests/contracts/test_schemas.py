"""Schemas, rule by rule (K1 to K5)."""

import hashlib
from typing import Any

import msgspec
import pytest

from hansa.contracts.permissions.model import GrantRole
from hansa.contracts.schemas.handlers import contract
from hansa.contracts.schemas.invariants import INVARIANTS
from hansa.contracts.schemas.model import (
    VERSIONS_MAX,
    DeprecateSchema,
    DescribeSchema,
    PublishedVersion,
    PublishSchema,
    PublishStandard,
    Schema,
    SchemaLine,
    UpdateSchema,
)
from hansa.ledger.context import ReadContext, Scope
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK, MessageResult
from hansa.testing.chain import Actor, Chain
from tests.contracts.league import govern
from tests.contracts.trust import (
    ALMA,
    BODY,
    CLERK,
    OTHER,
    ROOT,
    build_publish,
    build_trust_chain,
    find_broken,
    plant,
    write_schema,
)

OPTIONAL = {"name": {"type": "string", "maxLength": 100}, "note": {"type": "string"}}


@pytest.fixture
def chain() -> Chain:
    return build_trust_chain()


def send(chain: Chain, message: Message, actor: Actor = ROOT) -> MessageResult:
    return chain.send(actor, "schemas", message)


def get_line(chain: Chain, name: str = "licence") -> SchemaLine:
    line = chain.get("schemas", SchemaLine, name)
    assert line is not None
    return line


def build_update(chain: Chain, version: str, **change: Any) -> UpdateSchema:
    document = write_schema(title=f"licence {version}", **change)
    replaces = get_line(chain).versions[-1].schema
    return UpdateSchema(name="licence", version=version, document=document, replaces=replaces)


def find_violations(chain: Chain) -> list[str]:
    return [text for invariant in INVARIANTS for text in invariant.check(chain.state)]


def test_a_schema_is_found_by_the_digest_of_its_document(chain: Chain) -> None:
    document = build_publish("licence").document
    digest = hashlib.sha256(document.encode()).hexdigest()
    schema = chain.get("schemas", Schema, digest)
    assert schema is not None
    assert (schema.name, schema.version, schema.owner) == ("licence", "1.0.0", ROOT.did)
    assert schema.scope_names == (digest, "licence:1")
    assert find_violations(chain) == []


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ('{"type": "object"}', "schemas.not_canonical"),
        ('{"type":"object","type":"object"}', "schemas.not_canonical"),
        ('{"maximum":1.5}', "schemas.not_canonical"),
        ("[]", "schemas.not_canonical"),
        ('{"type":"object"}', "schemas.wrong_schema"),
        (write_schema(type="thing"), "schemas.wrong_schema"),
        (write_schema(format={}), "schemas.wrong_schema"),
        (write_schema(items={"$ref": "https://example.org/s"}), "schemas.wrong_schema"),
    ],
)
def test_invalid_document(chain: Chain, document: str, code: str) -> None:
    message = PublishSchema(name="new", version="1.0.0", document=document)
    assert send(chain, message).code == code
    assert chain.get("schemas", SchemaLine, "new") is None


def test_invalid_same_document_under_another_name(chain: Chain) -> None:
    message = PublishSchema(name="new", version="1.0.0", document=build_publish("licence").document)
    refused = send(chain, message, OTHER)
    assert (refused.code, refused.params["name"]) == ("schemas.already_published", "licence")


def test_a_name_belongs_to_who_first_published_under_it(chain: Chain) -> None:
    again = send(chain, build_publish("licence", "2.0.0"), OTHER)
    assert (again.code, again.params["owner"]) == ("schemas.name_taken", ROOT.did)
    assert send(chain, build_update(chain, "1.1.0"), OTHER).code == "schemas.not_the_owner"
    assert send(chain, build_update(chain, "1.1.0")).code == OK


def test_only_publishers_of_a_member_publish(chain: Chain) -> None:
    refused = send(chain, build_publish("tax"), CLERK)
    assert (refused.code, refused.params["member"]) == (
        "schemas.not_allowed_to_publish",
        BODY.did,
    )
    role = GrantRole(application="schemas", role="publisher", holder=CLERK.did)
    assert chain.send(BODY, "permissions", role).code == OK
    assert send(chain, build_publish("tax"), CLERK).code == OK
    assert get_line(chain, "tax").owner == BODY.did


def test_a_compatible_update_keeps_its_major(chain: Chain) -> None:
    assert send(chain, build_update(chain, "1.1.0", properties=OPTIONAL)).code == OK
    assert [each.version for each in get_line(chain).versions] == ["1.0.0", "1.1.0"]
    assert find_violations(chain) == []


def test_what_takes_away_needs_a_new_major(chain: Chain) -> None:
    narrow = {"name": {"type": "string", "maxLength": 50}}
    refused = send(chain, build_update(chain, "1.1.0", properties=narrow))
    assert refused.code == "schemas.incompatible"
    assert refused.params == {
        "more": 0,
        "newest": "1.0.0",
        "path": "/properties/name/maxLength",
        "problem": "bound_tightened",
    }
    assert send(chain, build_update(chain, "2.0.0", properties=narrow)).code == OK
    assert find_violations(chain) == []


@pytest.mark.parametrize("version", ["1.0.0", "0.9.9"])
def test_invalid_version_that_does_not_rise(chain: Chain, version: str) -> None:
    refused = send(chain, build_update(chain, version, properties=OPTIONAL))
    assert refused.code == "schemas.wrong_version"


def test_an_older_major_is_still_cared_for(chain: Chain) -> None:
    first = get_line(chain).versions[-1].schema
    assert send(chain, build_update(chain, "2.0.0", required=["name"], type="object")).code == OK
    patch = build_update(chain, "1.0.1", properties=OPTIONAL)
    refused = send(chain, patch)
    assert (refused.code, refused.params["expected"]) == ("schemas.wrong_predecessor", "1.0.0")
    assert send(chain, msgspec.structs.replace(patch, replaces=first)).code == OK
    assert find_violations(chain) == []


def test_invalid_update_of_a_version_that_was_replaced_meanwhile(chain: Chain) -> None:
    mine = build_update(chain, "1.2.0")
    assert send(chain, build_update(chain, "1.1.0")).code == OK
    assert send(chain, mine).code == "schemas.wrong_predecessor"


def test_invalid_update_of_nothing(chain: Chain) -> None:
    message = msgspec.structs.replace(build_update(chain, "1.1.0"), name="nothing")
    assert send(chain, message).code == "schemas.no_such_schema"


@pytest.mark.slow
def test_versions_of_a_name_are_bounded(chain: Chain) -> None:
    for number in range(1, VERSIONS_MAX):
        assert send(chain, build_update(chain, f"1.{number}.0")).code == OK
    assert send(chain, build_update(chain, "2.0.0")).code == "schemas.too_many_versions"


def test_standards_are_governances(chain: Chain) -> None:
    document = write_schema(title="tax")
    standard = PublishStandard(name="tax", version="1.0.0", document=document)
    assert send(chain, standard, ALMA).code == "ledger.internal_message"
    assert govern(chain, (ALMA,), ("schemas", standard)).state == "EXECUTED"
    first = get_line(chain, "tax").versions[0].schema
    schema = chain.get("schemas", Schema, first)
    assert schema is not None
    assert (schema.is_standard, schema.owner) == (True, "governance")
    again = PublishStandard(name="tax", version="1.1.0", document=write_schema(title="tax 2"))
    assert govern(chain, (ALMA,), ("schemas", again)).code == "schemas.name_taken"
    further = msgspec.structs.replace(again, replaces=first)
    assert govern(chain, (ALMA,), ("schemas", further)).state == "EXECUTED"
    update = UpdateSchema(
        name="tax", version="1.2.0", document=write_schema(title="tax 3"), replaces=first
    )
    assert send(chain, update).code == "schemas.not_the_owner"
    assert find_violations(chain) == []


def test_invalid_standard_under_a_members_name(chain: Chain) -> None:
    document = write_schema(title="mine now")
    standard = PublishStandard(name="licence", version="3.0.0", document=document)
    assert govern(chain, (ALMA,), ("schemas", standard)).code == "schemas.not_the_owner"


def test_a_deprecated_schema_stays_and_names_its_successor(chain: Chain) -> None:
    old = get_line(chain).versions[-1].schema
    assert send(chain, build_update(chain, "2.0.0", required=["name"], type="object")).code == OK
    new = get_line(chain).versions[-1].schema
    message = DeprecateSchema(schema=old, reason="replaced", successor=new)
    assert send(chain, message, OTHER).code == "schemas.not_the_owner"
    assert send(chain, message).code == OK
    schema = chain.get("schemas", Schema, old)
    assert schema is not None
    assert (schema.deprecated_ms, schema.successor) == (chain.time_ms, new)
    assert send(chain, message).code == "schemas.already_deprecated"
    wrong = DeprecateSchema(schema=new, reason="replaced", successor=new)
    assert send(chain, wrong).code == "schemas.no_such_schema"
    governed = DeprecateSchema(schema=new, reason="unsafe")
    assert govern(chain, (ALMA,), ("schemas", governed)).state == "EXECUTED"


def test_only_what_is_said_of_a_schema_is_replaced(chain: Chain) -> None:
    schema = get_line(chain).versions[-1].schema
    before = chain.get("schemas", Schema, schema)
    message = DescribeSchema(schema=schema, labels="ab" * 32, type_metadata="cd" * 32)
    assert send(chain, message, OTHER).code == "schemas.not_the_owner"
    assert govern(chain, (ALMA,), ("schemas", message)).code == "schemas.not_the_owner"
    assert send(chain, message).code == OK
    after = chain.get("schemas", Schema, schema)
    assert before is not None
    assert after == msgspec.structs.replace(
        before, labels=message.labels, type_metadata=message.type_metadata
    )


def test_other_contracts_ask_whether_a_scope_names_something(chain: Chain) -> None:
    ctx = ReadContext(chain.state, "schemas", Scope("c", 9, chain.time_ms, "t", 0))
    schema = get_line(chain).versions[0].schema
    is_scope = contract.views["is_scope"]
    asked = (schema, "licence:1", "licence:2", "nothing:1", "ab" * 32)
    assert [is_scope(ctx, each) for each in asked] == [True, True, False, False, False]
    assert contract.views["schema"](ctx, schema).version == "1.0.0"


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("K1", {"document": write_schema(title="forged")}),
        ("K2", {"owner": OTHER.did}),
        ("K2", {"version": "1.0.1"}),
        ("K2", {"is_standard": True}),
    ],
)
def test_invariants_find_wrong_schemas(chain: Chain, rule: str, wrong: dict[str, Any]) -> None:
    schema = chain.get("schemas", Schema, get_line(chain).versions[0].schema)
    assert schema is not None
    forged = plant(chain, "schemas", msgspec.structs.replace(schema, **wrong))
    assert find_broken(forged, INVARIANTS) == {rule}


def test_invariants_find_wrong_versions(chain: Chain) -> None:
    narrow = {"name": {"type": "string", "maxLength": 50}}
    assert send(chain, build_update(chain, "2.0.0", properties=narrow)).code == OK
    line = get_line(chain)
    falling = msgspec.structs.replace(line, versions=(line.versions[1], line.versions[0]))
    assert find_broken(plant(chain, "schemas", falling), INVARIANTS) == {"K3"}
    renamed = PublishedVersion(version="1.1.0", schema=line.versions[1].schema)
    broken = msgspec.structs.replace(line, versions=(line.versions[0], renamed))
    assert find_broken(plant(chain, "schemas", broken), INVARIANTS) == {"K2", "K3"}
