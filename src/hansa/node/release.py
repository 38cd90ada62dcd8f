"""Whether this release can execute a block: it must have every contract that is active there (D7).

A node that lacks one stops before that block with what to install, and goes on afterwards. Pure.
"""

from collections.abc import Callable
from typing import Final

from hansa.ledger.contracts import ACTIVATIONS_MAX, Registry, find_missing
from hansa.ledger.state import Reader, scan_records
from hansa.ledger.system import Activation
from hansa.node.faults import OldReleaseError

# Digest of a contract's code in this release, hex, by the name of its application.
ComputeDigest = Callable[[str], str]

_CURE: Final = (
    "Install the release of Hansa that has it, then start this node again: it goes on from here."
)


def check_release(
    reader: Reader, registry: Registry, height: int, compute_digest: ComputeDigest | None
) -> None:
    """Raise OldReleaseError when the block at `height` cannot be executed by this release.

    At the very height at which a version becomes active its code is compared too.
    """
    for application, version, digest in find_missing(reader, registry, height):
        raise OldReleaseError(
            f"block {height} needs {application} version {version} (code {digest[:16]}),"
            " which this release does not have",
            _CURE,
        )
    if compute_digest is None:
        return
    for activation in scan_records(reader, Activation.OWNER, Activation, limit=ACTIVATIONS_MAX):
        for entry in activation.versions:
            if entry.height != height:
                continue
            found = compute_digest(activation.application)
            if found != entry.digest:
                raise OldReleaseError(
                    f"block {height} begins {activation.application} version {entry.version} with"
                    f" code {entry.digest[:16]}; this release's is {found[:16]}",
                    _CURE,
                )
