"""All checkers of a run, in the order in which they look."""

from hansa.testing.simulation.checkers import Checker
from hansa.testing.simulation.checkers_agreement import Agreement, Finality, Start, Verdict
from hansa.testing.simulation.checkers_kernel import Admission, Books, Kernel
from hansa.testing.simulation.checkers_life import Chunks, Liveness, Remains, Stops
from hansa.testing.simulation.checkers_proofs import Proofs
from hansa.testing.simulation.checkers_reading import Durability, ReadModel


def build_checkers(*, elsewhere: bool = True) -> tuple[Checker, ...]:
    """New ones: each remembers what it saw of one run.

    `elsewhere`: another interpreter executes all blocks too; it has no author's applications.
    """
    return (
        Agreement(),
        Finality(),
        Kernel(elsewhere=elsewhere),
        Verdict(),
        Start(),
        Admission(),
        Proofs(),
        ReadModel(),
        Durability(),
        Books(),
        Chunks(),
        Liveness(),
        Stops(),
        Remains(),
    )
