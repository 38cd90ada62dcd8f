"""What consensus code finds wrong in an event document or in a key. Pure.

Beside `rejections.py`: these are faults of documents, not of what one does with them.
"""

from typing import ClassVar

from hansa.ledger.rejections import Rejection


class DocumentFault(Rejection):
    """Any fault of an event document or of a key in it, found by consensus code."""

    CODESPACE: ClassVar[str] = "food_trace"


class BadCheckDigit(DocumentFault):
    """A GTIN, SSCC, GLN or other GS1 key whose check digit is wrong."""

    CODE, RULE = "bad_check_digit", "I7"
    TEXT = "The check digit of {key} is wrong: {expected} would be right."
    REMEDY = "Read the number from its label again; one of its digits is wrong."


class BadIdentifier(DocumentFault):
    """An EPC URN of a known scheme that is not built as the Tag Data Standard says."""

    CODE, RULE = "bad_identifier", "I7"
    TEXT = "{key} is not built as its scheme says (number of digits, parts or characters)."
    REMEDY = "Write the key as the EPC Tag Data Standard has it, or as a GS1 Digital Link."


class InvalidEvent(DocumentFault):
    """A document that is no normal EPCIS event. `rule` is an id of the rulebook, `path` a place."""

    CODE, RULE = "invalid_event", "EPCIS"
    TEXT = "The event breaks {rule} at {path}."
    REMEDY = "Check the document (hansa food-trace check FILE) and capture what it says is valid."

    def __init__(self, rule: str, path: str) -> None:
        super().__init__(rule=rule, path=path)
        self.rule, self.path = rule, path
