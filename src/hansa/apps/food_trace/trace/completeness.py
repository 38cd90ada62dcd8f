"""That a list of an item's steps is whole: their digests, folded, are the item's head. Pure.

The item's record can be proved against the ledger; so whoever has a proved item needs to trust
nobody for the list of its steps, even where partners and places are hidden.
"""

from collections.abc import Sequence

import msgspec

from hansa.apps.food_trace.model import Item, Step, compute_head, compute_step_digest


class TrailCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a check. `head` is that of the steps at hand."""

    is_complete: bool
    steps: int
    expected_steps: int
    head: str
    expected_head: str


def check_trail(item: Item, steps: Sequence[Step]) -> TrailCheck:
    """Fold the steps, in the order of their numbers, and compare with the item's head."""
    head = ""
    ordered = sorted(steps, key=lambda step: step.number)
    for step in ordered:
        head = compute_head(head, compute_step_digest(step))
    return TrailCheck(
        is_complete=head == item.head and len(ordered) == item.steps,
        steps=len(ordered),
        expected_steps=item.steps,
        head=head,
        expected_head=item.head,
    )
