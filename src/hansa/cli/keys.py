"""`hansa keys`: make, list, show, rotate keys, choose who signs. Touches key rings, names.json."""

import json
import os
from pathlib import Path

import click

from hansa.cli.answers import YES, answer, hint, json_option
from hansa.cli.place import NAMES, Place, ask_passphrase, place_options
from hansa.client.faults import ClientError


class _KeysGroup(click.Group):
    """Loads what needs the contracts only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_LATER]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _LATER:
            return super().get_command(ctx, cmd_name)
        from hansa.cli import rotation

        found = getattr(rotation, cmd_name)
        return found if isinstance(found, click.Command) else None


_LATER = ("request", "rotate")


@click.group(cls=_KeysGroup)
def command() -> None:
    """Make, list, show and rotate keys.

    A key signs for one account. Keys of a league on this machine are in its folder (DIR/keys),
    your own in ~/.hansa/keys (or $HANSA_HOME/keys). Only you can read them; no node holds them.

    \b
    Examples:
      hansa keys new alice                    a key and the account named after it
      hansa keys new alice --passphrase       the same, sealed
      hansa keys list
      hansa keys use tax-bureau               who signs from now on in this league
    """


@command.command("new")
@click.argument("name")
@click.option(
    "--alg", type=click.Choice(["EdDSA", "ES256", "SM2"]), default="EdDSA", show_default=True
)
@click.option("--passphrase", "sealed", is_flag=True, help="Seal the key with a passphrase.")
@click.option("--account", metavar="DID", help="A further key of this existing account.")
@click.option("--fragment", default="k1", show_default=True, help="The key's name in its account.")
@place_options
@json_option
def new(
    name: str,
    alg: str,
    sealed: bool,
    account: str | None,
    fragment: str,
    place: Place,
    as_json: bool,
) -> int:
    """Make a key named NAME.

    Without --account it opens a new account: its DID derives from the key. The account acts once a
    member of the league registers it.

    \b
    Examples:
      hansa keys new alice
      hansa keys new alice-2 --account did:hansa:… --fragment k2
    """
    from hansa.client.keys import generate_signer

    ring = place.rings()[0]
    signer = generate_signer(name, alg=alg, account=account or "", fragment=fragment)
    passphrase = ask_passphrase(name, confirm=True) if sealed else None
    path = ring.store(signer, passphrase)
    document = {
        "name": name,
        "kid": signer.kid,
        "account": signer.account,
        "alg": alg,
        "file": str(path),
        "sealed": sealed,
    }
    answer(document, f"{name}: {signer.kid}\n  {path}", as_json=as_json)
    hint("Keep a copy of the file in a safe place: nobody can make it again.")
    return YES


@command.command("list")
@place_options
@json_option
def list_(place: Place, as_json: bool) -> int:
    """List the keys of this place: the league's folder first, then your own."""
    default = place.names().get("default")
    rows = []
    for ring in place.rings():
        for name in ring.names():
            file = ring.read(name)
            rows.append(
                {
                    "name": name,
                    "kid": file.kid,
                    "alg": file.public.alg,
                    "sealed": file.seal is not None,
                    "default": name == default,
                    "file": str(ring.path(name)),
                }
            )
    lines = [f"{'*' if row['default'] else ' '} {row['name']:<20} {row['kid']}" for row in rows]
    answer(rows, "\n".join(lines), as_json=as_json)
    if not rows:
        hint("No keys here. Make one: hansa keys new NAME")
    return YES


@command.command("show")
@click.argument("name")
@place_options
@json_option
def show(name: str, place: Place, as_json: bool) -> int:
    """Show the public part of a key as a JWK: what a member needs to register the account."""
    file = next((r.read(name) for r in place.rings() if r.path(name).exists()), None)
    if file is None:
        raise ClientError(f"no key is named {name!r}", "hansa keys list")
    document = {
        "name": name,
        "kid": file.kid,
        "account": file.account,
        "alg": file.public.alg,
        "public": file.public.public,
        "jwk": file.jwk,
        "sealed": file.seal is not None,
    }
    lines = [
        name,
        f"  key      {file.kid}",
        f"  account  {file.account}",
        f"  jwk      {json.dumps(file.jwk)}",
    ]
    answer(document, "\n".join(lines), as_json=as_json)
    return YES


@command.command("use")
@click.argument("name")
@place_options
@json_option
def use(name: str, place: Place, as_json: bool) -> int:
    """Let NAME sign in this league from now on when --as is not given."""
    if place.league is None:
        raise ClientError("there is no league here", "go into its folder, or set HANSA_AS=NAME")
    if not any(ring.path(name).exists() for ring in place.rings()):
        raise ClientError(f"no key is named {name!r}", "hansa keys list")
    store_names(place.league, {**place.names(), "default": name})
    answer({"default": name}, f"{name} signs from now on", as_json=as_json)
    return YES


def store_names(league: Path, names: dict[str, object]) -> None:
    """Replace names.json whole."""
    draft = league / f".{NAMES}.{os.getpid()}"
    draft.write_text(json.dumps(names, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    draft.replace(league / NAMES)
