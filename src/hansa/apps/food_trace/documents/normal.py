"""An event in its one spelling, as the ledger keeps it: `normalise` judges it and writes it. Pure.

The normal document is one JSON object: keys sorted, compact, no @context, no recordTime; standard
words bare, other names in Clark's form, certificationInfo always a list, empty lists left out;
identifiers, times and numbers as written; eventID always, computed when it was not given.
"""

from typing import Any, Final

import msgspec

from hansa.apps.food_trace.documents.fields import FieldReader
from hansa.apps.food_trace.documents.hash_id import compute_hash_id
from hansa.apps.food_trace.documents.names import Context
from hansa.apps.food_trace.documents.rulebook import DocumentRefused, Failure, make_failure
from hansa.apps.food_trace.documents.strict_json import load_text
from hansa.apps.food_trace.documents.tables import REQUIRED, TABLES
from hansa.apps.food_trace.event import FoodEvent, InvalidEvent, read_event
from hansa.apps.food_trace.faults import BadCheckDigit, BadIdentifier

_encoder: Final = msgspec.json.Encoder(order="sorted")


class NormalEvent(msgspec.Struct, frozen=True):
    """One event of a document, judged: valid when no failure is fatal.

    `document` is "" and `event` None when it is not valid. `path` is its place in the document;
    the failures' paths are whole. `is_hashed`: eventID was computed. `record_time` as written.
    """

    path: str
    event_id: str
    document: str
    event: FoodEvent | None
    failures: tuple[Failure, ...]
    is_hashed: bool
    record_time: str = ""

    @property
    def is_valid(self) -> bool:
        """Whether the ledger can take it."""
        return self.event is not None


def normalise(
    fields: dict[str, Any],
    context: Context,
    path: str,
    *,
    is_xml: bool = False,
    failures: tuple[Failure, ...] = (),
) -> NormalEvent:
    """Judge one event (names as in the JSON binding) and write it in its normal form.

    `failures` were found while it was taken out of its document.
    """
    reader = FieldReader(context, is_xml=is_xml)
    reader.failures.extend(failures)
    if "@context" in fields and not is_xml:
        reader.enter(fields["@context"], path)
    read = _read_fields(reader, fields, path)
    is_hashed = "eventID" not in read
    event_id, document, event = "", "", None
    if not any(failure.flag == "fatal" for failure in reader.failures):
        if is_hashed:
            read["eventID"] = compute_hash_id(read)
        event_id = read["eventID"]
        document, event = _write(read, reader, path)
    record_time = fields.get("recordTime")
    return NormalEvent(
        path,
        event_id,
        document if event else "",
        event,
        tuple(reader.failures),
        is_hashed,
        record_time if type(record_time) is str else "",
    )


def load_normal(document: str) -> dict[str, Any]:
    """The tree of a normal document, numbers as `msgspec.Raw`. Raises DocumentRefused."""
    fields = load_text(document)
    if type(fields) is not dict:
        raise DocumentRefused("NORMAL-FORM", "this is no normal event")
    return fields


def _read_fields(reader: FieldReader, fields: dict[str, Any], path: str) -> dict[str, Any]:
    kind = fields.get("type")
    table = TABLES.get(kind) if type(kind) is str else None
    if table is None:
        reader.fail("EPCIS-TYPE", f"{path}/type", kind)
        return {}
    for name in REQUIRED:
        if name not in fields:
            reader.fail("EPCIS-REQUIRED", f"{path}/{name}")
    if "action" in table and "action" not in fields:
        reader.fail("EPCIS-REQUIRED", f"{path}/action")
    read = reader.read_object(fields, table, path)
    _check_parts(reader, read, fields, path)
    return read


def _check_parts(
    reader: FieldReader, read: dict[str, Any], fields: dict[str, Any], path: str
) -> None:
    """What an event of each type must have (EPCIS 7.4.2 to 7.4.6)."""
    kind, action = read["type"], read.get("action")
    if kind == "TransformationEvent":
        has_input = "inputEPCList" in read or "inputQuantityList" in read
        has_output = "outputEPCList" in read or "outputQuantityList" in read
        is_part = "transformationID" in read
        if not ((has_input or has_output) if is_part else (has_input and has_output)):
            reader.fail("EPCIS-WHAT", path)
    elif kind in {"AggregationEvent", "AssociationEvent"}:
        needs_parent = kind == "AssociationEvent" or action in ("ADD", "DELETE")
        if needs_parent and "parentID" not in read:
            reader.fail("EPCIS-PARENT", f"{path}/parentID")
        if action != "DELETE" and not ("childEPCs" in read or "childQuantityList" in read):
            reader.fail("EPCIS-WHAT", path)
    else:
        _check_items(reader, read, fields, path)
    if kind == "ObjectEvent" and "ilmd" in read and action != "ADD":
        reader.fail("EPCIS-ILMD", f"{path}/ilmd")


def _check_items(
    reader: FieldReader, read: dict[str, Any], fields: dict[str, Any], path: str
) -> None:
    """An ObjectEvent or TransactionEvent: items, or sensor reports at a read point."""
    if read["type"] == "TransactionEvent" and "bizTransactionList" not in read:
        reader.fail("EPCIS-TRANSACTION", f"{path}/bizTransactionList")
    if "epcList" in read or "quantityList" in read:
        return
    is_sensed = "sensorElementList" in read and "readPoint" in read
    is_ended = read["type"] == "TransactionEvent" and read.get("action") == "DELETE"
    if is_sensed or is_ended:
        return
    if fields.get("epcList") == []:
        read["epcList"] = []  # the schema lets an event be about nothing, if it says so
    elif "epcList" not in fields and "quantityList" not in fields:
        reader.fail("EPCIS-WHAT", path)


def _write(read: dict[str, Any], reader: FieldReader, path: str) -> tuple[str, FoodEvent | None]:
    """The normal document and what consensus code reads in it; faults are noted."""
    try:
        document = _encoder.encode(read).decode()
        return document, read_event(document)
    except InvalidEvent as invalid:
        reader.fail(invalid.rule, path + invalid.path.rstrip("/"))
    except BadCheckDigit as bad:
        reader.fail("I7-CHECK-DIGIT", path, bad.params["key"])
    except BadIdentifier as bad:
        reader.fail("I7-KEY", path, bad.params["key"])
    except UnicodeError:
        reader.failures.append(make_failure("JSON-UNICODE", path))
    except RecursionError:
        reader.failures.append(make_failure("NORMAL-DEPTH", path))
    return "", None
