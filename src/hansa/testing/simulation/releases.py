"""Releases of the software in a simulated run: that which a league begins with, and the next. Pure.

A node that has the old one stops before the height at which the next version of a contract begins.
"""

import msgspec

from hansa.ledger.contracts import Registry
from hansa.testing.simulation.plan import Plan
from hansa.testing.simulation.workload_league import build_registry, compute_digest

NOT_AGREED = "not agreed"


class Release(msgspec.Struct, frozen=True):
    """What a node's software has: contracts, and the digest of a contract's code by its name.

    `digests`: from a height on that of a later version; `allows` names the fault by which its node
    may stop.
    """

    registry: Registry
    digests: tuple[tuple[str, int, str], ...] = ()
    allows: str = ""

    def compute_digest(self, application: str, height: int) -> str:
        """Digest of the code that executes the block at `height`."""
        later = [
            name for each, since, name in self.digests if each == application and since <= height
        ]
        return compute_digest(later[-1] if later else application)


def build_releases(plan: Plan) -> tuple[Release, ...]:
    """The old release and the newest; the same one when nothing is upgraded."""
    if not plan.release:
        return (Release(build_registry()),)
    agreed = tuple((each.application, each.height, "tally2") for each in plan.release)
    newest = Release(build_registry(newest=2), agreed)
    spoilt = tuple((each.application, each.height, NOT_AGREED) for each in plan.release)
    if any(each.text == "digest" for each in plan.release):
        return (Release(build_registry(newest=2), spoilt, "other_digest"), newest)
    return (Release(build_registry(), agreed, "old_release"), newest)
