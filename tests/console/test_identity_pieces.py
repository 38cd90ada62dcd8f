"""Pieces of the pages of identities: fields of a schema, a log folded, the tree as a picture."""

import hashlib
from typing import Any

import pytest

from hansa.console.charts.figure import Frame
from hansa.console.charts.tree import TreeNode, draw_tree
from hansa.console.forms.schema_fields import derive_fields
from hansa.console.pages.access import is_whole
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url

ACCESSES = [{"number": number, "purpose": "care", "v": 1} for number in (1, 2, 3)]


def fold(accesses: list[dict[str, Any]]) -> dict[str, Any]:
    head = ""
    for each in accesses:
        digest = hashlib.sha256(encode_canonical(each)).digest()
        head = encode_base64url(hashlib.sha256(head.encode() + b"\n" + digest).digest())
    return {"accesses": len(accesses), "head": head}


def test_a_log_is_whole_only_with_each_access_in_its_order() -> None:
    log = fold(ACCESSES)
    assert is_whole(log, ACCESSES)
    changed = [{**ACCESSES[0], "purpose": "sale"}, *ACCESSES[1:]]
    for wrong in (
        ACCESSES[:2],
        ACCESSES[1:],
        ACCESSES[::-1],
        [*ACCESSES, ACCESSES[2]],
        changed,
        [],
    ):
        assert not is_whole(log, wrong)
    assert not is_whole({**log, "accesses": 2}, ACCESSES)


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "string", "format": "date-time"}, "datetime"),
        ({"type": "integer"}, "integer"),
        ({"type": "number"}, "number"),
        ({"type": "boolean"}, "boolean"),
        ({"enum": ["a", 1, None]}, "choice"),
        ({"const": "x"}, "choice"),
        ({"$ref": "#/$defs/grade"}, "choice"),
        ({"type": "object"}, "json"),
        ({"type": ["string", "null"]}, "json"),
        ({"$ref": "https://elsewhere.example/x"}, "json"),
        (True, "json"),
    ],
)
def test_each_claim_has_the_control_that_its_schema_asks_for(part: Any, kind: str) -> None:
    schema = {"properties": {"claim": part}, "$defs": {"grade": {"enum": ["A", "B"]}}}
    (field,) = derive_fields(schema)
    assert (field.name, field.kind, field.is_required) == ("claim", kind, False)


def test_required_claims_come_first_even_those_without_a_type() -> None:
    schema = {
        "properties": {"a": {"type": "string"}, "b": {"type": "integer", "minimum": 0}},
        "required": ["b", "c"],
    }
    fields = derive_fields(schema)
    assert [(each.name, each.is_required) for each in fields] == [
        ("b", True),
        ("c", True),
        ("a", False),
    ]
    assert fields[0].minimum == 0


def test_the_tree_is_a_picture_whose_table_says_the_same_and_runs_nothing() -> None:
    attack = "<script>alert(1)</script>"
    child = TreeNode(
        title=attack, subtitle="May issue", state="suspended", tone="busy", href="//evil.example"
    )
    root = TreeNode(
        title="Root", subtitle="x", state="in force", tone="good", href="/r", children=(child,)
    )
    frame = Frame(name="tree", title="Tree", description="Who stands under whom")
    drawn = str(draw_tree(frame, [root], ("Who", "State", "Under"), [("good", "in force")]))
    assert attack not in drawn
    assert "evil.example" not in drawn
    assert drawn.count('class="node') == 2
    assert drawn.count("<tr>") == 3
    assert 'class="link busy"' in drawn
