"""What identifiers of each kind of records look like, as data: `shapes.json` of the console. Pure.

From the types of KEY (ledger/model.py) and the applications' KeyRules. Read by the browser's
verifier (verify/identifiers.js), which must say of each identifier what `Record.is_key` says.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.inspect import IntType, LiteralType, Metadata, StrType, type_info

from hansa.appkit.application import Application
from hansa.appkit.key_rule import KeyRule
from hansa.ledger.contracts import get_version
from hansa.ledger.model import Record
from hansa.ledger.system import BlockRecord, Deadline, Liveness, Seen
from hansa.primitives.identifiers import SCHEMES

# Kinds that the kernel itself writes, under its own name.
_KERNEL: tuple[type[Record], ...] = (BlockRecord, Deadline, Liveness, Seen)


def build_shapes(applications: Iterable[Application]) -> dict[str, Any]:
    """`{"kinds": {application: {kind: {"form", "parts", "rule"?}}}, "schemes": {scheme: …}}`."""
    kinds: dict[str, dict[str, Any]] = {
        BlockRecord.OWNER: {kind.KIND: _describe(kind, ()) for kind in _KERNEL}
    }
    for application in applications:
        kinds[application.name] = {
            kind.KIND: _describe(kind, application.key_rules) for kind in _list_newest(application)
        }
    schemes = {
        name: {"pattern": scheme.pattern.pattern, "checked": scheme.check is not None}
        for name, scheme in SCHEMES.items()
    }
    return {"kinds": kinds, "schemes": schemes}


def _list_newest(application: Application) -> list[type[Record]]:
    names = {record.KIND for record in application.records}
    return [
        max((each for each in application.records if each.KIND == name), key=get_version)
        for name in sorted(names)
    ]


def _describe(kind: type[Record], rules: tuple[KeyRule, ...]) -> dict[str, Any]:
    """`parts`: null when the rule alone decides; `rule`: null when the kind's own is not said."""
    form = kind.KEY_FORM or "/".join(kind.KEY).upper()
    parts = None if kind.KEY_FORM else [_describe_part(kind, name) for name in kind.KEY]
    described: dict[str, Any] = {"form": form, "parts": parts}
    rule = next((rule for rule in rules if rule.kind is kind), None)
    if rule is not None:
        pattern = rule.pattern.replace("(?P<", "(?<")
        described["rule"] = {"pattern": pattern, "checks": rule.checks}
    elif kind.is_key.__func__ is not Record.is_key.__func__:  # type: ignore[attr-defined]
        described["rule"] = None
    return described


def _describe_part(kind: type[Record], name: str) -> dict[str, Any]:
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    info = type_info(types[name])
    if isinstance(info, Metadata):
        info = info.type
    if isinstance(info, LiteralType):
        return {"words": [str(value) for value in info.values]}
    if isinstance(info, StrType):
        part = {"pattern": info.pattern, "min": info.min_length, "max": info.max_length}
    elif isinstance(info, IntType):
        digits = kind.KEY_DIGITS.get(name)
        part = {"integer": True, "min": info.ge, "max": info.le, "digits": digits}
    else:
        raise TypeError(f"{kind.KIND}: a part of an identifier is a text or an integer")
    return {name: value for name, value in part.items() if value is not None}
