"""`hansa schema` on files: compare, check, labels. It needs no league and no node for that."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from hansa.cli.main import run
from hansa.identity.type_metadata import read_type_metadata

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 200}},
    "required": ["name"],
}
LANGUAGES = ("en", "pt", "zh-Hans", "zh-Hant")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a schema in it, and no league anywhere above."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "old.json", SCHEMA)
    return tmp_path


def write(folder: Path, name: str, value: Any) -> str:
    file = folder / name
    file.write_text(value if isinstance(value, str) else json.dumps(value, indent=2))
    return str(file)


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """The exit code and the JSON answer."""
    capsys.readouterr()
    code = run(["schema", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_compare_says_what_is_taken_away(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wider = {**SCHEMA, "properties": {"name": {"type": "string"}, "note": {"type": "string"}}}
    narrower = {**SCHEMA, "required": ["name", "note"]}
    code, found = ask(capsys, "compare", "old.json", write(folder, "wider.json", wider))
    assert (code, found) == (0, {"compatible": True, "changes": []})
    code, found = ask(capsys, "compare", "old.json", write(folder, "narrower.json", narrower))
    assert code == 1
    assert found["changes"] == [{"path": "/required/note", "code": "required_added"}]


def test_check_names_places_and_no_values(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = write(folder, "good.json", {"name": "Ada"})
    secret = write(folder, "bad.json", {"name": 4711})
    assert ask(capsys, "check", good, "--schema", "old.json") == (0, {"valid": True, "faults": []})
    code, found = ask(capsys, "check", secret, "--schema", "old.json")
    assert (code, found["faults"]) == (1, [{"path": "/name", "keyword": "type"}])
    assert "4711" not in json.dumps(found)


@pytest.mark.parametrize(
    "wrong",
    [
        "nothing",
        "[]",
        '{"type":"object","type":"object"}',
        {"type": "object"},
        {**SCHEMA, "items": {"$ref": "https://example.org/other"}},
        {**SCHEMA, "maximum": 1.5},
        {**SCHEMA, "properties": {"größe": {}}},
    ],
)
def test_invalid_schema_file(folder: Path, capsys: pytest.CaptureFixture[str], wrong: Any) -> None:
    """What the ledger would refuse is refused before anything is sent."""
    code, found = ask(capsys, "compare", "old.json", write(folder, "wrong.json", wrong))
    assert (code, found["error"]["code"]) == (2, "cli.wrong_schema")


def test_labels_are_there_in_all_four_languages(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = {each: {"": each, "/properties/name": each} for each in LANGUAGES}
    file = write(folder, "labels.json", labels)
    code, found = ask(capsys, "labels", file)
    assert (code, found["labels"], len(found["digest"])) == (0, 2, 64)
    gap = {**labels, "pt": {"": "pt"}}
    code, found = ask(capsys, "labels", write(folder, "gap.json", gap))
    assert (code, "pt /properties/name" in found["error"]["text"]) == (2, True)
    three = {each: labels[each] for each in LANGUAGES[:3]}
    assert ask(capsys, "labels", write(folder, "three.json", three))[0] == 2


def test_type_metadata_is_made_from_schema_and_labels(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nested = {
        **SCHEMA,
        "properties": {
            "name": {"type": "string"},
            "shops": {"type": "array", "items": {"properties": {"city": {"type": "string"}}}},
        },
    }
    write(folder, "nested.json", nested)
    city = "/properties/shops/items/properties/city"
    labels = {each: {"": each, "/properties/name": each, city: each} for each in LANGUAGES}
    given = ("--labels", write(folder, "labels.json", labels), "--vct", "urn:licence")
    code, made = ask(capsys, "type-metadata", "nested.json", *given, "-o", "type.json")
    data = (folder / "type.json").read_bytes()
    found = read_type_metadata(data, vct="urn:licence", integrity=made["vct#integrity"])
    assert (code, made["digest"]) == (0, hashlib.sha256(data).hexdigest())
    assert [(each.path, each.is_mandatory) for each in found.claims] == [
        (("name",), True),
        (("shops", None, "city"), False),
    ]
    assert {each.locale for each in found.display} == set(LANGUAGES)
    strange = {each: {"/properties/nothing": each} for each in LANGUAGES}
    given = ("--labels", write(folder, "labels.json", strange), "--vct", "urn:licence")
    code, made = ask(capsys, "type-metadata", "nested.json", *given, "-o", "other.json")
    assert (code, made["error"]["code"]) == (2, "cli.wrong_schema")
    assert not (folder / "other.json").exists()
