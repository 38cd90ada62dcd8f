"""What a validator signed last (priv_validator_state.json), never behind what the ledger shows.

The engine keeps the file and signs nothing at or below it. A restored backup would let it sign a
height twice: `raise_sign_state` forbids that. Touches that file only; the engine must be stopped.
Source: CometBFT v0.39.4 privval/file.go (CheckHRS).
"""

import json
import os
from pathlib import Path
from typing import Final

import msgspec

from hansa.comet.faults import EngineHomeError

SIGN_STATE: Final = Path("data") / "priv_validator_state.json"
# The last vote that a height can have: CheckHRS lets nothing of it follow.
_ROUND_MAX: Final = 2**31 - 1
_STEP_PRECOMMIT: Final = 3
_FILE_BYTES_MAX: Final = 64_000


class SignState(msgspec.Struct):
    """The file. Step 0 nothing, 1 proposal, 2 prevote, 3 precommit."""

    height: str
    round: int
    step: int


def read_sign_state(folder: Path) -> tuple[int, int, int]:
    """(height, round, step) of the newest signature of the engine in `folder`; zeros when none.

    Raises EngineHomeError when the file is damaged.
    """
    path = folder / SIGN_STATE
    try:
        with path.open("rb") as file:
            state = msgspec.json.decode(file.read(_FILE_BYTES_MAX), type=SignState)
        return int(state.height), state.round, state.step
    except FileNotFoundError:
        return 0, 0, 0
    except (msgspec.MsgspecError, ValueError) as error:
        raise EngineHomeError(
            f"{path} does not say what this validator signed last",
            "Do not delete it: a vote given twice costs the vote. Wait until the league is some "
            "blocks further, then write its height into it; or have the key replaced.",
        ) from error


def create_sign_state(folder: Path) -> None:
    """Write the file of a validator that has signed nothing, when there is none."""
    if not (folder / SIGN_STATE).exists():
        _write(folder / SIGN_STATE, 0, 0, 0)


def raise_sign_state(folder: Path, height: int) -> bool:
    """Forbid all votes at `height` and below; says whether the file had to be changed."""
    if read_sign_state(folder)[0] >= height:
        return False
    _write(folder / SIGN_STATE, height, _ROUND_MAX, _STEP_PRECOMMIT)
    return True


def _write(path: Path, height: int, round_: int, step: int) -> None:
    fresh = path.with_name(f".{path.name}.new")
    state = {"height": str(height), "round": round_, "step": step}
    with open(fresh, "wb", opener=_open_private) as file:
        file.write(json.dumps(state, indent=2).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def _open_private(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_CLOEXEC, 0o600)
