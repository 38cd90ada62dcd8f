"""What food_trace refuses, by rule: I1 … I10 of domains 1.5, who may do what (R), bounds (B). Pure.

What is wrong with a document itself is in `faults.py`.
"""

from hansa.apps.food_trace.faults import DocumentFault


class Refusal(DocumentFault):
    """Any refusal of this application."""


class NotAnOrganisation(Refusal):
    """A citizen, or nobody's account, wants to act for an organisation."""

    CODE, RULE = "not_an_organisation", "R"
    TEXT = "Only a member's own account does this."
    REMEDY = "Sign with an account of the organisation."


class NotAllowed(Refusal):
    """The sender's organisation has none of the roles that may capture this."""

    CODE, RULE = "not_allowed", "R"
    TEXT = "This event is an act of: {roles}; the sender's organisation is none of them in {place}."
    REMEDY = "Ask the regulator of {place} for the role, or let who may do it capture the event."


class ForeignPrefix(Refusal):
    """The company prefix of what is made belongs to another member (D10)."""

    CODE, RULE = "foreign_prefix", "R"
    TEXT = "{item} is under the company prefix {prefix}, which is registered for {owner}."
    REMEDY = "Make items under your own prefix, or let {owner} capture the event."


class AlreadyRegistered(Refusal):
    """A place or prefix that is registered, for the same or another member."""

    CODE, RULE = "already_registered", "R"
    TEXT = "{key} is already registered, for {member}."
    REMEDY = "Nothing is to be done if that is right; else the regulator there gives it up first."


class NotTheParty(Refusal):
    """The sender's organisation is not the one that may do this."""

    CODE, RULE = "not_the_party", "R"
    TEXT = "Only {party} may do this, and the sender does not act for it."
    REMEDY = "Let {party} do it."


class AlreadyCaptured(Refusal):
    """The very same event again: nothing is lost, nothing is to be done."""

    CODE, RULE = "already_captured", "I6"
    TEXT = "The event {event} is already on the ledger, as number {number}."
    REMEDY = "Nothing is to be done."


class EventChanged(Refusal):
    """An event with this eventID is there and says something else: nothing is edited."""

    CODE, RULE = "event_changed", "I6"
    TEXT = "Another event with the eventID of {event} is on the ledger; nothing there is edited."
    REMEDY = "Declare that event in error (errorDeclaration) and capture this one with its own id."


class DeclarationDiffers(Refusal):
    """An error declaration repeats the event it is about, and this one does not."""

    CODE, RULE = "declaration_differs", "I6"
    TEXT = "The error declaration is not the event {event} with an errorDeclaration added."
    REMEDY = "Copy the event as it was captured, add errorDeclaration, change nothing else."


class StillNeeded(Refusal):
    """What the event made was used by events that stand."""

    CODE, RULE = "still_needed", "I6"
    TEXT = "{item} was made by {event} and is used by other events."
    REMEDY = "Declare in error first what used it."


class InTheFuture(Refusal):
    """An event that has not happened yet by the ledger's clock."""

    CODE, RULE = "in_the_future", "I5"
    TEXT = "The {field} is {ahead_ms} ms after the time of the block."
    REMEDY = "Capture it when it has happened; check the clock of whoever wrote the event."


class AlreadyMade(Refusal):
    """An object is commissioned once."""

    CODE, RULE = "already_made", "I1"
    TEXT = "{item} was already commissioned, by the event {event}."
    REMEDY = "Give each object its own serial number; declare a wrong event in error."


class AlreadyEnded(Refusal):
    """The object was deleted before this happened to it."""

    CODE, RULE = "already_ended", "I1"
    TEXT = "{item} ended with the event {event}; nothing happens to it after that."
    REMEDY = "Check the serial number and the event's time."


class SeenLater(Refusal):
    """The object would end while later events of it are on the ledger."""

    CODE, RULE = "seen_later", "I1"
    TEXT = "{item} cannot end here: an event of it is {later_ms} ms later."
    REMEDY = "Check the event's time; declare in error whichever event is wrong."


class AlreadyPacked(Refusal):
    """An object is in one parent at a time."""

    CODE, RULE = "already_packed", "I2"
    TEXT = "{item} is in {parent}."
    REMEDY = "Capture first how it was taken out (AggregationEvent, DELETE)."


class NotPacked(Refusal):
    """The object is taken out of a parent that it is not in."""

    CODE, RULE = "not_packed", "I2"
    TEXT = "{item} is in {parent}, not in what it would be taken out of."
    REMEDY = "Name the parent that it is in."


class PackedLater(Refusal):
    """The object was packed or unpacked after the time of this event."""

    CODE, RULE = "packed_later", "I2"
    TEXT = "{item} was packed or unpacked {later_ms} ms after this event."
    REMEDY = "Check the event's time; declare in error whichever event is wrong."


class InsideItself(Refusal):
    """Something would be in itself, or too many things in each other."""

    CODE, RULE = "inside_itself", "I4"
    TEXT = "{item} would be in itself, or deeper than {limit} parents."
    REMEDY = "Check parent and children."


class Unbalanced(Refusal):
    """More comes out of a transformation than goes in."""

    CODE, RULE = "unbalanced", "I3"
    TEXT = "More {uom} come out than the inputs give by the declared yields: {out} of {given}."
    REMEDY = "Correct the quantities, or declare the yield of the product (DeclareYield)."


class UsedBeyondMade(Refusal):
    """More of a lot would be used than was made."""

    CODE, RULE = "used_beyond_made", "I3"
    TEXT = "Of {item} {used} {uom} would be used and {made} were made."
    REMEDY = "Correct the quantity or the lot; capture what else was made of the lot first."


class Circular(Refusal):
    """Something would be made of itself."""

    CODE, RULE = "circular", "I4"
    TEXT = "{item} would be made of itself."
    REMEDY = "Give what comes out a lot or serial number of its own."


class NotAShipment(Refusal):
    """Only what is under way, or overdue, can be reported missing."""

    CODE, RULE = "not_under_way", "I8"
    TEXT = "The shipment {shipment} is {status}."
    REMEDY = "Nothing is to be done."


class WrongUnit(Refusal):
    """A reading that cannot be compared with its limits."""

    CODE, RULE = "wrong_unit", "I9"
    TEXT = "A reading of {sensor} is in {uom}; the limits for {product} are in {needed}."
    REMEDY = "Report the reading in {needed}."


class Stopped(Refusal):
    """A flag reaches what would be shipped, sold or used."""

    CODE, RULE = "stopped", "I9"
    TEXT = "{item} is stopped: {origin} has the flag {number} ({kind})."
    REMEDY = "Ask the regulator of {jurisdiction} to clear the flag or release the item."


class Recalled(Stopped):
    """As Stopped, by a recall."""

    CODE, RULE = "recalled", "I10"
    TEXT = "{item} is recalled: {origin} has the flag {number}, {source}."
    REMEDY = "Send it back or destroy it; {jurisdiction} can release the item."


class LineageTooLong(Refusal):
    """What the item was made of is more than one message looks through."""

    CODE, RULE = "lineage_too_long", "B"
    TEXT = "The lineage of {item} has more than {limit} items that were not looked at yet."
    REMEDY = (
        "Send CheckLineage for {item} until it is done, then this again; begin new lots sooner."
    )


class TooMany(Refusal):
    """A bound of this application."""

    CODE, RULE = "too_many", "B"
    TEXT = "There would be {count} {what}; at most {limit} are allowed."
    REMEDY = "Divide them: over several events, or a new lot or transformation."


class LimitsInvalid(Refusal):
    """Limits that no reading could keep, or that say nothing about any product."""

    CODE, RULE = "limits_invalid", "I9"
    TEXT = "The limits for {product} are not a product with bounds low <= high."
    REMEDY = "Name a product as 01. and its GTIN, or -; give at least one bound."


class YieldTooHigh(Refusal):
    """A yield beyond what governance lets members declare."""

    CODE, RULE = "yield_too_high", "I3"
    TEXT = "A yield of {ppm} ppm is above the limit of {limit}."
    REMEDY = "Declare at most {limit}; governance sets the limit (yield_max_ppm)."


class AlreadyReported(Refusal):
    """A result or a recall with this name is there."""

    CODE, RULE = "already_reported", "I6"
    TEXT = "{key} is already there."
    REMEDY = "Give each result and recall an identifier of its own."


class NotTraced(Refusal):
    """A class without a lot says only what kind of thing it is: nothing was made of it."""

    CODE, RULE = "not_traced", "I10"
    TEXT = "{item} is a class without a lot; nobody knows where it went."
    REMEDY = "Name the lots or objects of it."


class NotOpen(Refusal):
    """A recall or flag that no longer stands."""

    CODE, RULE = "not_open", "I10"
    TEXT = "{key} does not stand any more."
    REMEDY = "Nothing is to be done."


class NothingToRelease(Refusal):
    """No flag reaches the item."""

    CODE, RULE = "nothing_to_release", "I9"
    TEXT = "No flag reaches {item}."
    REMEDY = "Nothing is to be done."
