"""`hansa did`: an account is a DID; make, show, resolve, rotate, recover and close it. Asks the
node.

Keys and what they promise: `did_keys`; services and agreement keys: `did_entries`; recovery:
`did_recovery`.
"""

import json
from pathlib import Path
from typing import Any, Final

import click

from hansa.cli.acting import act, collect_act
from hansa.cli.answers import NO, UNJUDGED, YES, answer, hint, json_option
from hansa.cli.asking import open_gateway
from hansa.cli.identity.acts import build_act_command, file_option
from hansa.cli.identity.did_entries import agreement, service
from hansa.cli.identity.did_issuing import issuing_key
from hansa.cli.identity.did_keys import promise, rotate
from hansa.cli.identity.did_recovery import recover
from hansa.cli.place import NoSuchPlace, Place, place_options, signer_option
from hansa.client.faults import ClientError
from hansa.client.files import read_file
from hansa.client.keys import Signer, generate_signer
from hansa.client.transactions import Draft

APP: Final = "accounts"
REQUEST_BYTES_MAX: Final = 16_384
# What says that something is not so; other errors say that nobody knows.
_NO: Final = frozenset({"notFound", "deactivated"})


@click.group()
def command() -> None:
    """Make, show, resolve, rotate, recover and close DIDs: an account of the league is a DID.

    A DID's name comes from its first key and stays when keys change. What it says is public to
    whoever knows it, and holds nothing personal. For relations that nobody should connect:
    `pairwise`.

    \b
    Examples:
      hansa did create alice --kind citizen --as employer
      hansa did next alice && hansa did rotate alice
      hansa did resolve alice --time 2026-11-22T08:00:00Z
      hansa did recover plan --agent bob --agent carol --threshold 2 --as alice
    """


@command.command("resolve")
@click.argument("did")
@click.option("--version", type=click.IntRange(min=1), help="The version of that number.")
@click.option("--height", type=click.IntRange(min=0), help="As at this height.")
@click.option("--time", metavar="TIME", help="As at this time: 2026-11-22T08:00:00Z.")
@click.option("--proof", is_flag=True, help="With the proofs of the records.")
@signer_option
@place_options
@json_option
def resolve(did: str, **values: Any) -> int:
    """Print the DID resolution result of a DID or of a key known here, always as JSON.

    Exit 1: there is none, or it is deactivated. did:web needs a signed-in account (--as).

    \b
    Examples:
      hansa did resolve did:hansa:… --version 2
      hansa did resolve alice --proof > alice.json
    """
    asked = {name: str(values[name]) for name in ("version", "height") if values[name] is not None}
    asked |= {"time": values["time"]} if values["time"] else {}
    asked |= {"proof": "true"} if values["proof"] else {}
    result = _resolve(values["place"], did, values["signer_name"], asked)
    answer(result, json.dumps(result, ensure_ascii=False, indent=2), as_json=values["as_json"])
    return _judge(result)


@command.command("show")
@click.argument("did")
@signer_option
@place_options
@json_option
def show(did: str, signer_name: str | None, place: Place, as_json: bool) -> int:
    """Say in short what a DID stands for now: keys, services, what waits.

    \b
    Example:
      hansa did show alice
    """
    result = _resolve(place, did, signer_name, {})
    answer(result, "\n".join(_tell(result)), as_json=as_json)
    return _judge(result)


@command.command("history")
@click.argument("did")
@signer_option
@place_options
@json_option
def history(did: str, signer_name: str | None, place: Place, as_json: bool) -> int:
    """List the versions of a DID with their heights and times.

    \b
    Example:
      hansa did history alice
    """
    with open_gateway(place, signer_name) as gateway:
        versions = gateway.did_versions(place.did(did))
    lines = [
        f"{each['version']:>6}  height {each['since']}  {each['updated']}" for each in versions
    ]
    answer(versions, "\n".join(lines), as_json=as_json)
    return YES


def _create(name: str | None, alg: str, kind: str, request: Path | None, **values: Any) -> int:
    from hansa.cli.fields import build_message, parse_json
    from hansa.cli.rotation import PURPOSES, sign_possession
    from hansa.contracts.accounts.model import OpenAccount

    if (name is None) == (request is None):
        raise click.UsageError("give NAME (a key of yours) or --request (another's), not both")
    how = collect_act(values)
    how.place.url()  # where comes before who
    opener = how.place.signer(how.signer_name)
    if request is not None:
        text = read_file(request, REQUEST_BYTES_MAX).decode("utf-8", "replace")
        return act(how, [Draft(APP, build_message(OpenAccount, parse_json(text, "--request")))])
    signer = _find_or_make(how.place, name or "", alg)
    with how.place.gateway(opener) as gateway:
        league = gateway.league()
        known = gateway.resolve_did(signer.account)
        member = gateway.record(APP, "account", opener.account)
    if known["didDocument"] is not None:
        answer(known, f"{name}: {signer.account} is open already", as_json=how.as_json)
        return YES
    if member is None:
        raise ClientError(f"{opener.account} has no account in this league", "give --as ADMIN")
    body = {
        "kind": kind,
        "key_id": signer.kid.partition("#")[2],
        "key": {"alg": signer.private.alg, "public": signer.private.public.public},
        "purposes": PURPOSES[kind],
        "possession": sign_possession(signer, chain=league.chain, member=str(member["member"])),
    }
    hint(f"{name}: {signer.account}")
    return act(how, [Draft(APP, build_message(OpenAccount, body))])


command.add_command(
    build_act_command(
        "create",
        [
            click.Argument(["name"], required=False),
            click.Option(
                ["--alg"],
                type=click.Choice(["EdDSA", "ES256", "SM2"]),
                default="EdDSA",
                show_default=True,
                help="Suite of a new key.",
            ),
            click.Option(
                ["--kind"],
                type=click.Choice(["citizen", "staff"]),
                default="citizen",
                show_default=True,
                help="For whom.",
            ),
            file_option("--request", "Of another who holds the key: `hansa keys request`."),
        ],
        _create,
        """Open an account, and so a DID, for the key NAME, which is made when there is none.

        An administrator of a member, or for citizens a registrar, signs (--as). Who keeps the key
        elsewhere sends a request, and only that is given here. Safe to run again.

        \b
        Examples:
          hansa did create alice --as employer
          hansa did create --request alice.json --as employer
        """,
    )
)


def _deactivate(account: str | None, reason: str, yes: bool, **values: Any) -> int:
    from hansa.cli.fields import build_message
    from hansa.contracts.accounts.model import CloseAccount

    if not yes:
        raise click.UsageError("closing is for ever: no key opens it again; say so with --yes")
    how = collect_act(values)
    how.place.url()
    did = how.place.did(account) if account else how.place.signer(how.signer_name).account
    return act(how, [Draft(APP, build_message(CloseAccount, {"account": did, "reason": reason}))])


command.add_command(
    build_act_command(
        "deactivate",
        [
            click.Argument(["account"], required=False),
            click.Option(["--reason"], default="left", show_default=True, help="Why, as a code."),
            click.Option(["--yes"], is_flag=True, help="Closing is for ever, and that is meant."),
        ],
        _deactivate,
        """Close an account for good: its DID is deactivated; what it signed before stays provable.

        The signer's own account, or one of the signer's member.

        \b
        Example:
          hansa did deactivate --as alice --yes
        """,
    )
)


@command.command("pairwise")
@click.argument("relation")
@click.option(
    "--seed",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of the seed.  [default: pairwise.seed beside your keys]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the private key there as a JWK, for you alone.",
)
@place_options
@json_option
def pairwise(
    relation: str, seed: Path | None, out: Path | None, place: Place, as_json: bool
) -> int:
    """Give the DID (did:key) that is yours for RELATION only; the same each time.

    Derived from one seed here; nothing of it stands on a ledger, and nobody can tell that two of
    them are of one person. Keep a copy of the seed: without it they are lost.

    \b
    Examples:
      hansa did pairwise clinic.example
      hansa did pairwise did:hansa:… --out clinic.jwk
    """
    from hansa.client.files import store_new
    from hansa.client.pairwise import derive_pairwise, load_seed
    from hansa.encoding.canonical import encode_canonical
    from hansa.encoding.text import encode_base64url
    from hansa.identity.did_key import did_of_key, method_of_key

    path = seed or place.rings()[-1].folder / "pairwise.seed"
    key = derive_pairwise(load_seed(path), relation)
    document = {"did": did_of_key(key.public), "method": method_of_key(key.public)}
    if out is not None:
        jwk = {**key.public.jwk(), "d": encode_base64url(key.to_bytes()), "kid": document["method"]}
        try:
            store_new(out, encode_canonical(jwk) + b"\n")
        except OSError as error:
            raise ClientError(f"cannot write {out}: {error.strerror}", "choose another") from error
    answer({**document, "relation": relation}, document["did"], as_json=as_json)
    return YES


for each in (promise, rotate, service, agreement, issuing_key, recover):
    command.add_command(each)


def _find_or_make(place: Place, name: str, alg: str) -> Signer:
    """The key of this name; a new one, on disk before anything is sent, when there is none."""
    try:
        return place.signer(name)
    except NoSuchPlace:
        signer = generate_signer(name, alg=alg)
        place.rings()[0].store(signer)
        return signer


def _resolve(
    place: Place, did: str, signer_name: str | None, asked: dict[str, str]
) -> dict[str, Any]:
    with open_gateway(place, signer_name) as gateway:
        return gateway.resolve_did(place.did(did), asked)


def _judge(result: dict[str, Any]) -> int:
    error = result["didResolutionMetadata"].get("error", "")
    if not error:
        return YES
    return NO if error in _NO else UNJUDGED


def _tell(result: dict[str, Any]) -> list[str]:
    document, metadata = result["didDocument"], result["didDocumentMetadata"]
    resolution = result["didResolutionMetadata"]
    if document is None:
        return [f"{resolution['error']}: {resolution.get('hansa:detail', '')}"]
    lines = [document["id"]]
    if "versionId" in metadata:
        lines.append(f"  version  {metadata['versionId']} since {metadata['updated']}")
    if document.get("controller"):
        lines.append(f"  member   {document['controller']}")
    if metadata.get("deactivated"):
        lines.append("  closed")
    for method in document.get("verificationMethod", ()):
        meant = [
            name
            for name in (
                "assertionMethod",
                "authentication",
                "capabilityInvocation",
                "keyAgreement",
            )
            if method["id"] in document.get(name, ())
        ]
        lines.append(f"  key      {method['id'].partition('#')[2]:<12} {', '.join(meant)}")
    for service_ in document.get("service", ()):
        lines.append(f"  service  {service_['type']:<12} {service_['serviceEndpoint']}")
    if "hansa:nextKey" in metadata:
        lines.append(f"  next key promised: {metadata['hansa:nextKey']}")
    for waiting in metadata.get("hansa:recovery", ()):
        lines.append(f"  RECOVERY {waiting['state']}, due {waiting['due']}: {waiting['key']}")
    return lines
