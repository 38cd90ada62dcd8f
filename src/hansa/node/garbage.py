"""How often this process looks for reference cycles. Touches the interpreter's collector only."""

import gc
from typing import Final

# Blocks make many small values and hardly a cycle: a look costs more than what it finds. The young
# ones are looked at every so many allocations; the oldest only every 20 * 20 times as many.
_YOUNG: Final = 50_000
_OLDER: Final = 20


def settle_garbage() -> None:
    """For processes that serve: what start-up made stays for good and is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLDER)
