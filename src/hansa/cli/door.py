"""The door through which an application's own commands reach a league (`appkit.command.Door`).

Touches the node's API, this user's journals and the member's vault.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final, TypeVar

import msgspec

from hansa.appkit.command import Outcome, VaultDoor
from hansa.cli.acting import sign_drafts
from hansa.cli.answers import Screen, is_verdict
from hansa.cli.place import Place
from hansa.client.faults import ClientError, Refused, Unreachable
from hansa.client.gateway import Gateway
from hansa.client.journal import Journal
from hansa.client.keys import Signer
from hansa.client.replies import TransactionStatus
from hansa.client.transactions import Draft
from hansa.client.trust import default_home
from hansa.ledger.model import Message, Record
from hansa.ledger.system import Account
from hansa.ledger.transactions import Mode, decode_transaction

R = TypeVar("R", bound=Record)

# A bulk of 500 at a busy gateway; after that the journal knows where to go on.
WAIT_S: Final = 120.0
JOURNALS: Final = "journals"


class OpenDoor:
    """The door of a command that needs no league: it only speaks."""

    def __init__(self, output: Screen) -> None:
        self.output = output


class LeagueDoor:
    """A league for the commands of one application, on behalf of one key (None: of nobody)."""

    def __init__(
        self,
        application: str,
        place: Place,
        gateway: Gateway,
        signer: Signer | None,
        output: Screen,
    ) -> None:
        self.application = application
        self.output = output
        self._place = place
        self._gateway = gateway
        self._key = signer
        self._journals: list[Journal] = []
        self._refused: dict[str, Refused] = {}

    def close(self) -> None:
        """Let go of the journals."""
        for journal in self._journals:
            journal.close()

    @property
    def _signer(self) -> Signer:
        """The key. Raises ClientError where nobody signs."""
        if self._key is None:
            raise ClientError("this needs a key, and nobody signs here", "sign with --as NAME")
        return self._key

    @cached_property
    def chain(self) -> str:
        """Id of the league's chain."""
        return self._gateway.league().chain

    @property
    def account(self) -> str:
        """DID of the signing account."""
        return self._signer.account

    @cached_property
    def member(self) -> str:
        """DID of the signing account's member. Raises ClientError when it is not in this league."""
        record = self.record("accounts", Account, self.account)
        if record is None:
            raise ClientError(
                f"the account of {self._signer.name!r} is not in this league",
                "sign with another key (--as), or let a member register the account",
            )
        return record.member

    @cached_property
    def vault(self) -> VaultDoor:
        """The vault of the signing account's member, in the league's folder."""
        from hansa.cli.vaults import MemberVault, open_vault

        return MemberVault(open_vault(self._place, self.member))

    def did(self, name: str) -> str:
        """A DID as given, or that of a name known in this place."""
        return self._place.did(name)

    def journal(self, name: str) -> Journal:
        """A durable dictionary of this account in this league; held until the command ends."""
        account = self.account.rpartition(":")[2]
        path = default_home() / JOURNALS / self.chain / account / f"{name}.journal"
        journal = Journal(path)
        self._journals.append(journal)
        return journal

    def prepare(self, messages: Sequence[Message], mode: Mode = "independent") -> tuple[str, bytes]:
        """Sign: (transaction id, bytes to send)."""
        drafts = [Draft(self.application, message) for message in messages]
        data = sign_drafts(self._gateway, [self._signer], drafts, mode)
        return decode_transaction(data).hex_id, data

    def send(self, data: bytes) -> str:
        """Submit signed bytes; returns the transaction id. Safe to repeat.

        A refusal at the door is kept: `wait` tells it, unless an earlier sending was committed.
        """
        identity = decode_transaction(data).hex_id
        try:
            return self._gateway.submit(data)
        except Refused as refused:
            if not is_verdict(refused):
                raise
            self._refused[identity] = refused
            return identity

    def wait(self, transaction: str) -> list[Outcome]:
        """One outcome per message, once committed and provable. Raises Unreachable before."""
        refused = self._refused.get(transaction)
        if refused is not None:
            status = self._gateway.status(transaction)
            return (
                list_outcomes(status) if status.is_final else [tell_refusal(transaction, refused)]
            )
        status = self._gateway.wait(transaction, WAIT_S)
        if not status.is_final:
            raise Unreachable(
                f"{transaction} is not decided yet ({status.state})",
                f"run the same command again, or: hansa tx wait {transaction}",
            )
        return list_outcomes(status)

    def record(self, application: str, kind: type[R], *key: str) -> R | None:
        """A record that the account may read."""
        found = self._gateway.record(kind.OWNER or application, kind.KIND, *key)
        return None if found is None else msgspec.convert(found, type=kind)

    def ask(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Any:
        """The JSON answer of one of the application's own addresses. Raises Refused."""
        return self._gateway.ask(self.application.replace("_", "-"), path, query)


def tell_refusal(transaction: str, refused: Refused) -> Outcome:
    """The outcome of a transaction that the door did not take."""
    return Outcome(
        transaction=transaction,
        index=0,
        height=0,
        code=refused.code,
        text=refused.text,
        rule=refused.rule,
        remedy=refused.remedy,
        params=dict(refused.params),
    )


def list_outcomes(status: TransactionStatus) -> list[Outcome]:
    """What became of each message."""
    return [
        Outcome(
            transaction=status.id,
            index=message.index,
            height=status.height,
            code=message.code,
            text=message.text,
            rule=message.rule,
            remedy=message.remedy,
            params=dict(message.params),
        )
        for message in status.messages
    ]
