"""Headers that lead from genesis, or from a checkpoint's height, to a newer header of this node."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Annotated, Final

from litestar.params import Parameter

from hansa.api.door import Ledger
from hansa.api.problems import Refusal
from hansa.client.checkpoints import HEADERS_MAX
from hansa.comet.light import LightBlock, PathTooLong, Trusted, find_path, is_linked, trust_genesis
from hansa.comet.wire import Timestamp
from hansa.node.sealer import build_validators
from hansa.primitives.limits import INTEGER_MAX

# Ways from so many roots are remembered; each is a few headers.
ROOTS_KEPT: Final = 16

TrustedHeight = Annotated[
    int,
    Parameter(
        ge=0,
        le=INTEGER_MAX,
        description="Height of the checkpoint from which the file's headers lead; 0: genesis.",
    ),
]


class HeaderPaths:
    """Finds the headers of files. Remembers the way stations: they lead to all later headers."""

    def __init__(
        self, ledger: Ledger, find_keepers: Callable[[int], Sequence[str]] = lambda _height: ()
    ) -> None:
        """`find_keepers`: gateways that keep the block of a height."""
        self._ledger, self._find_keepers = ledger, find_keepers
        self._lock = threading.Lock()
        self._known: OrderedDict[int, tuple[LightBlock, ...]] = OrderedDict()

    def find(self, target: LightBlock, trusted: int) -> tuple[LightBlock, ...]:
        """Headers to follow from height `trusted` (0: genesis) to `target`; usually none.

        Raises Refusal: this node has not the headers between, or they are too many.
        """
        height = target.header.height
        if not trusted < height:
            return ()
        start = self._load_root(trusted)
        with self._lock:
            kept = self._known.get(trusted, ())
        known = tuple(each for each in kept if each.header.height < height)
        for count, step in enumerate([start, *(each.trusted() for each in known)]):
            if is_linked(step, target):
                return known[:count]
        found = known + self._search(known[-1].trusted() if known else start, target, len(known))
        if len(found) > len(kept):
            self._keep(trusted, found)
        return found

    def _search(self, start: Trusted, target: LightBlock, count: int) -> tuple[LightBlock, ...]:
        try:
            return find_path(self.load, start, target, length_max=HEADERS_MAX - count)
        except PathTooLong as error:
            raise Refusal(
                409,
                "api.too_many_headers",
                f"More than {HEADERS_MAX} headers lie between the trust root and this one.",
                rule="D22",
                remedy="Pin a checkpoint between them, and ask with ?trusted=HEIGHT.",
            ) from error

    def load(self, height: int) -> LightBlock:
        """The light block of `height`. Raises Refusal when this node has it not."""
        ledger = self._ledger
        try:
            return LightBlock(
                commit=ledger.commit(height),
                header=ledger.header(height),
                validators=ledger.validators_at(height),
            )
        except LookupError as error:
            raise refuse_header(ledger, height, self._find_keepers(height)) from error

    def _load_root(self, trusted: int) -> Trusted:
        ledger = self._ledger
        if trusted:
            return self.load(trusted).trusted()
        time = Timestamp.from_ms(ledger.genesis.time_ms)
        return trust_genesis(ledger.chain, time, build_validators(ledger.genesis))

    def _keep(self, trusted: int, found: tuple[LightBlock, ...]) -> None:
        with self._lock:
            self._known[trusted] = found
            self._known.move_to_end(trusted)
            while len(self._known) > ROOTS_KEPT:
                self._known.popitem(last=False)


def refuse_header(ledger: Ledger, height: int, keepers: Sequence[str] = ()) -> Refusal:
    """This node has no header of that height: not yet, or no longer."""
    if height > ledger.sealed_height:
        return Refusal(
            404,
            "api.no_header_yet",
            f"The newest header with its commit is that of height {ledger.sealed_height}.",
            rule="D22",
            remedy="Ask again later, or for that one.",
            params={"height": height, "newest": ledger.sealed_height},
        )
    first = ledger.heights()[0]
    return Refusal(
        404,
        "api.header_not_kept",
        f"This node has no header of height {height}: it began with a snapshot or has pruned, "
        f"and keeps headers from height {first} on.",
        rule="D22",
        remedy=(
            f"Ask {name_keepers(keepers)}, or pin a checkpoint of that height or later "
            "(hansa trust add FILE) and ask with ?trusted=HEIGHT."
        ),
        params={"height": height, "first": first},
    )


def name_keepers(keepers: Sequence[str]) -> str:
    """Whom to ask for what is not kept here."""
    return " or ".join(keepers) if keepers else "a node that has kept all"
