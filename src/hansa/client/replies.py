"""What a gateway answers, as typed values: fields of a later release are passed over. Pure."""

from typing import Any, TypeVar

import msgspec

from hansa.client.faults import ClientError, Refused
from hansa.comet.announcement import Announcement
from hansa.encoding.json_faults import NOT_JSON

T = TypeVar("T")


class Problem(msgspec.Struct, frozen=True):
    """A problem document (RFC 9457); what is missing is empty."""

    title: str = ""
    detail: str = ""
    code: str = ""
    rule: str = ""
    remedy: str = ""
    params: dict[str, str | int] = {}


class ShownProof(msgspec.Struct, frozen=True):
    """What of a proof file says whether the record is there."""

    record: Any = None


class Challenge(msgspec.Struct, frozen=True):
    """What to sign in order to sign in."""

    challenge: str
    chain: str


class Token(msgspec.Struct, frozen=True):
    """An open session."""

    token: str


class Proof(msgspec.Struct, frozen=True):
    """A proof file's bytes, and which of the two it proves."""

    data: bytes
    is_there: bool


class League(msgspec.Struct, frozen=True):
    """Where the ledger stands: chain id, last committed height, SHA-256 of its genesis (hex).

    `index_height`: how far the read model has followed; `release`: the gateway's own;
    `snapshot`: height of its newest snapshot, 0 without any.
    """

    chain: str
    height: int
    genesis: str = ""
    time_ms: int = 0
    release: str = ""
    index_height: int = 0
    snapshot: int = 0


class KnownNodes(msgspec.Struct, frozen=True):
    """Where the league's nodes say that they are."""

    nodes: tuple[Announcement, ...] = ()


class MessageOutcome(msgspec.Struct, frozen=True):
    """What became of one message: "ok", or a rejection with its words."""

    index: int
    type: str
    code: str
    params: dict[str, str | int] = {}
    text: str = ""
    rule: str = ""
    remedy: str = ""


class TransactionStatus(msgspec.Struct, frozen=True):
    """A transaction: unknown, pending, committed or invalid; its results once committed."""

    id: str
    state: str
    height: int = 0
    index: int = 0
    messages: tuple[MessageOutcome, ...] = ()

    @property
    def is_final(self) -> bool:
        """Whether asking again will not change the answer."""
        return self.state in ("committed", "invalid")


class Page(msgspec.Struct, frozen=True):
    """One page of a list, and the cursor of the next one."""

    items: tuple[dict[str, Any], ...]
    keys: tuple[str, ...] = ()
    next: str | None = None


def read_problem(status: int, body: bytes) -> Refused:
    """The refusal in an RFC 9457 problem document, or in whatever else came with the status."""
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except NOT_JSON:
        problem = Problem(detail=body[:200].decode("utf-8", "replace"))
    return Refused(
        problem.code or f"http.{status}",
        problem.detail or problem.title,
        rule=problem.rule,
        remedy=problem.remedy,
        status=status,
        params=problem.params,
    )


def convert_reply(answer: Any, kind: type[T]) -> T:
    """An answer as a typed value. Raises ClientError when it is of another form."""
    try:
        return msgspec.convert(answer, type=kind)
    except msgspec.ValidationError as error:
        raise ClientError(
            f"the gateway's answer is not understood: {error}",
            "is it of the same release as this command? hansa --version",
        ) from error
