"""What the offline verifier says: steps and a verdict; and how a check says no. Pure."""

from typing import Any, Final, Literal

import msgspec

from hansa.comet.commit import InvalidCommit
from hansa.comet.light import LightError
from hansa.crypto.merkle import MerkleError
from hansa.encoding.canonical import CanonicalError
from hansa.encoding.protobuf import FormatError
from hansa.ledger.rejections import Rejection
from hansa.ledger.tree_proof import ProofError

Outcome = Literal["yes", "no", "could_not_judge"]
# Longer values are cut where people read them; the file has them whole.
SHOWN_MAX: Final = 300


class Step(msgspec.Struct, frozen=True):
    """One thing that was checked. ok: true, false, or null when it could not be checked."""

    name: str
    ok: bool | None
    text: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the verifier says, and why.

    outcome: `yes` = the file says what the ledger of a trusted league says, which may well be that
    a message was REJECTED: see `accepted` (null for a state proof) and `code`. content: the message
    or record that the file shows, decoded, only when everything about it was proved. key, there:
    of a state proof, which record and whether it is there. trusted: the pinned root that it rests
    on, "genesis …" or "checkpoint …", of trusted_height (genesis: 0); followed: the number of
    headers between that root and the file's.
    """

    outcome: Outcome
    steps: tuple[Step, ...]
    kind: str = ""
    chain: str = ""
    height: int = 0
    accepted: bool | None = None
    code: str = ""
    key: str = ""
    there: bool | None = None
    trusted: str = ""
    trusted_height: int | None = None
    followed: int | None = None
    content: Any = None


class Failed(Exception):
    """A step failed; the text says how."""


class Unjudged(Exception):
    """A step cannot be judged here; the text says why."""


# What a check may raise to say no.
FAILURES: Final = (
    Failed,
    CanonicalError,
    FormatError,
    InvalidCommit,
    LightError,
    MerkleError,
    ProofError,
    Rejection,
    UnicodeError,
)


def describe_failure(failure: Exception) -> str:
    """The words of one of FAILURES."""
    return show(failure.text if isinstance(failure, Rejection) else str(failure))


def show(text: str, size_max: int = SHOWN_MAX) -> str:
    """Text from a file, safe at a terminal: nothing unprintable, nothing endless."""
    cut = text if len(text) <= size_max else text[:size_max] + "…"
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in cut)
