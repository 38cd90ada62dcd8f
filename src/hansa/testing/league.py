"""`League`: a chain with the catalog's own contracts and named members, in one line. For tests.

`League("ada", "bea", grants=[("e_invoice", "seller", "ada")])`: each name is a member with one
account.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from hansa.catalog import build_registry
from hansa.crypto.keys import PrivateKey
from hansa.ledger.contracts import Registry
from hansa.ledger.genesis import GenesisValidator
from hansa.ledger.model import Message, Record
from hansa.ledger.receipts import MessageResult, TransactionResult
from hansa.testing.chain import Actor, Chain, make_key

R = TypeVar("R", bound=Record)

# (application, role, name of the holder[, scope])
GrantText = tuple[str, str, str] | tuple[str, str, str, str]


def make_validator_key(actor: Actor) -> PrivateKey:
    """The key with which an actor's validator votes in tests."""
    return make_key(f"{actor.name}/validator")


def build_validator(actor: Actor, power: int = 10) -> GenesisValidator:
    """An actor's validator in a genesis document."""
    return GenesisValidator(key=make_validator_key(actor).public, power=power, member=actor.did)


class League:
    """Members by name over a `Chain`. Jurisdictions default to CN.

    `validators`: powers of the members that vote on blocks; none: one validator, nobody's.
    """

    def __init__(
        self,
        *names: str,
        grants: Iterable[GrantText] = (),
        jurisdictions: Mapping[str, str] | None = None,
        identifiers: Mapping[str, Sequence[tuple[str, str]]] | None = None,
        registry: Registry | None = None,
        validators: Mapping[str, int] | None = None,
    ) -> None:
        self.actors = {name: Actor(name) for name in names}
        places = jurisdictions or {}
        numbers = identifiers or {}
        self.chain = Chain(
            registry or build_registry(),
            {
                "members": {
                    "members": [
                        {
                            "did": actor.did,
                            "name": name,
                            "jurisdiction": places.get(name, "CN"),
                            "identifiers": [
                                {"scheme": scheme, "value": value}
                                for scheme, value in numbers.get(name, ())
                            ],
                        }
                        for name, actor in self.actors.items()
                    ]
                },
                "accounts": {
                    "accounts": [
                        {"did": actor.did, "member": actor.did, "key": actor.key.public}
                        for actor in self.actors.values()
                    ]
                },
                "permissions": {"grants": [self._grant(*grant) for grant in grants]},
            },
            validators=tuple(
                build_validator(self.actors[name], power)
                for name, power in (validators or {}).items()
            ),
        )

    def _grant(self, application: str, role: str, name: str, scope: str = "-") -> dict[str, str]:
        holder = self.actors[name].did
        return {"application": application, "role": role, "holder": holder, "scope": scope}

    def did(self, name: str) -> str:
        """DID of a member (and of its first account)."""
        return self.actors[name].did

    def send(self, name: str, application: str, message: Message) -> MessageResult:
        """One message of one member, in a block of its own."""
        return self.chain.send(self.actors[name], application, message)

    def submit(
        self, name: str, application: str, *messages: Message, mode: str = "independent"
    ) -> TransactionResult:
        """Several messages in one transaction."""
        return self.chain.submit(self.actors[name], application, *messages, mode=mode)

    def get(self, application: str, kind: type[R], *key: str) -> R | None:
        """A record of committed state."""
        return self.chain.get(application, kind, *key)
