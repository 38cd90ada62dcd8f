"""`hansa schema`: publish, update, deprecate, show and list; compare two, judge a document by one.

Sends messages of the contract `schemas`, by proposal where a standard is meant.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from hansa.cli.acting import json_parameter, place_parameters
from hansa.cli.answers import NO, YES, Screen, answer, count_of, hint
from hansa.cli.asking import LIST_MAX, format_record, open_gateway, reader_option
from hansa.cli.derived import build_group
from hansa.cli.identity.acts import (
    build_act_command,
    compute_digest,
    file_option,
    perform,
    propose_option,
)
from hansa.cli.identity.known_schemas import APPLICATION, find_schema
from hansa.cli.identity.schema_files import read_document, read_schema
from hansa.cli.place import find_place
from hansa.client.gateway import Gateway
from hansa.contracts.schemas.model import (
    DeprecateSchema,
    DescribeSchema,
    PublishSchema,
    PublishStandard,
    UpdateSchema,
)
from hansa.identity.json_schema import find_incompatible

_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
_WHICH: Final = "ID|NAME|NAME:MAJOR|NAME@VERSION"


def _publication_options() -> list[click.Parameter]:
    return [
        click.Argument(["file"], metavar="FILE", type=_FILE),
        click.Option(["--name"], required=True, metavar="NAME", help="Its name in the league."),
        click.Option(["--version"], required=True, metavar="M.N.P", help="Semantic version."),
        click.Option(["--vct"], default="", metavar="TYPE", help="Type of its SD-JWT VCs."),
        file_option("--labels", "Labels in the four languages; only the digest is published."),
        file_option("--type-metadata", "SD-JWT VC type metadata; only the digest is published."),
        click.Option(["--standard", "is_standard"], is_flag=True, help="Propose it as a standard."),
    ]


def _publish(file: Path, **values: Any) -> int:
    return _send(file, values, "")


def _update(file: Path, replaces: str | None, **values: Any) -> int:
    place = find_place(values["league"], values["node"])
    with open_gateway(place, values["signer_name"]) as gateway:
        wanted = replaces or _name_predecessor(gateway, values["name"], values["version"])
        record = find_schema(gateway, wanted).record
    return _send(file, values, str(record["id"]) if record is not None else "")


def _name_predecessor(gateway: Gateway, name: str, version: str) -> str:
    """The line of the same major where there is one, else the newest of all."""
    major = version.partition(".")[0]
    line = gateway.record(APPLICATION, "schema_line", name)
    known = {each["version"].partition(".")[0] for each in line["versions"]} if line else set()
    return f"{name}:{major}" if major in known else name


def _send(file: Path, values: dict[str, Any], replaces: str) -> int:
    fields = {
        "name": values["name"],
        "version": values["version"],
        "document": read_schema(file),
        "vct": values["vct"],
        "labels": compute_digest(values["labels"]),
        "type_metadata": compute_digest(values["type_metadata"]),
    }
    if values["is_standard"]:
        message: Any = PublishStandard(**fields, replaces=replaces)
    elif replaces:
        message = UpdateSchema(**fields, replaces=replaces)
    else:
        message = PublishSchema(**fields)
    try:
        message = msgspec.convert(msgspec.to_builtins(message), type(message))
    except msgspec.ValidationError as error:
        raise click.UsageError(str(error)) from error
    schema = hashlib.sha256(fields["document"].encode()).hexdigest()
    hint(f"schema {schema}")
    place = find_place(values["league"], values["node"])
    with open_gateway(place, values["signer_name"]) as gateway:
        known = gateway.record(APPLICATION, "schema", schema)
    if known is not None and (known["name"], known["version"]) == (
        fields["name"],
        fields["version"],
    ):
        answer(
            {"state": "already", "schema": schema},
            f"{schema}  published already",
            as_json=values["as_json"],
        )
        return YES
    return perform(values, APPLICATION, message, is_proposed=values["is_standard"])


def _deprecate(
    schema: str, reason: str, successor: str | None, is_proposed: bool, **values: Any
) -> int:
    place = find_place(values["league"], values["node"])
    with open_gateway(place, values["signer_name"]) as gateway:
        message = DeprecateSchema(
            schema=_need_id(gateway, schema),
            reason=reason,
            successor=_need_id(gateway, successor) if successor else "",
        )
    return perform(values, APPLICATION, message, is_proposed=is_proposed)


def _describe(
    schema: str,
    labels: Path | None,
    type_metadata: Path | None,
    is_proposed: bool,
    **values: Any,
) -> int:
    place = find_place(values["league"], values["node"])
    with open_gateway(place, values["signer_name"]) as gateway:
        record = find_schema(gateway, schema).record or {}
    message = DescribeSchema(
        schema=record["id"],
        labels=compute_digest(labels) or record["labels"],
        type_metadata=compute_digest(type_metadata) or record["type_metadata"],
    )
    return perform(values, APPLICATION, message, is_proposed=is_proposed)


def _need_id(gateway: Gateway, schema: str) -> str:
    record = find_schema(gateway, schema).record
    return str(record["id"]) if record is not None else schema


def _show(schema: str, output: Path | None, **values: Any) -> int:
    from hansa.client.files import store_file

    place = find_place(values["league"], values["node"])
    with open_gateway(place, values["signer_name"]) as gateway:
        record = find_schema(gateway, schema).record or {}
    if output is not None:
        store_file(output, record["document"].encode(), replace=values["force"])
    shown = {name: value for name, value in record.items() if name not in ("document", "v")}
    indented = json.dumps(json.loads(record["document"]), ensure_ascii=False, indent=2)
    answer(record, f"{format_record(shown)}\n{indented}", as_json=values["as_json"])
    return YES


def _list(limit: int, after: str | None, **values: Any) -> int:
    place = find_place(values["league"], values["node"])
    with open_gateway(place, values["signer_name"]) as gateway:
        page = gateway.records(APPLICATION, "schema_line", limit=limit, after=after)
    screen = Screen(as_json=values["as_json"])
    screen.document({"items": list(page.items), "next": page.next})
    rows = [
        [line["name"], each["version"], each["schema"], line["owner"]]
        for line in page.items
        for each in line["versions"]
    ]
    screen.table(["name", "version", "schema", "owner"], rows)
    if page.next:
        hint(f"more: add --after {page.next}")
    return YES


def _check(document: Path, schema: str, **values: Any) -> int:
    from hansa.identity.json_validation import CompiledSchema

    judged = read_document(document)
    given = Path(schema)
    if given.is_file():
        rules = json.loads(read_schema(given))
    else:
        place = find_place(values["league"], values["node"])
        with open_gateway(place, values["signer_name"]) as gateway:
            rules = json.loads((find_schema(gateway, schema).record or {})["document"])
    faults = CompiledSchema(rules).find_faults(judged)
    lines = [f"  ✗ {path or '/'}: {keyword}" for path, keyword in faults]
    head = f"✗ {count_of(len(faults), 'fault')} by {schema}" if faults else f"✓ valid by {schema}"
    found = [{"path": path, "keyword": keyword} for path, keyword in faults]
    answer(
        {"valid": not faults, "faults": found},
        "\n".join([head, *lines]),
        as_json=values["as_json"],
    )
    return NO if faults else YES


def _compare(old: str, new: str, **values: Any) -> int:
    documents = [_read_either(each, values) for each in (old, new)]
    found = find_incompatible(*documents)
    lines = [f"  ✗ {path or '/'}: {code}" for path, code in found]
    head = (
        f"✗ incompatible: {count_of(len(found), 'change')}, a new major version"
        if found
        else "✓ compatible: a minor or patch version"
    )
    told = [{"path": path, "code": code} for path, code in found]
    answer(
        {"compatible": not found, "changes": told},
        "\n".join([head, *lines]),
        as_json=values["as_json"],
    )
    return NO if found else YES


def _read_either(text: str, values: dict[str, Any]) -> Any:
    """The schema of a file, or a published one."""
    if Path(text).is_file():
        return json.loads(read_schema(Path(text)))
    place = find_place(values["league"], values["node"])
    with open_gateway(place, values["signer_name"]) as gateway:
        return json.loads((find_schema(gateway, text).record or {})["document"])


def _type_metadata(
    schema: str, labels: Path, vct: str, output: Path, force: bool, **values: Any
) -> int:
    from hansa.cli.identity.type_metadata import write_type_metadata

    rules = _read_either(schema, values)
    return write_type_metadata(rules, labels, vct, output, force=force, as_json=values["as_json"])


def _labels(file: Path, as_json: bool) -> int:
    from hansa.cli.identity.type_metadata import tell_labels

    return tell_labels(file, as_json)


_ASKING: Final = [reader_option(), *place_parameters(), json_parameter()]
_SCHEMA: Final = click.Argument(["schema"], metavar=_WHICH)

OWN: Final = (
    build_act_command(
        "publish",
        _publication_options(),
        _publish,
        "Publish a schema under a new name, which is your organisation's from then on.\n\n"
        "The file is a JSON Schema (2020-12); its id is the SHA-256 of its canonical form.\n\n"
        "\b\nExample:\n  hansa schema publish licence.json --name licence --version 1.0.0 \\\n"
        "    --as registry",
    ),
    build_act_command(
        "update",
        [
            *_publication_options(),
            click.Option(
                ["--replaces"],
                metavar=_WHICH,
                help="Its predecessor.  [default: the newest of the same major, or of all]",
            ),
        ],
        _update,
        "Publish a further version; what takes something away needs a new major version.\n\n"
        "\b\nExample:\n  hansa schema compare licence licence-2.json\n"
        "  hansa schema update licence-2.json --name licence --version 1.1.0 --as registry",
    ),
    build_act_command(
        "deprecate",
        [
            _SCHEMA,
            click.Option(["--reason"], required=True, metavar="CODE", help="Why, as a code."),
            click.Option(["--successor"], metavar=_WHICH, help="What to use instead."),
            propose_option(),
        ],
        _deprecate,
        "Say that a schema is not to be used anew; what was made by it stays good.\n\n"
        "\b\nExample:\n  hansa schema deprecate licence@1.0.0 --reason replaced \\\n"
        "    --successor licence@2.0.0 --as registry",
    ),
    build_act_command(
        "describe",
        [
            _SCHEMA,
            file_option("--labels", "Labels in the four languages; only the digest is published."),
            file_option("--type-metadata", "SD-JWT VC type metadata; only its digest."),
            propose_option(),
        ],
        _describe,
        "Replace the digests of labels and type metadata of a schema.\n\n"
        "\b\nExample:\n  hansa schema describe licence --labels labels.json --as registry",
    ),
    click.Command(
        "show",
        params=[
            _SCHEMA,
            click.Option(["-o", "--output"], type=click.Path(path_type=Path), metavar="FILE"),
            click.Option(["--force"], is_flag=True, help="Replace the file if it is there."),
            *_ASKING,
        ],
        callback=_show,
        help="Show a schema; with -o its document goes into a file.\n\n"
        "\b\nExample:\n  hansa schema show licence:1 -o licence.json",
    ),
    click.Command(
        "list",
        params=[
            click.Option(
                ["--limit"], type=click.IntRange(1, 200), default=LIST_MAX, show_default=True
            ),
            click.Option(["--after"], metavar="CURSOR", help="Go on after this cursor."),
            *_ASKING,
        ],
        callback=_list,
        help="List names, their versions and owners.\n\n"
        "\b\nExample:\n  hansa schema list --limit 10",
    ),
    click.Command(
        "check",
        params=[
            click.Argument(["document"], metavar="DOCUMENT", type=_FILE),
            click.Option(
                ["--schema"],
                required=True,
                metavar=f"FILE|{_WHICH}",
                help="The schema to judge by.",
            ),
            *_ASKING,
        ],
        callback=_check,
        help="Judge a JSON document by a schema, published or in a file; names places, no values."
        "\n\n\b\nExample:\n  hansa schema check claim.json --schema licence:1",
    ),
    click.Command(
        "compare",
        params=[
            click.Argument(["old"], metavar=f"FILE|{_WHICH}"),
            click.Argument(["new"], metavar=f"FILE|{_WHICH}"),
            *_ASKING,
        ],
        callback=_compare,
        help="Say what a new version takes away from the old one: the ledger's own comparison."
        "\n\n\b\nExample:\n  hansa schema compare licence:1 licence-next.json",
    ),
    click.Command(
        "labels",
        params=[click.Argument(["file"], metavar="FILE", type=_FILE), json_parameter()],
        callback=_labels,
        help="Check a bundle of labels in the four languages, and give its digest.\n\n"
        "One object for each of en, pt, zh-Hans, zh-Hant: place in the schema (JSON pointer) to "
        'label; "" is the schema itself.\n\n'
        "\b\nExample:\n  hansa schema labels licence-labels.json",
    ),
    click.Command(
        "type-metadata",
        params=[
            click.Argument(["schema"], metavar=f"FILE|{_WHICH}"),
            click.Option(
                ["--labels"], type=_FILE, required=True, metavar="FILE", help="Labels to show."
            ),
            click.Option(["--vct"], required=True, metavar="TYPE", help="Type of the SD-JWT VCs."),
            click.Option(
                ["-o", "--output"], type=click.Path(path_type=Path), required=True, metavar="FILE"
            ),
            click.Option(["--force"], is_flag=True, help="Replace the file if it is there."),
            *_ASKING,
        ],
        callback=_type_metadata,
        help="Make the SD-JWT VC type metadata of a schema from its labels.\n\n"
        "\b\nExample:\n  hansa schema type-metadata licence --labels licence-labels.json \\\n"
        "    --vct https://registry.example/licence -o licence-type.json",
    ),
)

command = build_group(APPLICATION, shown_as="schema", own=OWN)
