"""What the leagues in memory of all applications share: actors, one block for each send, what was
reached.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from hansa.appkit.application import Application
from hansa.catalog import build_registry
from hansa.ledger.model import Message
from hansa.ledger.receipts import MessageResult
from hansa.testing.chain import START_MS, Actor, Chain

# application, role, actor, scope
Grant = tuple[str, str, str, str]


class Stage:
    """Actors by name and the chain. `codes`, `events`: all that was reached; `params`: of the last
    refusal.
    """

    APPLICATION: ClassVar[Application]

    def __init__(
        self, actors: dict[str, Actor], genesis: dict[str, Any], time_ms: int = START_MS
    ) -> None:
        self.actors = actors
        self.chain = Chain(build_registry(), genesis, time_ms=time_ms)
        self.codes: set[str] = set()
        self.events: set[str] = set()
        self.params: dict[str, str | int] = {}

    def did(self, name: str) -> str:
        """DID of an actor, which is a member too."""
        return self.actors[name].did

    def send(self, sender: str | Sequence[str], message: Message) -> str:
        """Send one message in a block of its own; the code of its result."""
        names = [sender] if isinstance(sender, str) else list(sender)
        actors = [self.actors[name] for name in names]
        return self.note(self.chain.send(actors, self.APPLICATION.name, message))

    def must(self, sender: str | Sequence[str], message: Message) -> None:
        """Send what has to be accepted."""
        code = self.send(sender, message)
        assert code == "ok", (code, self.params, message)

    def together(self, *sent: tuple[str, Message]) -> list[str]:
        """One transaction for each sender, all in one block; the code of each."""
        app = self.APPLICATION.name
        signed = [self.chain.sign(self.actors[who], [(app, what)]) for who, what in sent]
        result = self.chain.block(signed)
        assert len(self.chain.blocks[-1].transactions) == len(sent)
        return [self.note(each.messages[0]) for each in result.results]

    def pass_time(self, milliseconds: int) -> None:
        """An empty block that much later; what is due fires."""
        for result in self.chain.advance(milliseconds).deadlines:
            assert self.note(result) == "ok"

    def states(self) -> set[str]:
        """Every state that some record is in now."""
        raise NotImplementedError

    def violations(self) -> list[str]:
        """What the invariants find now."""
        return [
            f"{each.id}: {text}"
            for each in self.APPLICATION.invariants
            for text in each.check(self.chain.state)
        ]

    def note(self, result: MessageResult) -> str:
        """Remember what was reached; a contract fault is a bug whatever the test is about."""
        assert result.code != "ledger.contract_fault", result
        self.codes.add(result.code)
        self.events.update(event.type for event in result.events)
        self.params = result.params
        return result.code.removeprefix(f"{self.APPLICATION.name}.")


def build_genesis(
    actors: Mapping[str, Actor],
    jurisdictions: Mapping[str, str],
    grants: Sequence[Grant],
    *,
    voter: str,
    sponsors: Mapping[str, str],
    identifiers: Mapping[str, list[dict[str, str]]] | None = None,
) -> dict[str, Any]:
    """A genesis: members are the actors with a jurisdiction, `sponsors` names each citizen's."""
    return {
        "members": {
            "members": [
                {
                    "did": actor.did,
                    "name": name,
                    "jurisdiction": jurisdictions[name],
                    "identifiers": (identifiers or {}).get(name, []),
                }
                for name, actor in actors.items()
                if name in jurisdictions
            ]
        },
        "accounts": {
            "accounts": [
                {
                    "did": actor.did,
                    "member": actors[sponsors.get(name, name)].did,
                    "kind": "citizen" if name in sponsors else "member",
                    "key": msgspec.to_builtins(actor.key.public),
                }
                for name, actor in actors.items()
            ]
        },
        "governance": {"weights": {actors[voter].did: 1}},
        "permissions": {
            "grants": [
                {"application": app, "role": role, "holder": actors[name].did, "scope": scope}
                for app, role, name, scope in grants
            ]
        },
    }
