"""A league of several nodes in one folder: keys, genesis and a home for each. Whole or not at all.

Everything is made in folders beside the league's, which gets its name last, in one step.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from hansa.cli.keys import store_names
from hansa.cli.network import GENESIS
from hansa.cli.place import KEYS
from hansa.cli.template import Operator
from hansa.client.faults import ClientError
from hansa.client.keys import SUFFIX
from hansa.encoding.json_faults import NOT_JSON
from hansa.node.running import NODES

OPERATORS: Final = "operators.json"
VALIDATOR_KEY, NODE_KEY = "validator.json", "node.json"
LOOPBACK: Final = "127.0.0.1"
# Where the gateway and the engine of node 1 listen; node 2 one higher, and so on.
API_PORT, P2P_PORT = 8481, 26601
POWER: Final = 10


@dataclass(frozen=True, slots=True)
class Shape:
    """How many nodes, and whether their ports are fixed or found free at each start."""

    validators: int
    observers: int = 0
    ports: Literal["fixed", "any"] = "fixed"

    @property
    def nodes(self) -> int:
        """All nodes."""
        return self.validators + self.observers


def make_node_keys(draft: Path, operators: tuple[Operator, ...]) -> None:
    """A validator's and a node's key for each operator, in the draft."""
    from hansa.crypto.keys import PrivateKey
    from hansa.node.home import write_file, write_validator_key

    for operator in operators:
        folder = draft / str(operator.number)
        folder.mkdir(mode=0o700)
        for name in (VALIDATOR_KEY, NODE_KEY):
            write_validator_key(folder / name, PrivateKey.generate())
    write_file(draft / OPERATORS, msgspec.json.encode(operators))


def read_operators(draft: Path) -> tuple[Operator, ...]:
    """The operators of a draft; none for that of an embedded league, or a damaged one."""
    try:
        return msgspec.json.decode((draft / OPERATORS).read_bytes(), type=tuple[Operator, ...])
    except (*NOT_JSON, OSError):
        return ()


def build_validators(
    draft: Path, operators: tuple[Operator, ...], accounts: dict[str, str]
) -> tuple[Any, ...]:
    """The genesis validators. `accounts`: member's name to its DID."""
    from hansa.ledger.genesis import GenesisValidator
    from hansa.node.home import read_validator_key

    return tuple(
        GenesisValidator(
            key=read_validator_key(draft / str(each.number) / VALIDATOR_KEY).public,
            power=POWER,
            member=accounts[each.member],
        )
        for each in operators
        if each.kind == "validator"
    )


def build_node_part(
    draft: Path, operators: tuple[Operator, ...], accounts: dict[str, str]
) -> dict[str, Any]:
    """What the contract of validators is given: whose node is which."""
    from hansa.comet.files import compute_node_id
    from hansa.node.home import read_validator_key

    return {
        "nodes": [
            {
                "id": compute_node_id(
                    read_validator_key(draft / str(each.number) / NODE_KEY).public.raw
                ),
                "kind": each.kind,
                "member": accounts[each.member],
            }
            for each in operators
        ]
    }


def build_league(folder: Path, draft: Path, genesis: Any, shape: Shape, default: str) -> None:
    """The folder of a league from its whole draft. Raises a NodeError, InvalidGenesis.

    `default`: name of the member who signs when nobody is named.
    """
    from hansa.catalog import build_registry
    from hansa.node.home import create_home, read_validator_key
    from hansa.node.storage import sync_folder

    if folder.exists() and any(folder.iterdir()):
        raise ClientError(f"{folder} is not empty", "name a new folder")
    making = folder.with_name(f".{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    try:
        (making / KEYS).mkdir(parents=True, mode=0o700)
        making.chmod(0o700)
        (making / NODES).mkdir(mode=0o700)
        registry = build_registry()
        for operator in read_operators(draft):
            keys = draft / str(operator.number)
            create_home(
                making / NODES / str(operator.number),
                genesis,
                read_validator_key(keys / VALIDATOR_KEY),
                registry,
                build_settings(operator, shape),
                node=read_validator_key(keys / NODE_KEY),
            )
        for path in sorted(draft.glob(f"*{SUFFIX}")):
            shutil.copy2(path, making / KEYS / path.name)
        shutil.copyfile(making / NODES / "1" / GENESIS, making / GENESIS)
        store_names(making, {"default": default})
        sync_folder(making / KEYS)
        sync_folder(making)
        making.rename(folder)
        sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise


def build_settings(operator: Operator, shape: Shape) -> Any:
    """`node.toml` of a node on this machine."""
    from hansa.node.settings import ApiSettings, EngineSettings, PeerSettings, Settings

    offset = operator.number - 1
    is_fixed = shape.ports == "fixed"
    return Settings(
        api=ApiSettings(host=LOOPBACK, port=API_PORT + offset if is_fixed else 0),
        engine=EngineSettings(kind="comet"),
        p2p=PeerSettings(host=LOOPBACK, port=P2P_PORT + offset if is_fixed else 0),
    )
