"""`hansa did recover`: who may give an account a new key, and how they do. Asks the node."""

import json
from pathlib import Path
from typing import Any, Final

import click

from hansa.cli.acting import act, collect_act
from hansa.cli.answers import YES, answer, hint, json_option
from hansa.cli.asking import open_gateway
from hansa.cli.identity.acts import build_act_command
from hansa.cli.place import Place, place_options, signer_option
from hansa.client.faults import ClientError
from hansa.client.files import read_file
from hansa.client.keys import Signer
from hansa.client.transactions import Draft
from hansa.crypto.hashing import sha256
from hansa.crypto.keys import PrivateKey

APP: Final = "accounts"
REQUEST_BYTES_MAX: Final = 16_384


@click.group()
def recover() -> None:
    """Name who may give your account a new key when yours are lost; and do it for others.

    Enough agents approve the same new key within a time; then it waits, so that whoever still holds
    a key of the account can veto; then it enters and all other keys end.

    \b
    Examples:
      hansa did recover plan --agent bob --agent carol --threshold 2 --as alice
      hansa did recover request alice-new did:hansa:… > new.json
      hansa did recover approve new.json --as bob
      hansa did recover status did:hansa:… --as alice
      hansa did recover veto --as alice
    """


def _plan(agent: tuple[str, ...], threshold: int, **values: Any) -> int:
    from hansa.cli.fields import build_message
    from hansa.contracts.accounts.did_model import SetRecovery

    how = collect_act(values)
    how.place.url()  # where comes before who
    body = {
        "account": how.place.signer(how.signer_name).account,
        "agents": sorted({how.place.did(each) for each in agent}),
        "threshold": threshold if agent else 0,
    }
    return act(how, [Draft(APP, build_message(SetRecovery, body))])


def _approve(request: Path, **values: Any) -> int:
    from hansa.cli.fields import build_message, parse_json
    from hansa.contracts.accounts.did_model import ApproveRecovery

    how = collect_act(values)
    text = read_file(request, REQUEST_BYTES_MAX).decode("utf-8", "replace")
    return act(how, [Draft(APP, build_message(ApproveRecovery, parse_json(text, "FILE")))])


def _veto(**values: Any) -> int:
    from hansa.cli.fields import build_message
    from hansa.contracts.accounts.did_model import VetoRecovery

    how = collect_act(values)
    how.place.url()
    body = {"account": how.place.signer(how.signer_name).account}
    return act(how, [Draft(APP, build_message(VetoRecovery, body))])


recover.add_command(
    build_act_command(
        "plan",
        [
            click.Option(
                ["--agent"],
                multiple=True,
                metavar="DID|NAME",
                help="Who may approve; none: nobody.",
            ),
            click.Option(
                ["--threshold"],
                type=click.IntRange(1, 16),
                default=1,
                show_default=True,
                help="How many of them suffice.",
            ),
        ],
        _plan,
        """Name your recovery agents; what waits under an earlier plan ends.

        \b
        Example:
          hansa did recover plan --agent bob --agent carol --threshold 2 --as alice
        """,
    )
)
recover.add_command(
    build_act_command(
        "approve",
        [click.Argument(["request"], type=click.Path(path_type=Path, exists=True, dir_okay=False))],
        _approve,
        """As an agent, approve the key of a request, after you have made sure whose it is.

        \b
        Example:
          hansa did recover approve new.json --as bob
        """,
    )
)
recover.add_command(
    build_act_command(
        "veto",
        [],
        _veto,
        """End all recoveries of your account that wait: a key of yours still lives.

        \b
        Example:
          hansa did recover veto --as alice
        """,
    )
)


@recover.command("request")
@click.argument("name")
@click.argument("did")
@place_options
@json_option
def request(name: str, did: str, place: Place, as_json: bool) -> int:
    """Make a new key NAME for the account DID and print the request for its agents, as JSON.

    Bring it to them in person, or by any way on which they know that it is you. Safe to run again.

    \b
    Example:
      hansa did recover request alice-new did:hansa:… > new.json
    """
    from hansa.cli.rotation import sign_possession

    account = place.did(did)
    with place.gateway() as gateway:
        league, found = gateway.league(), gateway.resolve_did(account)
    if found["didDocument"] is None:
        raise ClientError(f"{account} has no account in this league", "check the DID")
    signer = _find_or_make(place, name, account)
    if signer.account != account:
        raise ClientError(f"the key {name!r} is of another account", "choose another NAME")
    member = str(found["didDocument"].get("controller", account))
    public = signer.private.public
    document = {
        "account": account,
        "key_id": signer.kid.partition("#")[2],
        "key": {"alg": public.alg, "public": public.public},
        "possession": sign_possession(signer, chain=league.chain, member=member),
    }
    answer(document, json.dumps(document, indent=2), as_json=as_json)
    hint("Its agents approve it: hansa did recover approve FILE --as NAME")
    return YES


@recover.command("status")
@click.argument("did")
@signer_option
@place_options
@json_option
def status(did: str, signer_name: str | None, place: Place, as_json: bool) -> int:
    """Show the plan of an account and what waits: to itself, its member and its agents.

    \b
    Example:
      hansa did recover status alice --as alice
    """
    account = place.did(did)
    with open_gateway(place, signer_name) as gateway:
        plan = gateway.record(APP, "recovery_plan", account)
        waiting = gateway.resolve_did(account)["didDocumentMetadata"].get("hansa:recovery", [])
    agents = plan["agents"] if plan else []
    lines = [f"{plan['threshold']} of {len(agents)} agents" if plan else "no plan (that you see)"]
    lines += [f"  {agent}" for agent in agents]
    lines += [f"  {each['state']}, due {each['due']}: {each['key']}" for each in waiting]
    answer({"plan": plan, "waiting": waiting}, "\n".join(lines), as_json=as_json)
    return YES


def _find_or_make(place: Place, name: str, account: str) -> Signer:
    ring = next((each for each in place.rings() if each.path(name).exists()), None)
    if ring is not None:
        return place.signer(name)
    private = PrivateKey.generate("EdDSA")
    # a name that no other key of the account can have
    signer = Signer(name, f"{account}#k{sha256(private.public.raw).hex()[:12]}", private)
    place.rings()[-1].store(signer)
    return signer
