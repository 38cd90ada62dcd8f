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
from typing import Any, Final

import click
import msgspec

from hansa.cli.answers import YES, answer, hint, json_option
from hansa.cli.keys import store_names
from hansa.cli.place import GENESIS, KEYS, NAMES, is_league
from hansa.cli.template import BAY, TEMPLATE_BYTES_MAX, LeaguePlan, build_parts, decode_plan
from hansa.client.faults import ClientError
from hansa.client.files import read_file
from hansa.client.keys import SUFFIX, KeyRing, generate_signer

VALIDATOR: Final = "validator"
# Written last: the draft is then complete.
DRAFT: Final = "draft.json"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR", required=False)
@click.option("--members", type=click.Path(path_type=Path), metavar="FILE", help="Who is in it.")
@click.option("--chain", help="Chain id (default: the folder's name and four random digits).")
@click.option("--show-members", is_flag=True, help="Print the built-in members file, make nothing.")
@json_option
def command(
    folder: Path | None, members: Path | None, chain: str | None, show_members: bool, as_json: bool
) -> int:
    """Make a league in DIR.

    Six model organisations in two jurisdictions (or those of --members): a tax bureau, two sellers,
    a buyer, an employer, an auditor. Their keys are in DIR/keys, for your eyes only. The league is
    pinned for you, so that `hansa verify` trusts it. Safe to run twice.

    \b
    Examples:
      hansa init bay && hansa start bay
      hansa init --show-members > members.json
      hansa init bay --members members.json
    """
    if show_members:
        click.echo(msgspec.json.format(msgspec.json.encode(BAY), indent=2).decode())
        return YES
    if folder is None:
        raise click.UsageError("name the folder: hansa init DIR")
    is_new = not (is_league(folder) and (folder / NAMES).exists())
    if is_new:
        plan = BAY if members is None else decode_plan(read_file(members, TEMPLATE_BYTES_MAX))
        make_league(folder, plan, chain)
    else:
        pin_league(folder)
        shutil.rmtree(find_draft(folder.absolute()), ignore_errors=True)
    document = describe_league(folder) | {"new": is_new}
    answer(document, format_league(document), as_json=as_json)
    hint(f"next: hansa start {shlex.quote(str(folder))}")
    return YES


def make_league(folder: Path, plan: LeaguePlan, chain: str | None) -> None:
    """Make keys, genesis and home. Raises ClientError or a fault of the node, and leaves nothing.

    What can be refused is checked first: the league stands only when it can also be pinned.
    """
    from hansa.catalog import build_registry
    from hansa.client.trust import TrustError
    from hansa.ledger.genesis import InvalidGenesis, decode_genesis
    from hansa.node.home import create_home, read_validator_key

    folder = folder.absolute()
    if folder.exists() and not is_league(folder) and any(folder.iterdir()):
        raise ClientError(f"{folder} is not empty", "name a new folder")
    draft = find_draft(folder)
    try:
        if not (draft / DRAFT).exists():
            _make_draft(draft, folder.name, plan, chain)
        genesis = decode_genesis((draft / DRAFT).read_bytes())
        check_pin((draft / DRAFT).read_bytes())
        validator = read_validator_key(draft / f"{VALIDATOR}.json")
        create_home(folder, genesis, validator, build_registry())
    except TrustError:
        if not folder.exists():
            shutil.rmtree(draft, ignore_errors=True)
        raise
    except InvalidGenesis as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise ClientError(
            f"no league can start like this: {error}", "mend --members or --chain"
        ) from error
    for path in sorted(draft.glob(f"*{SUFFIX}")):
        path.replace(folder / KEYS / path.name)
    pin_league(folder)
    store_names(folder, {"default": plan.default or plan.members[0].name})
    shutil.rmtree(draft)


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


def _make_draft(draft: Path, name: str, plan: LeaguePlan, chain: str | None) -> None:
    """Keys of all members and of the validator, then the genesis that names them."""
    from hansa.crypto.keys import PrivateKey
    from hansa.ledger.genesis import encode_genesis
    from hansa.node.home import write_file, write_validator_key

    shutil.rmtree(draft, ignore_errors=True)
    ring = KeyRing(draft)
    keys: dict[str, tuple[str, Any]] = {}
    for member in plan.members:
        signer = generate_signer(member.name)
        ring.store(signer)
        keys[member.name] = (signer.account, signer.private.public)
    validator = PrivateKey.generate()
    write_validator_key(draft / f"{VALIDATOR}.json", validator)
    genesis = build_genesis(chain or choose_chain(name), plan, keys, validator.public)
    write_file(draft / DRAFT, encode_genesis(genesis))


def build_genesis(
    chain: str, plan: LeaguePlan, keys: dict[str, tuple[str, Any]], validator: Any
) -> Any:
    """The genesis: every contract of this release active, the plan's members, one validator."""
    from hansa.catalog import build_registry, compute_code_digest
    from hansa.ledger.genesis import Genesis, GenesisActivation, GenesisValidator

    return Genesis(
        activations=tuple(
            GenesisActivation(
                application=name, version=contract.version, digest=compute_code_digest(name)
            )
            for name, contract in build_registry().latest.items()
        ),
        chain=chain,
        contracts=build_parts(plan, keys),
        kind="hansa.genesis/1",
        time_ms=time.time_ns() // 1_000_000,
        validators=(GenesisValidator(key=validator, power=10),),
    )


def choose_chain(name: str) -> str:
    """A chain id after the folder's name; random digits, since ids must not meet."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "league"
    return f"{slug}-{secrets.token_hex(2)}"


def describe_league(folder: Path) -> dict[str, Any]:
    """What is in a league's folder."""
    from hansa.node.home import open_home

    home = open_home(folder)
    ring = KeyRing(folder / KEYS)
    titles = {
        each["did"]: each for each in home.genesis.contracts.get("members", {}).get("members", ())
    }
    members = []
    for name in ring.names():
        account = ring.read(name).account
        title = titles.get(account, {})
        members.append(
            {
                "name": name,
                "did": account,
                "title": title.get("name", ""),
                "jurisdiction": title.get("jurisdiction", ""),
                "identifiers": [
                    f"{each['scheme']}:{each['value']}" for each in title.get("identifiers", ())
                ],
            }
        )
    return {
        "folder": str(folder),
        "chain": home.genesis.chain,
        "genesis": home.genesis_digest.hex(),
        "members": members,
    }


def format_league(document: dict[str, Any]) -> str:
    """A league's description for people."""
    state = "made" if document["new"] else "is here already; nothing was changed"
    lines = [f"{document['folder']}: league {document['chain']} {state}"]
    for member in document["members"]:
        numbers = " ".join(member["identifiers"])
        lines.append(
            f"  {member['name']:<12} {member['jurisdiction']}  {member['title']}  {numbers}"
        )
    return "\n".join(lines)
