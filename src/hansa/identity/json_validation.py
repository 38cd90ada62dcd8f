"""Documents judged by a JSON Schema: one pinned library, offline, linear patterns, formats judged.

For verifiers and gateways, never for consensus. What it reports names places and keywords and no
values: a report of faults may be logged.
"""

from collections.abc import Mapping
from typing import Any, Final

import jsonschema_rs

from hansa.identity.json_schema import InvalidSchema, check_schema
from hansa.identity.schema_changes import escape_pointer

FAULTS_MAX: Final = 100
# Schemas times values: a second of judging, a second of telling what is wrong. Who publishes the
# schema and writes the document may be one, and the verifier's time is not theirs.
JUDGED_MAX: Final = 20_000_000
TOLD_MAX: Final = 500_000
_PATTERN_BYTES_MAX: Final = 2_000_000


class CompiledSchema:
    """A checked schema, ready to judge any number of documents."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Raises InvalidSchema when the document is not of the profile (`check_schema`)."""
        self._nodes = check_schema(document)
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                dict(document),
                validate_formats=True,
                ignore_unknown_formats=False,
                offline=True,
                pattern_options=jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES_MAX),
            )
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise InvalidSchema("unsafe_pattern", "") from error

    def is_valid(self, instance: object) -> bool:
        """Whether a parsed JSON document is valid."""
        return self._validator.is_valid(instance)

    def find_faults(self, instance: object) -> list[tuple[str, str]]:
        """Faults of a parsed document: [(JSON pointer into it, keyword)], at most FAULTS_MAX.

        One that is too large for its schema is not judged but refused: ("", "too_large"); of one
        that is too large to tell where it fails: ("", "invalid").
        """
        work = self._nodes * _count_values(instance)
        if work > JUDGED_MAX:
            return [("", "too_large")]
        if self.is_valid(instance):
            return []
        if work > TOLD_MAX:
            return [("", "invalid")]
        faults: list[tuple[str, str]] = []
        for error in self._validator.iter_errors(instance):
            pointer = "".join(f"/{escape_pointer(str(part))}" for part in error.instance_path)
            faults.append((pointer, _name_keyword(error.schema_path)))
            if len(faults) == FAULTS_MAX:
                break
        return sorted(set(faults))


def _count_values(instance: object) -> int:
    count, waiting = 0, [instance]
    while waiting:
        value = waiting.pop()
        count += 1
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return count


def _name_keyword(path: list[str | int]) -> str:
    """The keyword that refused: the last word of the place in the schema."""
    words = [part for part in path if isinstance(part, str)]
    return words[-1] if words else "false"
