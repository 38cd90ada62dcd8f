"""`hansa keys rotate` and `hansa keys request`: a new key enters an account, by its own signature.

The new key is on disk before the ledger hears of it, and the old one stays beside it: a run that is
cut off goes on where it stopped.
"""

from typing import Any, Literal, cast

import click
import msgspec

from hansa.cli.acting import WAIT_S, judge_status, sign_drafts, tell_status
from hansa.cli.answers import YES, answer, hint, json_option
from hansa.cli.fields import build_message
from hansa.cli.place import Place, ask_passphrase, place_options
from hansa.client.faults import ClientError, Refused
from hansa.client.files import store_new
from hansa.client.gateway import Gateway
from hansa.client.keys import KeyRing, Signer, generate_signer, open_key_file, seal_signer
from hansa.client.transactions import Draft
from hansa.contracts.accounts.keys import compute_possession_statement
from hansa.contracts.accounts.model import OpenAccount, ReplaceKey
from hansa.contracts.fields import Reason
from hansa.contracts.members.model import AdmitMember
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url
from hansa.ledger.system import Account, Purpose

Kind = Literal["staff", "citizen", "service"]
# Purposes of the first key of an account, by its kind.
PURPOSES: dict[str, tuple[Purpose, ...]] = {
    "staff": ("authenticate", "sign"),
    "citizen": ("authenticate", "sign"),
    "service": ("service",),
}


@click.command("rotate")
@click.argument("name")
@click.option("--reason", default="rotation", show_default=True, help="Why, as a code.")
@place_options
@json_option
def rotate(name: str, reason: str, place: Place, as_json: bool) -> int:
    """Put a new key in the place of NAME's, on the ledger and here.

    The old key signs its own replacement and stays on disk as NAME.k1. What it signed before stays
    provable. Safe to run again after an interruption.

    \b
    Example:
      hansa keys rotate seller-a
    """
    if not is_reason(reason):
        raise click.UsageError(
            f"--reason {reason!r}: a reason is a code such as key_lost, not a sentence: "
            "a-z 0-9 _ . -, at most 64 characters"
        )
    ring = next((each for each in place.rings() if each.path(name).exists()), None)
    if ring is None:
        raise ClientError(f"no key is named {name!r}", "hansa keys list")
    file = ring.read(name)
    passphrase = ask_passphrase(name) if file.seal else None
    old = open_key_file(file, passphrase)
    new = _stage_key(ring, old, passphrase)
    with place.gateway() as stranger:
        chain = stranger.league().chain
    if not _is_entered(place, new):
        with place.gateway(old) as gateway:
            message = _build_replacement(gateway, chain, old, new, reason)
            data = sign_drafts(gateway, [old], [Draft("accounts", message)], "atomic")
            status = gateway.wait(gateway.submit(data), WAIT_S)
        if judge_status(status) != YES:
            return tell_status(status, as_json=as_json)
    ring.path(name).rename(ring.path(f"{name}.{_fragment(old)}"))
    ring.path(_staged(name)).rename(ring.path(name))
    answer({"name": name, "kid": new.kid, "old": old.kid}, f"{name}: {new.kid}", as_json=as_json)
    return YES


@click.command("request")
@click.argument("name")
@click.option("--member", metavar="DID|NAME", help="The member that opens it.")
@click.option("--admit", metavar="TITLE", help="Ask to be a member, under this name.")
@click.option("--jurisdiction", default="", help="With --admit: whose law it is under (CN, HK …).")
@click.option("--identifier", multiple=True, metavar="SCHEME:VALUE", help="With --admit.")
@click.option("--kind", type=click.Choice(sorted(PURPOSES)), default="staff", show_default=True)
@click.option("--scope", multiple=True, help="Applications of a service key.")
@place_options
@json_option
def request(
    name: str,
    member: str | None,
    admit: str | None,
    jurisdiction: str,
    identifier: tuple[str, ...],
    kind: str,
    scope: tuple[str, ...],
    place: Place,
    as_json: bool,
) -> int:
    """Print the request to open an account for the key NAME, always as JSON.

    An administrator of the member sends it. With --admit: the action by which the league admits a
    new member with this key, for a proposal.

    \b
    Examples:
      hansa keys new alice
      hansa keys request alice --member seller-a > alice.json
      hansa accounts open-account --body @alice.json --as seller-a
      hansa keys request harbour --admit 'Harbour Office' --jurisdiction HK > harbour.json
      hansa governance propose --topic admission --actions @harbour.json
    """
    if (member is None) == (admit is None):
        raise click.UsageError("give --member (an account of it) or --admit (a new member)")
    signer = place.signer(name)
    with place.gateway() as gateway:
        chain = gateway.league().chain
    if member is None:
        possession = sign_possession(signer, chain=chain, member=signer.account)
        answer(
            describe_admission(signer, admit, jurisdiction, identifier, possession),
            "",
            as_json=True,
        )
        return YES
    message = OpenAccount(
        kind=cast("Kind", kind),
        key_id=_fragment(signer),
        key=signer.private.public,
        purposes=PURPOSES[kind],
        scope=tuple(sorted(scope)),
        possession=sign_possession(signer, chain=chain, member=place.did(member)),
    )
    answer(msgspec.to_builtins(message), "", as_json=True)
    if not as_json:
        hint(f"it opens the account {signer.account}")
    return YES


def describe_admission(
    signer: Signer,
    title: str | None,
    jurisdiction: str,
    identifiers: tuple[str, ...],
    possession: str,
) -> list[dict[str, Any]]:
    """The actions of a proposal that admits the key's owner. Raises click.UsageError."""
    body = {
        "name": title,
        "jurisdiction": jurisdiction,
        "identifiers": [
            dict(zip(("scheme", "value"), each.split(":", 1), strict=False)) for each in identifiers
        ],
        "key_id": _fragment(signer),
        "key": msgspec.to_builtins(signer.private.public),
        "possession": possession,
    }
    message = build_message(AdmitMember, body)
    return [{"application": "members", "type": "AdmitMember", "body": msgspec.to_builtins(message)}]


def sign_possession(signer: Signer, *, chain: str, member: str) -> str:
    """The key's own signature that it enters this account of this member, on this chain."""
    statement = compute_possession_statement(
        chain=chain,
        account=signer.account,
        member=member,
        key_id=_fragment(signer),
        key=signer.private.public,
    )
    return encode_base64url(signer.private.sign(statement))


def is_reason(text: str) -> bool:
    """Whether `text` is a reason code, as the ledger takes it."""
    try:
        msgspec.convert(text, type=Reason)
    except msgspec.ValidationError:
        return False
    return True


def _stage_key(ring: KeyRing, old: Signer, passphrase: str | None) -> Signer:
    """The new key: the one that an earlier run left, else a fresh one, on disk."""
    path = ring.path(_staged(old.name))
    if path.exists():
        return open_key_file(ring.read(_staged(old.name)), passphrase)
    new = generate_signer(
        old.name, alg=old.private.alg, account=old.account, fragment=_next_fragment(old)
    )
    store_new(path, encode_canonical(seal_signer(new, passphrase)))
    return new


def _build_replacement(
    gateway: Gateway, chain: str, old: Signer, new: Signer, reason: str
) -> ReplaceKey:
    found = gateway.record(Account.OWNER, Account.KIND, old.account)
    if found is None:
        raise ClientError(
            f"{old.account} has no account in this league", "there is nothing to rotate"
        )
    return ReplaceKey(
        account=old.account,
        old_key_id=_fragment(old),
        key_id=_fragment(new),
        key=new.private.public,
        possession=sign_possession(new, chain=chain, member=str(found["member"])),
        reason=reason,
    )


def _is_entered(place: Place, new: Signer) -> bool:
    """Whether the ledger has the new key already: then it, and only it, can sign in."""
    with place.gateway(new) as gateway:
        try:
            return gateway.record(Account.OWNER, Account.KIND, new.account) is not None
        except Refused:
            return False


def _staged(name: str) -> str:
    return f"{name}.next"


def _fragment(signer: Signer) -> str:
    return signer.kid.partition("#")[2]


def _next_fragment(old: Signer) -> str:
    """k1 is followed by k2; any other name by itself and -2."""
    fragment = _fragment(old)
    stem = fragment.rstrip("0123456789")
    number = fragment[len(stem) :]
    return f"{stem}{int(number) + 1}" if number else f"{fragment}-2"
