"""`hansa credential serve-wallets`: the key by which a gateway issues to wallets and asks them.

Touches the folder `service` in the node's home, and the ledger by an administrator's key.
"""

import secrets
from typing import Any, Final

import click

from hansa.cli.acting import WAIT_S, judge_status, sign_drafts, tell_status
from hansa.cli.answers import YES, answer, hint, json_option
from hansa.cli.place import Place, place_options, signer_option
from hansa.cli.rotation import sign_possession
from hansa.cli.service import find_home
from hansa.client.faults import ClientError
from hansa.client.gateway import Gateway
from hansa.client.keys import Signer, generate_signer
from hansa.client.service import WALLETS, ServiceFolder
from hansa.client.transactions import Draft
from hansa.contracts.accounts.model import AddKey

KEY: Final = WALLETS


@click.command("serve-wallets")
@click.option(
    "--alg",
    type=click.Choice(["ES256", "EdDSA", "SM2"]),
    default="ES256",
    show_default=True,
    help="Of the key; most wallets know ES256.",
)
@place_options
@signer_option
@json_option
def serve_wallets(alg: str, place: Place, signer_name: str | None, as_json: bool) -> int:
    """Let the gateway of the node here issue to wallets, and ask them, for a member.

    --as names the member or an administrator of it. A key of the purpose `assert` is drawn, entered
    into the member's account and kept in the node's home (service/keys/openid.key.json, 0600): it
    signs credentials, their status lists and requests, and can sign no transaction. End it with
    `hansa accounts revoke-key`. Safe to run again after an interruption.

    \b
    Example:
      hansa credential serve-wallets --as university
    """
    admin = place.signer(signer_name)
    ring = ServiceFolder(find_home(place)).ring
    with place.gateway(admin) as gateway:
        member = find_member(gateway, admin.account)
        if ring.path(KEY).exists():
            signer = ServiceFolder(find_home(place)).key(KEY)
        else:
            fragment = f"wallets-{secrets.token_hex(4)}"
            signer = generate_signer(KEY, alg=alg, account=member, fragment=fragment)
            ring.store(signer)
        if signer is None or signer.account != member:
            raise ClientError(
                f"{ring.path(KEY)} is a key of another member", "remove that file, and try again"
            )
        if not _has_key(gateway, signer):
            message = _build_key(gateway, signer)
            data = sign_drafts(gateway, [admin], [Draft("accounts", message)], "atomic")
            status = gateway.wait(gateway.submit(data), WAIT_S)
            if judge_status(status) != YES:
                return tell_status(status, as_json=as_json)
        issuer = f"{gateway.url}/.well-known/openid-credential-issuer"
    document = {"kid": signer.kid, "file": str(ring.path(KEY)), "metadata": issuer}
    answer(document, f"{signer.kid} issues at {gateway.url}", as_json=as_json)
    hint("offer a credential: hansa credential offer CLAIMS.json --schema NAME")
    hint("behind a proxy with TLS, say its address in node.toml: [api] public")
    return YES


def find_member(gateway: Gateway, account: str) -> str:
    """DID of the member whose account it is. Raises ClientError."""
    found = gateway.record("accounts", "account", account)
    if found is None:
        raise ClientError(f"{account} has no account in this league", "sign as another: --as NAME")
    return str(found["member"])


def _has_key(gateway: Gateway, signer: Signer) -> bool:
    account = gateway.record("accounts", "account", signer.account)
    keys: list[dict[str, Any]] = [] if account is None else account["keys"]
    return any(each["id"] == signer.kid.partition("#")[2] for each in keys)


def _build_key(gateway: Gateway, signer: Signer) -> AddKey:
    chain = gateway.league().chain
    return AddKey(
        account=signer.account,
        key_id=signer.kid.partition("#")[2],
        key=signer.private.public,
        purposes=("assert",),
        possession=sign_possession(signer, chain=chain, member=signer.account),
    )
