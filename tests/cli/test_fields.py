"""Options derive from the types of messages: bounds, choices, names for DIDs, JSON for the rest."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

import click
import msgspec
import pytest
from msgspec import Meta

from hansa.cli.fields import (
    RESERVED,
    build_body,
    build_message,
    build_option,
    describe_fields,
    parse_json,
)
from hansa.ledger.model import Message
from hansa.primitives.values import Count, Did, Text


class Size(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    width: int
    height: int


class PaintHouse(Message, frozen=True, kw_only=True):
    """Paint a house."""

    ROLE: ClassVar[str] = ""

    owner: Did
    colour: Literal["red", "white"]
    coats: Annotated[int, Meta(ge=1, le=3, description="Coats of paint")] = 2
    cost: Count
    name: Text
    helpers: tuple[Did, ...] = ()
    rooms: tuple[str, ...]
    size: Size | None = None
    wet: bool = False
    node: str = ""
    until: Annotated[int, Meta(gt=0)] | None = None


FIELDS = {field.name: field for field in describe_fields(PaintHouse)}
DID = "did:hansa:" + "a" * 32


def resolve(text: str) -> str:
    return DID if text == "me" else text


def parse(*words: str) -> Message:
    """As the derived command does."""
    fields = describe_fields(PaintHouse)
    values: dict[str, object] = {}
    command = click.Command("x", params=[build_option(field) for field in fields],
                            callback=lambda **given: values.update(given))  # fmt: skip
    command.main(list(words), standalone_mode=False)
    own = {field.name: values[field.parameter] for field in fields}
    return build_message(PaintHouse, build_body(fields, own, resolve))


COMPLETE = (
    "--owner", "me", "--colour", "red", "--cost", "5", "--name", "家", "--rooms", "a",
)  # fmt: skip


def test_kinds_of_options() -> None:
    kinds = {name: field.kind for name, field in FIELDS.items()}
    assert kinds == {
        "owner": "did", "colour": "choice", "coats": "integer", "cost": "integer",
        "name": "text", "helpers": "many", "rooms": "many", "size": "json", "wet": "flag",
        "node": "text", "until": "integer",
    }  # fmt: skip


def test_options_become_a_message() -> None:
    message = parse(
        *COMPLETE, "--rooms", "b", "--helpers", "me", "--size", '{"width": 1, "height": 2}',
        "--wet", "--until", "7", "--coats", "3",
    )  # fmt: skip
    assert message == PaintHouse(
        owner=DID, colour="red", cost=5, name="家", rooms=("a", "b"), helpers=(DID,),
        size=Size(1, 2), wet=True, until=7, coats=3,
    )  # fmt: skip


def test_defaults_are_the_types_own() -> None:
    assert parse(*COMPLETE) == PaintHouse(owner=DID, colour="red", cost=5, name="家", rooms=("a",))


@pytest.mark.parametrize(
    "words",
    [
        ("--coats", "0"),
        ("--coats", "4"),
        ("--coats", "two"),
        ("--cost", "-1"),
        ("--colour", "blue"),
        ("--until", "0"),
        ("--size", "{"),
        ("--size", '{"width": "1"}'),
        ("--name", ""),
        ("--owner", "did:hansa:short"),
        ("--owner", "nobody"),
    ],
)
def test_values_out_of_bounds_are_wrong_use(words: tuple[str, ...]) -> None:
    with pytest.raises(click.UsageError):
        parse(*COMPLETE, *words)


@pytest.mark.parametrize("missing", ["--owner", "--colour", "--cost", "--name"])
def test_missing_option_is_named(missing: str) -> None:
    place = COMPLETE.index(missing)
    with pytest.raises(click.UsageError) as refusal:
        parse(*COMPLETE[:place], *COMPLETE[place + 2 :])
    assert missing in str(refusal.value)


def test_field_with_the_name_of_a_common_option_gets_its_own() -> None:
    assert FIELDS["node"].option == "--field-node"
    assert not {field.option for field in FIELDS.values()} & RESERVED
    message = parse(*COMPLETE, "--field-node", "here")
    assert isinstance(message, PaintHouse)
    assert message.node == "here"


def test_help_tells_bounds_and_defaults() -> None:
    assert "Coats of paint" in FIELDS["coats"].help
    assert "[default: 2]" in FIELDS["coats"].help
    assert "several times" in FIELDS["helpers"].help
    assert "@FILE" in FIELDS["size"].help


def test_json_from_text_and_file(tmp_path: Path) -> None:
    file = tmp_path / "size.json"
    file.write_text('{"width": 1}', encoding="utf-8")
    assert parse_json(f"@{file}", "--size") == {"width": 1}
    for text in ("@missing.json", "{", "[" * 100_000, ""):
        with pytest.raises(click.UsageError):
            parse_json(text, "--size")


@pytest.mark.parametrize("body", [1, "x", [], None, {"v": 2}, {"unknown": 1}])
def test_body_that_is_no_message_is_wrong_use(body: object) -> None:
    with pytest.raises(click.UsageError):
        build_message(PaintHouse, body)
