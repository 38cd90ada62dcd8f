"""All checkers of a run, in the order in which they look."""

from hansa.testing.simulation.checkers import Checker
from hansa.testing.simulation.checkers_agreement import Agreement, Finality, Start, Verdict
from hansa.testing.simulation.checkers_kernel import Admission, Books, Kernel
from hansa.testing.simulation.checkers_life import Chunks, Liveness, Remains, Stops
from hansa.testing.simulation.checkers_proofs import Proofs
from hansa.testing.simulation.checkers_reading import Durability, ReadModel


def build_checkers() -> tuple[Checker, ...]:
    """New ones: each remembers what it saw of one run."""
    return (
        Agreement(),
        Finality(),
        Kernel(),
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
