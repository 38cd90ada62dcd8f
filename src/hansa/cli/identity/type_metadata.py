"""`hansa schema labels` and `type-metadata`: what is said of a schema in the four languages.

Labels stand beside a schema, by JSON pointer; type metadata of SD-JWT VCs is made from both.
"""

from pathlib import Path
from typing import Any, Final

from hansa.cli.answers import YES, answer, hint
from hansa.cli.identity.acts import compute_digest
from hansa.cli.identity.schema_files import WrongFile, read_document
from hansa.identity.json_canonical import canonicalize
from hansa.identity.type_metadata import (
    ClaimType,
    Display,
    TypeMetadata,
    build_type_metadata,
    compute_integrity,
    read_type_metadata,
)

LANGUAGES: Final = ("en", "pt", "zh-Hans", "zh-Hant")
_FORM: Final = 'write {"en": {"": "Licence", "/properties/name": "Name"}, "pt": …}'
Labels = dict[str, dict[str, str]]
Path_ = tuple[str | int | None, ...]


def read_labels(file: Path) -> Labels:
    """Labels by language and place, the same places in each language. Raises WrongFile."""
    labels = read_document(file)
    if set(labels) != set(LANGUAGES) or not all(isinstance(labels[each], dict) for each in labels):
        raise WrongFile(f"{file}: wants {', '.join(LANGUAGES)} and no others", _FORM)
    pointers = {pointer for words in labels.values() for pointer in words}
    gaps = sorted(
        f"{name} {pointer or '(the schema)'}"
        for name, words in labels.items()
        for pointer in pointers
        if not (isinstance(words.get(pointer), str) and words[pointer])
    )
    if gaps:
        raise WrongFile(f"{file}: no label for {', '.join(gaps)}", _FORM)
    return dict(labels)


def tell_labels(file: Path, as_json: bool) -> int:
    """Check a bundle of labels; its digest."""
    labels = read_labels(file)
    digest = compute_digest(file)
    document = {"file": str(file), "digest": digest, "labels": len(labels["en"])}
    answer(document, digest, as_json=as_json)
    return YES


def write_type_metadata(
    schema: dict[str, Any], labels_file: Path, vct: str, output: Path, *, force: bool, as_json: bool
) -> int:
    """Make the type metadata of a schema with its labels; its digest and integrity."""
    from hansa.client.files import store_file

    labels = read_labels(labels_file)
    metadata = build_type_metadata(make_type(schema, labels, vct))
    data = canonicalize(metadata)
    read_type_metadata(data, vct=vct)
    store_file(output, data, replace=force)
    digest = compute_digest(output)
    document = {
        "file": str(output),
        "digest": digest,
        "vct": vct,
        "vct#integrity": compute_integrity(data),
    }
    answer(document, digest, as_json=as_json)
    hint("publish its digest: hansa schema describe SCHEMA --type-metadata FILE")
    return YES


def make_type(schema: dict[str, Any], labels: Labels, vct: str) -> TypeMetadata:
    """The type whose claims are the labelled places of a schema. Raises WrongFile for a label of
    what is not in the schema.
    """
    claims = []
    for pointer in sorted(set(labels["en"]) - {""}):
        path, is_mandatory = _find_claim(schema, pointer)
        claims.append(
            ClaimType(path=path, display=_display(labels, pointer), is_mandatory=is_mandatory)
        )
    has_name = "" in labels["en"]
    return TypeMetadata(
        vct=vct,
        name=labels["en"][""] if has_name else "",
        display=_display(labels, "") if has_name else (),
        claims=tuple(claims),
    )


def _display(labels: Labels, pointer: str) -> tuple[Display, ...]:
    return tuple(Display(locale=each, name=labels[each][pointer]) for each in LANGUAGES)


def _find_claim(schema: dict[str, Any], pointer: str) -> tuple[Path_, bool]:
    """The path of the claim at `/properties/a/items/properties/b`, and whether it must be there."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    path: list[str | int | None] = []
    here: Any = schema
    is_mandatory = True
    while parts and isinstance(here, dict):
        word = parts.pop(0)
        if word == "properties" and parts:
            name = parts.pop(0)
            is_mandatory = is_mandatory and name in here.get("required", [])
            here = here.get("properties", {}).get(name)
            path.append(name)
        elif word == "items":
            here = here.get("items")
            is_mandatory = False
            path.append(None)
        else:
            here = None
    if here is None or parts:
        raise WrongFile(f"the schema has nothing at {pointer}", "label its properties and items")
    return tuple(path), is_mandatory
