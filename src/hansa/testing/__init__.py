"""What application authors use to test: `Chain`, `League`, builders, and `SimulatedNetwork`. Never
imported by the product.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hansa.testing.simulation.run import SimulatedNetwork

__all__ = ["SimulatedNetwork"]


def __getattr__(name: str) -> Any:
    """`SimulatedNetwork` brings the whole node with it: it is imported when it is asked for."""
    if name == "SimulatedNetwork":
        from hansa.testing.simulation.run import SimulatedNetwork

        return SimulatedNetwork
    raise AttributeError(name)
