"""The reference page of an application, in Markdown, from what it says of itself. Pure."""

from typing import Any

from hansa.appkit.application import Application
from hansa.appkit.schema import describe_application


def render_reference(application: Application) -> str:
    """The whole page; the same application gives the same text."""
    about = describe_application(application)
    lines = [f"# {application.title}", ""]
    lines.append(
        f"`{application.name}`, contract version {about['version']}. Derived; do not edit."
    )
    if about["roles"]:
        lines += ["", "## Roles", "", "| role | granted by | may |", "| --- | --- | --- |"]
        lines += [
            f"| {role['name']} | {', '.join(role['granted_by'])} | {role['text']} |"
            for role in about["roles"]
        ]
    lines += ["", "## Messages"]
    for message in about["messages"]:
        lines += ["", f"### {message['name']} (version {message['version']})", ""]
        lines.append(_join(message["text"]))
        lines += ["", _describe_sender(message), *_render_fields(message["schema"])]
    lines += ["", "## Records"]
    for record in about["records"]:
        lines += ["", f"### {record['kind']}", "", _describe_readers(record)]
        lines += _render_fields(record["schema"])
    if about["events"]:
        lines += ["", "## Events"]
    for event in about["events"]:
        lines += ["", f"### {event['name']}", "", _describe_readers(event)]
        lines += _render_fields(event["schema"])
    if about["rejections"]:
        lines += ["", "## Rejections", "", "| code | rule | says | next step |"]
        lines += ["| --- | --- | --- | --- |"]
        lines += [
            f"| {each['code']} | {each['rule']} | {each['text']} | {each['remedy']} |"
            for each in about["rejections"]
        ]
    if about["invariants"]:
        lines += ["", "## Invariants", "", "| id | property |", "| --- | --- |"]
        lines += [f"| {each['id']} | {each['text']} |" for each in about["invariants"]]
    return "\n".join(lines) + "\n"


def _join(text: str) -> str:
    return " ".join(text.split())


def _describe_sender(message: dict[str, Any]) -> str:
    if message["internal"]:
        return "Sent by governance or a deadline only."
    role = message["role"]
    return f"Role: {role}." if role else "Any account in good standing; the rules decide."


def _describe_readers(described: dict[str, Any]) -> str:
    readers = described.get("readers") or []
    also = f", and holders of {', '.join(readers)}" if readers else ""
    return f"Visibility: {described['visibility']}{also}."


def _render_fields(schema: dict[str, Any]) -> list[str]:
    """A table of the fields of the schema's own type, then one of each type nested in it."""
    definitions = schema.get("$defs", {})
    own = schema.get("$ref", "").rsplit("/", 1)[-1]
    lines = _render_table(definitions.get(own, schema))
    for name, nested in sorted(definitions.items()):
        table = _render_table(nested) if name != own else []
        if table:
            text = _join(nested.get("description", ""))
            lines += ["", f"`{name}`: {text}" if text else f"`{name}`:", *table]
    return lines


def _render_table(top: dict[str, Any]) -> list[str]:
    required = set(top.get("required", []))
    lines = ["", "| field | type | required | |", "| --- | --- | --- | --- |"]
    for name, field in sorted(top.get("properties", {}).items()):
        if name == "v":
            continue
        needed = "yes" if name in required else ""
        lines.append(
            f"| {name} | {_name_type(field)} | {needed} | {field.get('description', '')} |"
        )
    return lines if len(lines) > 3 else []


def _name_type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in field:
        return " or ".join(_name_type(each) for each in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        items = field.get("items")
        return f"list of {_name_type(items)}" if isinstance(items, dict) else "list"
    return str(field.get("type", "any"))
