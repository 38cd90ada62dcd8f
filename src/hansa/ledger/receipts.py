"""Results of messages and transactions, and the leaves and roots by which each is proved. Pure."""

import msgspec

from hansa.crypto.merkle import merkle_root
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.protobuf import bytes_field, integer_field
from hansa.encoding.text import encode_base64url

OK = "ok"


class EventOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An announced event; `body` is the event's canonical JSON."""

    app: str
    type: str
    body: msgspec.Raw

    def leaf(self) -> bytes:
        """Canonical `{"app","body","type"}`."""
        return encode_canonical(self)


class MessageResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ledger's answer to one message. `message` is base64url SHA-256 of its canonical bytes.

    `type` is `app/Message/version`, empty when the whole transaction was invalid; `sender` the kid
    that signed.
    """

    index: int
    type: str
    sender: str
    message: str
    code: str
    params: dict[str, str | int] = {}
    events: tuple[EventOut, ...] = ()

    def leaf(self, transaction: str) -> bytes:
        """Canonical bytes that are proved: everything but the events, which enter by their root."""
        return encode_canonical(
            ResultLeaf(
                code=self.code,
                events=encode_base64url(compute_events_root(self.events)),
                index=self.index,
                message=self.message,
                params=self.params,
                sender=self.sender,
                tx=transaction,
                type=self.type,
            )
        )


class ResultLeaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A leaf under ExecTxResult.data, as receipts carry it."""

    code: str
    events: str
    index: int
    message: str
    params: dict[str, str | int]
    sender: str
    tx: str
    type: str


# ExecTxResult.code
ALL_OK = 0
REJECTED = 1
PARTLY_REJECTED = 2
INVALID = 3


class TransactionResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One per transaction, in order. `id` is hex; `cost` is gas_used; `data` is the root of the
    leaves.
    """

    id: str
    code: int
    cost: int
    messages: tuple[MessageResult, ...]

    def leaves(self) -> list[bytes]:
        """The leaves in message order."""
        return [message.leaf(self.id) for message in self.messages]

    def root(self) -> bytes:
        """ExecTxResult.data."""
        return merkle_root(self.leaves())


class ExecTxResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The deterministic part of a transaction's result: all that `last_results_hash` covers."""

    code: int = 0
    data: bytes = b""
    gas_wanted: int = 0
    gas_used: int = 0

    def encode(self) -> bytes:
        """tendermint.abci.ExecTxResult without log, info, events, codespace."""
        return (
            integer_field(1, self.code)
            + bytes_field(2, self.data)
            + integer_field(5, self.gas_wanted)
            + integer_field(6, self.gas_used)
        )


def compute_events_root(events: tuple[EventOut, ...]) -> bytes:
    """Merkle root over event leaves, 32 bytes (SHA-256 of nothing when there are none)."""
    return merkle_root([event.leaf() for event in events])


def encode_exec_tx_result(result: TransactionResult) -> bytes:
    """Deterministic protobuf of ExecTxResult: code, data, gas_used (CometBFT types/results.go)."""
    return ExecTxResult(code=result.code, data=result.root(), gas_used=result.cost).encode()
