"""The model food chain executed by the real contract, and followed by a read model."""

import itertools
from collections.abc import Iterable
from typing import Any

from hansa.apps.food_trace import APPLICATION
from hansa.apps.food_trace.model import CaptureEvent
from hansa.cli.demo.food.chain import Captured, FoodChain
from hansa.cli.demo.food.firms import VILLAGE
from hansa.cli.demo.food.members import AUTHORITIES, LABORATORY, list_members
from hansa.cli.demo.food.writing import write_normal
from hansa.cli.template import split_role
from hansa.index.shape import Shape
from hansa.index.store import Index
from hansa.ledger.model import Message
from hansa.testing.chain import Actor
from tests.apps.stage import Grant, Stage, build_genesis
from tests.index.chain import ChainBlock

APP = "food_trace"
AUTHORITY = AUTHORITIES["CN"][0]


class ModelLeague(Stage):
    """All firms of the village, three authorities and a laboratory."""

    APPLICATION = APPLICATION

    def __init__(self, seed: int = 1) -> None:
        members = list_members(VILLAGE)
        grants: list[Grant] = []
        for member in members:
            for text in member.roles:
                app, role, scope = split_role(text)
                grants.append((app, role, member.name, scope))
        actors = {member.name: Actor(member.name) for member in members}
        places = {member.name: member.jurisdiction for member in members}
        super().__init__(
            actors, build_genesis(actors, places, grants, voter=LABORATORY, sponsors={})
        )
        self.food = FoodChain(seed, VILLAGE, start_ms=self.chain.time_ms - 10**9)

    def members(self) -> dict[str, str]:
        """Firm's name to DID."""
        return {firm.name: self.did(firm.name) for firm in self.food.firms}

    def run(self, captured: Iterable[Captured]) -> None:
        """Capture events in order: a transaction for each firm's turn, a hundred in a block."""
        signed = []
        for _name, turn in itertools.groupby(captured, key=lambda each: each.firm.name):
            events = list(turn)
            messages = [CaptureEvent(document=write_normal(each.event)) for each in events]
            actor = self.actors[events[0].firm.name]
            signed.append(self.chain.sign(actor, [(APP, each) for each in messages]))
        for start in range(0, len(signed), 100):
            for result in self.chain.block(signed[start : start + 100]).results:
                assert {each.code for each in result.messages} == {"ok"}, result.messages

    def tell(self, who: str, message: Message) -> None:
        """Send what has to be accepted."""
        self.must(who, message)

    def follow(self, url: str, applications: Any) -> Index:
        """The read model of all blocks."""
        index = Index.open(url, Shape(applications), self.chain.chain)
        pairs = zip(self.chain.blocks, self.chain.results, strict=True)
        index.apply([ChainBlock(block, results) for block, results in pairs], ())
        return index
