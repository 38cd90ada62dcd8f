"""The fields of an event, each judged and made normal; every fault is noted with its place. Pure.

The tables at the end say which fields each type of event has. Source: EPCIS 2.0 clauses 7.3 and
7.4, and its JSON binding. What JSON and XML say alike ends alike here.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from hansa.apps.food_trace.documents import vocabulary
from hansa.apps.food_trace.documents.names import Context, InvalidContext
from hansa.apps.food_trace.documents.rulebook import Failure, make_failure
from hansa.apps.food_trace.documents.vocabulary import Vocabulary
from hansa.apps.food_trace.event_tree import ITEMS_MAX, find_element, parse_number
from hansa.apps.food_trace.faults import BadCheckDigit, BadIdentifier
from hansa.apps.food_trace.identifiers import is_uri
from hansa.apps.food_trace.timestamps import InvalidTime, is_offset, parse_time

Handler = Callable[["FieldReader", Any, str], Any]
Table = dict[str, Handler]

# Nesting of extensions; an event allows 32 levels in all.
EXTENSION_DEPTH_MAX: Final = 20
_UOM: Final = re.compile(r"[A-Z0-9]{2,3}\Z")
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+\Z")
# What a field becomes that is not kept.
DROPPED: Final = object()


class FieldReader:
    """Reads one event's fields; faults gather in `failures`.

    `is_xml`: names are in Clark's form already, and words may be URNs that nobody listed.
    """

    def __init__(self, context: Context, *, is_xml: bool) -> None:
        self.context = context
        self.is_xml = is_xml
        self.failures: list[Failure] = []

    def fail(self, rule: str, path: str, said: object = "") -> None:
        """Note a fault; `said` is shown when it is a text."""
        self.failures.append(make_failure(rule, path, said if isinstance(said, str) else ""))

    def read_object(self, fields: dict[str, Any], table: Table, path: str) -> dict[str, Any]:
        """The known fields by their table, the others as extensions."""
        read: dict[str, Any] = {}
        for key, value in fields.items():
            handler = table.get(key)
            if handler is not None:
                normal = handler(self, value, f"{path}/{key}")
                if normal is not DROPPED:
                    read[key] = normal
            else:
                self._read_extension(read, key, value, path)
        return read

    def _read_extension(self, read: dict[str, Any], key: str, value: Any, path: str) -> None:
        name = self.find_name(key)
        if name is None:
            self.fail("EPCIS-UNKNOWN-FIELD", f"{path}/{escape(key)}")
        elif name in read:
            self.fail("EPCIS-UNIQUE", f"{path}/{escape(key)}")
        else:
            read[name] = self.read_free(value, f"{path}/{escape(key)}", EXTENSION_DEPTH_MAX)

    def find_name(self, key: str) -> str | None:
        """The name of an extension in Clark's form, or None for a bare word."""
        if not self.is_xml:
            return self.context.expand_name(key)
        return key if key.startswith("{") else None

    def read_free(self, value: Any, path: str, levels: int) -> Any:
        """What an extension holds: anything; an array of one is that one (JSON-LD)."""
        if levels == 0:
            self.fail("NORMAL-DEPTH", path)
            return ""
        if type(value) is list:
            items = [
                self.read_free(item, f"{path}/{place}", levels - 1)
                for place, item in enumerate(value)
            ]
            return items[0] if len(items) == 1 else items
        if type(value) is str:
            return self.context.expand_own(value)
        if type(value) is not dict:
            return value
        read: dict[str, Any] = {}
        outer = self.context
        if "@context" in value and not self.is_xml:
            self.enter(value["@context"], path)
        for key, item in value.items():
            if key != "@context" or self.is_xml:
                name = self.find_name(key) or key
                name = name[1:] if name in {"@id", "@type"} else name
                if name in read or (key.startswith("{") and not self.is_xml):
                    self.fail("EPCIS-UNIQUE", f"{path}/{escape(key)}")
                read[name] = self.read_free(item, f"{path}/{escape(key)}", levels - 1)
        self.context = outer
        return read

    def enter(self, local: Any, path: str) -> None:
        """Apply a `@context` to what follows."""
        try:
            self.context = self.context.extend(local)
        except InvalidContext:
            self.fail("EPCIS-CONTEXT", f"{path}/@context")


def escape(key: str) -> str:
    """A key as a segment of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1") if "/" in key or "~" in key else key


# -- values -----------------------------------------------------------------------------------


def read_time(reader: FieldReader, value: Any, path: str) -> Any:
    """A date and time with a zone, kept as written; seconds may be missing in XML."""
    try:
        parse_time(value if type(value) is str else "")
    except InvalidTime:
        reader.fail("EPCIS-TIME", path, value)
        return value
    if value[16] == ":":
        return value
    if not reader.is_xml:
        reader.fail("EPCIS-TIME", path, value)
    return f"{value[:16]}:00{value[16:]}"


def read_offset(reader: FieldReader, value: Any, path: str) -> Any:
    """`+08:00`."""
    if type(value) is not str or not is_offset(value):
        reader.fail("EPCIS-OFFSET", path, value)
    return value


def read_action(reader: FieldReader, value: Any, path: str) -> Any:
    """ADD, OBSERVE, DELETE."""
    if type(value) is not str or value not in {"ADD", "OBSERVE", "DELETE"}:
        reader.fail("EPCIS-ACTION", path, value)
    return value


def read_text(reader: FieldReader, value: Any, path: str) -> Any:
    """Any text."""
    if type(value) is not str:
        reader.fail("EPCIS-SHAPE", path)
    return value


def read_uri(reader: FieldReader, value: Any, path: str) -> Any:
    """A URI, compact ones expanded."""
    if type(value) is not str:
        reader.fail("EPCIS-URI", path)
        return value
    full = reader.context.expand_value(value)
    if not is_uri(full):
        reader.fail("EPCIS-URI", path, value)
    return full


def read_key(reader: FieldReader, value: Any, path: str) -> Any:
    """A URI that may be a GS1 key: then its check digit and its form are right (I7)."""
    if type(value) is not str:
        reader.fail("EPCIS-URI", path)
        return value
    full = reader.context.expand_value(value)
    try:
        if not find_element(full):
            reader.fail("EPCIS-URI", path, value)
    except BadCheckDigit:
        reader.fail("I7-CHECK-DIGIT", path, value)
    except BadIdentifier:
        reader.fail("I7-KEY", path, value)
    return full


def read_number(reader: FieldReader, value: Any, path: str) -> Any:
    """A number, kept as written."""
    kind = type(value)
    if kind is not int and kind is not msgspec.Raw:
        reader.fail("EPCIS-NUMBER", path, value)
        return value
    try:
        parse_number(str(value) if kind is int else bytes(value).decode())
    except ValueError:
        reader.fail("NORMAL-NUMBER", path)
    return value


def read_boolean(reader: FieldReader, value: Any, path: str) -> Any:
    """true or false."""
    if type(value) is not bool:
        reader.fail("EPCIS-BOOLEAN", path, value)
    return value


def read_hex(reader: FieldReader, value: Any, path: str) -> Any:
    """Hexadecimal bytes."""
    if type(value) is not str or not _HEX.match(value):
        reader.fail("EPCIS-HEX", path, value)
    return value


def read_uom(reader: FieldReader, value: Any, path: str) -> Any:
    """A code of Recommendation 20, as the schema bounds it for quantities."""
    if type(value) is not str or not _UOM.match(value):
        reader.fail("EPCIS-UOM", path, value)
    return value


def read_word(words: Vocabulary) -> Handler:
    """A reader for the words of one vocabulary."""

    def read(reader: FieldReader, value: Any, path: str) -> Any:
        if type(value) is str:
            if value in words.words:
                return value
            found = _find_word(reader, value, words)
            if found:
                return found
        reader.fail(words.rule, path, value)
        return value

    return read


def _find_word(reader: FieldReader, text: str, words: Vocabulary) -> str:
    """A word in another spelling, or a URI of somebody else's vocabulary; "" when it is neither."""
    word = words.find_word(text)
    if word is not None:
        return word
    if text.startswith("gs1:"):
        return text  # newer than our list: kept compact
    full = reader.context.expand_value(text)
    word = words.find_word(full)
    if word is not None:
        return word
    if not is_uri(full):
        return ""
    if not full.startswith(("urn:epcglobal:cbv:", "https://ns.gs1.org/cbv/")):
        return full
    if not reader.is_xml:
        return ""  # JSON writes the words of CBV bare
    is_ours = words.urn and full.startswith(words.urn)
    return words.web + full[len(words.urn) :] if is_ours else full


def read_list(item: Handler, *, are_unique: bool = False) -> Handler:
    """A reader for a list; an empty one is left out."""

    def read(reader: FieldReader, value: Any, path: str) -> Any:
        if type(value) is not list:
            reader.fail("EPCIS-SHAPE", path)
            return DROPPED
        if not value:
            return DROPPED
        if len(value) > ITEMS_MAX:
            reader.fail("NORMAL-ITEMS", path)
            return DROPPED
        items = [item(reader, each, f"{path}/{place}") for place, each in enumerate(value)]
        if are_unique and all(type(each) is str for each in items):
            if len(set(items)) != len(items) and not reader.is_xml:
                reader.fail("EPCIS-UNIQUE", path)
        return items

    return read


def read_structure(table: Table, *required: str) -> Handler:
    """A reader for an object of known fields and extensions."""

    def read(reader: FieldReader, value: Any, path: str) -> Any:
        if type(value) is not dict:
            reader.fail("EPCIS-SHAPE", path)
            return DROPPED
        for name in required:
            if value.get(name, []) == []:  # an empty list would be left out
                reader.fail("EPCIS-REQUIRED", f"{path}/{name}")
        return reader.read_object(value, table, path)

    return read


def read_closed(table: Table, *required: str) -> Handler:
    """A reader for an object without extensions."""

    def read(reader: FieldReader, value: Any, path: str) -> Any:
        if type(value) is not dict:
            reader.fail("EPCIS-SHAPE", path)
            return DROPPED
        for name in required:
            if name not in value:
                reader.fail("EPCIS-REQUIRED", f"{path}/{name}")
        for key in value:
            if key not in table:
                reader.fail("EPCIS-UNKNOWN-FIELD", f"{path}/{escape(key)}")
        known = {key: item for key, item in value.items() if key in table}
        return reader.read_object(known, table, path)

    return read


def read_report(table: Table) -> Handler:
    """A reader for one sensor report; an exception may stand for the type."""
    inner = read_structure(table)

    def read(reader: FieldReader, value: Any, path: str) -> Any:
        if type(value) is dict and "type" not in value and "exception" not in value:
            reader.fail("EPCIS-SENSOR-TYPE", f"{path}/type")
        return inner(reader, value, path)

    return read


def read_place(reader: FieldReader, value: Any, path: str) -> Any:
    """A read point or business location: `id`, and anything else."""
    if type(value) is not dict:
        reader.fail("EPCIS-SHAPE", path)
        return DROPPED
    if "id" not in value:
        reader.fail("EPCIS-REQUIRED", f"{path}/id")
        return DROPPED
    rest = {key: item for key, item in value.items() if key != "id"}
    read = reader.read_free(rest, path, EXTENSION_DEPTH_MAX) if rest else {}
    read["id"] = read_key(reader, value["id"], f"{path}/id")
    return read


def read_certifications(reader: FieldReader, value: Any, path: str) -> Any:
    """One URI or a list of them; always a list here."""
    return _CERTIFICATIONS(reader, [value] if type(value) is str else value, path)


def read_ilmd(reader: FieldReader, value: Any, path: str) -> Any:
    """Instance and lot master data: extensions only, each with a namespace."""
    if type(value) is not dict:
        reader.fail("EPCIS-SHAPE", path)
        return DROPPED
    return reader.read_object(value, {}, path) or DROPPED


def read_persistent(reader: FieldReader, value: Any, path: str) -> Any:
    """`set` and `unset`, at least one of them."""
    read = _PERSISTENT(reader, value, path)
    if read is not DROPPED and not read:
        reader.fail("EPCIS-SHAPE", path)
    return read


def drop(reader: FieldReader, value: Any, path: str) -> Any:
    """A field that is checked but not kept: recordTime is the ledger's."""
    read_time(reader, value, path)
    return DROPPED


_CERTIFICATIONS: Final = read_list(read_uri)
_DISPOSITIONS: Final = read_list(read_word(vocabulary.DISPOSITION), are_unique=True)
_PERSISTENT: Final = read_closed({"set": _DISPOSITIONS, "unset": _DISPOSITIONS})
