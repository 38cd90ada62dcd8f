"""`hansa init DIR`: make a league in a folder, whole or not at all, and pin it for this user.

Keys are made first, in a draft beside the folder; a run that was cut off goes on from there, so
that no league ever stands without the keys of its members.
"""

import re
import secrets
import shlex
import shutil
import time
from pathlib import Path
from typing import Any, Final, Literal

import click
import msgspec

from hansa.cli.answers import YES, answer, count_of, hint, json_option
from hansa.cli.founding import (
    Shape,
    build_league,
    build_node_part,
    build_validators,
    make_node_keys,
    read_operators,
)
from hansa.cli.keys import store_names
from hansa.cli.network import GENESIS, is_network, list_nodes
from hansa.cli.place import KEYS, NAMES, is_league
from hansa.cli.portrait import describe_league, format_league
from hansa.cli.template import (
    BAY,
    TEMPLATE_BYTES_MAX,
    LeaguePlan,
    Operator,
    build_parts,
    choose_operators,
    decode_plan,
    grow_plan,
)
from hansa.client.faults import ClientError
from hansa.client.files import read_file
from hansa.client.keys import SUFFIX, KeyRing, generate_signer

VALIDATOR: Final = "validator"
# Written last: the draft is then complete.
DRAFT: Final = "draft.json"
# As many as one chain may have (contract `validators`), and the fewest that survive a fault.
VALIDATORS_MAX: Final = 100
VALIDATORS_SAFE: Final = 4


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR", required=False)
@click.option("--members", type=click.Path(path_type=Path), metavar="FILE", help="Who is in it.")
@click.option("--chain", help="Chain id (default: the folder's name and four random digits).")
@click.option(
    "--engine",
    type=click.Choice(["embedded", "comet"]),
    help="embedded (default): one process. comet: a network of validators.",
)
@click.option(
    "--validators",
    type=click.IntRange(1, VALIDATORS_MAX),
    metavar="N",
    help=f"With comet: nodes that vote, each of another member (default: {VALIDATORS_SAFE}).",
)
@click.option(
    "--observers",
    type=click.IntRange(0, VALIDATORS_MAX),
    metavar="N",
    help="With comet: nodes that follow without a vote (default: 0).",
)
@click.option(
    "--ports",
    type=click.Choice(["fixed", "any"]),
    help="With comet: fixed (default) 8481.. and 26601.., any: free ones at each start.",
)
@click.option("--show-members", is_flag=True, help="Print the built-in members file, make nothing.")
@json_option
def command(
    folder: Path | None,
    members: Path | None,
    chain: str | None,
    engine: str | None,
    validators: int | None,
    observers: int | None,
    ports: Literal["fixed", "any"] | None,
    show_members: bool,
    as_json: bool,
) -> int:
    """Make a league in DIR.

    Six model organisations in two jurisdictions (or those of --members): a tax bureau, two sellers,
    a buyer, an employer, an auditor. Their keys are in DIR/keys, for your eyes only. The league is
    pinned for you, so that `hansa verify` trusts it. Safe to run twice.

    With --engine comet the league is a network: a node for each of several members, in
    DIR/nodes/1 and so on. Four validators go on when any one of them stops.

    \b
    Examples:
      hansa init bay && hansa start bay
      hansa init bay --engine comet --validators 4
      hansa init --show-members > members.json
      hansa init bay --members members.json
    """
    if show_members:
        click.echo(msgspec.json.format(msgspec.json.encode(BAY), indent=2).decode())
        return YES
    if folder is None:
        raise click.UsageError("name the folder: hansa init DIR")
    shape = collect_shape(engine, validators, observers, ports)
    is_new = not (is_league(folder) and (folder / NAMES).exists())
    if is_new:
        plan = BAY if members is None else decode_plan(read_file(members, TEMPLATE_BYTES_MAX))
        if shape is not None and members is None:
            plan = grow_plan(plan, shape.nodes)
        make_league(folder, plan, chain, shape)
    else:
        check_same_shape(folder, engine, shape)
        pin_league(folder)
        shutil.rmtree(find_draft(folder.absolute()), ignore_errors=True)
    document = describe_league(folder) | {"new": is_new}
    answer(document, format_league(document), as_json=as_json)
    if shape is not None and is_new and shape.validators < VALIDATORS_SAFE:
        count = count_of(shape.validators, "validator")
        hint(f"with {count} the league halts when any one stops; {VALIDATORS_SAFE} survive that")
    hint(f"next: hansa start {shlex.quote(str(folder))}")
    return YES


def collect_shape(
    engine: str | None,
    validators: int | None,
    observers: int | None,
    ports: Literal["fixed", "any"] | None,
) -> Shape | None:
    """The network that is asked for; None for the embedded engine."""
    if engine == "comet":
        return Shape(validators or VALIDATORS_SAFE, observers or 0, ports or "fixed")
    given = {"--validators": validators, "--observers": observers, "--ports": ports}
    named = next((name for name, value in given.items() if value is not None), None)
    if named is not None:
        raise click.UsageError(f"{named} is for a network: add --engine comet")
    return None


def check_same_shape(folder: Path, engine: str | None, shape: Shape | None) -> None:
    """Raise ClientError when the league that is there is not of the kind that is asked for."""
    remedy = "name a new folder; or leave the options out to see this one"
    if engine == "embedded" and is_network(folder):
        raise ClientError(f"{folder} is a league of several nodes already", remedy)
    if shape is None:
        return
    count = len(list_nodes(folder))
    if count != shape.nodes:
        there = count_of(count, "node") if count else "one embedded node"
        raise ClientError(f"{folder} is a league of {there} already", remedy)


def make_league(
    folder: Path, plan: LeaguePlan, chain: str | None, shape: Shape | None = None
) -> None:
    """Make keys, genesis and home(s). Raises ClientError or a fault of the node; leaves nothing.

    What can be refused is checked first: the league stands only when it can also be pinned.
    """
    from hansa.client.trust import TrustError
    from hansa.ledger.genesis import InvalidGenesis, decode_genesis

    folder = folder.absolute()
    if folder.exists() and not is_league(folder) and any(folder.iterdir()):
        raise ClientError(f"{folder} is not empty", "name a new folder")
    operators = () if shape is None else choose_operators(plan, shape.validators, shape.observers)
    draft = find_draft(folder)
    if not folder.exists() and read_operators(draft) != operators:
        shutil.rmtree(draft, ignore_errors=True)  # of another kind; its keys were never used
    default = plan.default or plan.members[0].name
    try:
        if not (draft / DRAFT).exists():
            _make_draft(draft, folder.name, plan, chain, operators)
        genesis = decode_genesis((draft / DRAFT).read_bytes())
        check_pin((draft / DRAFT).read_bytes())
        if shape is None:
            _build_embedded(folder, draft, genesis, default)
        else:
            build_league(folder, draft, genesis, shape, default)
    except TrustError:
        if not folder.exists():
            shutil.rmtree(draft, ignore_errors=True)
        raise
    except InvalidGenesis as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise ClientError(
            f"no league can start like this: {error}", "mend --members or --chain"
        ) from error
    pin_league(folder)
    shutil.rmtree(draft)


def _build_embedded(folder: Path, draft: Path, genesis: Any, default: str) -> None:
    """The league's folder is the home of its one node; the keys go in when it stands."""
    from hansa.catalog import build_registry
    from hansa.node.home import create_home, read_validator_key

    create_home(folder, genesis, read_validator_key(draft / f"{VALIDATOR}.json"), build_registry())
    for path in sorted(draft.glob(f"*{SUFFIX}")):
        path.replace(folder / KEYS / path.name)
    store_names(folder, {"default": default})


def find_draft(folder: Path) -> Path:
    """Where the keys of a league wait until its home stands."""
    return folder.with_name(f".{folder.name}.keys")


def check_pin(genesis: bytes) -> None:
    """Raise TrustError when another genesis is pinned for this chain id."""
    from hansa.client.trust import TrustError, TrustStore, build_trust_root

    root = build_trust_root(genesis)
    pinned = TrustStore().load(root.chain)
    if pinned is not None and pinned != root:
        raise TrustError(
            f"another league is pinned for chain {root.chain}: {pinned.genesis}",
            "choose another --chain, or leave it out",
        )


def pin_league(folder: Path) -> None:
    """Pin the league's genesis as a trust root of this user."""
    from hansa.client.trust import TrustStore

    TrustStore().pin((folder / GENESIS).read_bytes())


def _make_draft(
    draft: Path, name: str, plan: LeaguePlan, chain: str | None, operators: tuple[Operator, ...]
) -> None:
    """Keys of all members and of the validators, then the genesis that names them."""
    from hansa.crypto.keys import PrivateKey
    from hansa.ledger.genesis import GenesisValidator, encode_genesis
    from hansa.node.home import write_file, write_validator_key

    shutil.rmtree(draft, ignore_errors=True)
    ring = KeyRing(draft)
    keys: dict[str, tuple[str, Any]] = {}
    for member in plan.members:
        signer = generate_signer(member.name)
        ring.store(signer)
        keys[member.name] = (signer.account, signer.private.public)
    parts = build_parts(plan, keys)
    accounts = {name: did for name, (did, _key) in keys.items()}
    validators: tuple[Any, ...]
    if operators:
        make_node_keys(draft, operators)
        validators = build_validators(draft, operators, accounts)
        parts["validators"] = build_node_part(draft, operators, accounts)
    else:
        validator = PrivateKey.generate()
        write_validator_key(draft / f"{VALIDATOR}.json", validator)
        validators = (GenesisValidator(key=validator.public, power=10),)
    genesis = build_genesis(chain or choose_chain(name), parts, validators)
    write_file(draft / DRAFT, encode_genesis(genesis))


def build_genesis(chain: str, parts: dict[str, Any], validators: tuple[Any, ...]) -> Any:
    """The genesis: every contract of this release active, its part as given, the validators."""
    from hansa.catalog import build_registry, compute_code_digest
    from hansa.ledger.genesis import Genesis, GenesisActivation

    return Genesis(
        activations=tuple(
            GenesisActivation(
                application=name, version=contract.version, digest=compute_code_digest(name)
            )
            for name, contract in build_registry().latest.items()
        ),
        chain=chain,
        contracts=parts,
        kind="hansa.genesis/1",
        time_ms=time.time_ns() // 1_000_000,
        validators=validators,
    )


def choose_chain(name: str) -> str:
    """A chain id after the folder's name; random digits, since ids must not meet."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "league"
    return f"{slug}-{secrets.token_hex(2)}"
