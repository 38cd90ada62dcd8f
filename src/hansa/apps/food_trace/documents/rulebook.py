"""Every rule that an EPCIS document can break: a stable id, what it says, what to do. Pure.

EPCIS-…: clauses of EPCIS 2.0 and its schemas; CBV-… and GS1-…: vocabularies and keys; I7: check
digits; JSON-…, XML-…: the file as such; NORMAL-…: bounds of the ledger; QUERY-…: queries.
"""

from typing import Final, NamedTuple

import msgspec


class DocumentRefused(Exception):
    """A file that can't be read at all: a stable `rule` id, a place in it, words."""

    def __init__(self, rule: str, text: str, path: str = "/") -> None:
        super().__init__(f"{rule}: {text}")
        self.rule = rule
        self.text = text
        self.path = path


class Failure(msgspec.Struct, frozen=True):
    """One broken rule: its id, its flag (`fatal` or `warning`), the place, in words."""

    rule: str
    flag: str
    path: str
    text: str


class Rule(NamedTuple):
    """A rule: what it says, and what to do where it is broken."""

    text: str
    remedy: str
    flag: str = "fatal"


_LIST = "Use a word of the list, or a full URI of your own vocabulary."
_FORMAT = "Correct the field; the standard's examples show its form."

RULES: Final[dict[str, Rule]] = {
    # the file
    "FILE-UNREADABLE": Rule("the file can be read", "Name a regular file."),
    "FORMAT-UNKNOWN": Rule(
        "the file is an EPCIS 2.0 document in JSON-LD or XML, an event or a query",
        "Export it as EPCIS 2.0.",
    ),
    "EPCIS-VERSION": Rule("the document is EPCIS 2.x", "Convert it to EPCIS 2.0 first."),
    "JSON-TOO-LARGE": Rule("the file is not larger than the limit", "Split the file."),
    "JSON-TOO-DEEP": Rule("the document is not nested deeper than the limit", "Flatten it."),
    "JSON-ENCODING": Rule("JSON is UTF-8", "Save the file as UTF-8."),
    "JSON-KEY-TWICE": Rule("no key stands twice in one object", "Keep one of the two."),
    "JSON-ID-TWICE": Rule(
        "an event has one eventID", "Keep one of the two; the last one counts.", "warning"
    ),
    "JSON-NOT-WELL-FORMED": Rule("the file is well-formed JSON", "Export the file again."),
    "JSON-UNICODE": Rule("every text is Unicode", "Remove the broken characters."),
    "XML-TOO-LARGE": Rule("the file is not larger than the limit", "Split the file."),
    "XML-TOO-DEEP": Rule("the document is not nested deeper than the limit", "Flatten it."),
    "XML-ENCODING": Rule("the bytes are in the declared encoding", "Save the file as UTF-8."),
    "XML-DTD": Rule("the document defines no entities", "Remove the DTD."),
    "XML-NOT-WELL-FORMED": Rule("the file is well-formed XML", "Export the file again."),
    # the document (EPCIS 2.0, 9 and 10)
    "EPCIS-CONTEXT": Rule(
        "a JSON-LD document has an @context of strings and objects",
        'Add "@context": "https://ref.gs1.org/standards/epcis/epcis-context.jsonld".',
    ),
    "EPCIS-DOCUMENT": Rule(
        "the document has what every EPCIS document has (schemaVersion, creationDate, body)",
        "Add what is missing.",
    ),
    "EPCIS-UNKNOWN-FIELD": Rule(
        "every name is one of the standard's, or has a namespace",
        "Put your own field under a prefix of your own, defined in the @context or as xmlns.",
    ),
    "EPCIS-ORDER": Rule(
        "in XML, the elements of an event stand in the order of its schema",
        "Write eventTime first, and action after the identifiers.",
    ),
    "EPCIS-ORDER-NOTE": Rule(
        "in XML, the elements of an event stand in the order of its schema",
        "Nothing has to be done: the event is understood.",
        "warning",
    ),
    # the event (EPCIS 2.0, 7.4)
    "EPCIS-TYPE": Rule(
        "an event is an ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent or "
        "AssociationEvent",
        "Use the type that fits; events of other types cannot be traced.",
    ),
    "EPCIS-REQUIRED": Rule("the field is required", "Add it."),
    "EPCIS-SHAPE": Rule("the field is of the kind that the standard says", _FORMAT),
    "EPCIS-TIME": Rule(
        "a time is an ISO 8601 date and time with a time zone",
        "Write it like 2026-07-22T06:45:00.000+02:00.",
    ),
    "EPCIS-OFFSET": Rule(
        "eventTimeZoneOffset is +hh:mm or -hh:mm, 14:00 at most", "Write it like +08:00."
    ),
    "EPCIS-URI": Rule("the identifier is a URI", "Write it as a URN or a web address."),
    "EPCIS-EVENT-ID": Rule("eventID is a URI", "Leave it out: it is then computed."),
    "EPCIS-ACTION": Rule("action is ADD, OBSERVE or DELETE", "Use one of the three."),
    "EPCIS-WHAT": Rule(
        "an event says what it is about: identifiers or quantities, sensor reports at a read "
        "point, inputs and outputs of a transformation",
        "Add the list that is missing.",
    ),
    "EPCIS-PARENT": Rule(
        "an aggregation that adds or deletes, and any association, names its parent",
        "Add parentID.",
    ),
    "EPCIS-TRANSACTION": Rule(
        "a TransactionEvent names a business transaction", "Add bizTransactionList."
    ),
    "EPCIS-UNIQUE": Rule("a list names nothing twice", "Keep one of the two."),
    "EPCIS-ILMD": Rule(
        "ilmd stands only where something is made: action ADD, or a TransformationEvent",
        "Leave ilmd out.",
    ),
    "EPCIS-NUMBER": Rule("the field is a number", "Write digits, without quotes in JSON."),
    "EPCIS-BOOLEAN": Rule("the field is true or false", "Write true or false."),
    "EPCIS-HEX": Rule("the field is pairs of hexadecimal digits", "Write it in hexadecimal."),
    "EPCIS-UOM": Rule(
        "a unit is a code of UN/ECE Recommendation 20 of two or three characters",
        "Use a code such as KGM, LTR or GRM; leave it out for pieces.",
    ),
    "EPCIS-SENSOR-TYPE": Rule(
        "a sensor report says what it measures, or what is wrong", "Add its type."
    ),
    # vocabularies
    "CBV-BIZ-STEP": Rule("bizStep is a business step of CBV 2.0, or a URI", _LIST),
    "CBV-DISPOSITION": Rule("a disposition is one of CBV 2.0, or a URI", _LIST),
    "CBV-TRANSACTION-TYPE": Rule("the type of a transaction is one of CBV 2.0, or a URI", _LIST),
    "CBV-SOURCE-DESTINATION-TYPE": Rule(
        "the type of a source or destination is one of CBV 2.0, or a URI", _LIST
    ),
    "CBV-ERROR-REASON": Rule("the reason of an error is one of CBV 2.0, or a URI", _LIST),
    "CBV-COMPONENT": Rule("the component of a reading is one of CBV 2.0, or a URI", _LIST),
    "GS1-MEASUREMENT-TYPE": Rule(
        "what is measured is a word of the GS1 Web Vocabulary, or a URI", _LIST
    ),
    "GS1-SENSOR-ALERT": Rule("an exception is ALARM_CONDITION, ERROR_CONDITION, or a URI", _LIST),
    # keys
    "I7-CHECK-DIGIT": Rule(
        "the check digit of a GTIN, SSCC or GLN is right", "Read the number from its label again."
    ),
    "I7-KEY": Rule(
        "an EPC URN is built as the Tag Data Standard says",
        "Count its digits; company prefix and reference together have a fixed number.",
    ),
    "CBV-HASH-ID": Rule(
        "an eventID that is a hash id is the hash id of its event",
        "Nothing has to be done: the id is kept as it is; some tools compute those of drafts.",
        "warning",
    ),
    # bounds of the ledger
    "NORMAL-SIZE": Rule("an event fits into a record", "Make several events of it."),
    "NORMAL-DEPTH": Rule("an event is not nested deeper than the limit", "Flatten extensions."),
    "NORMAL-ITEMS": Rule("a list has no more items than the limit", "Make several events of it."),
    "NORMAL-QUANTITY": Rule(
        "a quantity is not negative and has at most 12 places and 15 digits",
        "Write the quantity in a unit that suits it.",
    ),
    "NORMAL-NUMBER": Rule("a number is one that can be measured", "Round it."),
    "NORMAL-FORM": Rule("the event can be written in its normal form", "Report this file."),
    # queries (EPCIS 2.0, 8.2.7)
    "QUERY-NAME": Rule("a query has a name", "Add queryName: SimpleEventQuery."),
    "QUERY-PARAMETER": Rule(
        "every parameter is one of the standard's", "Correct the name of the parameter."
    ),
    "QUERY-VALUE": Rule(
        "the value of a parameter is of the kind that the standard says", "Correct the value."
    ),
}


def make_failure(rule: str, path: str, said: str = "") -> Failure:
    """A failure of a rule at a place; `said` is what the document says there."""
    text = RULES[rule].text + (f"; it is {said[:80]!r}" if said else "")
    return Failure(rule, RULES[rule].flag, path, text)
