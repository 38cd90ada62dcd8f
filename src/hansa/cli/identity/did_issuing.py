"""`hansa did issuing-key`: a key that issues credentials for an account and does nothing else.

The key is on disk before the ledger hears of it. Touches the key ring; asks the node.
"""

from typing import Any, Final

import click

from hansa.cli.acting import act, collect_act
from hansa.cli.answers import YES, answer, hint
from hansa.cli.identity.acts import build_act_command
from hansa.cli.place import NoSuchPlace, Place
from hansa.client.faults import ClientError
from hansa.client.keys import Signer, generate_signer
from hansa.client.transactions import Draft
from hansa.crypto.hashing import sha256

APP: Final = "accounts"
# It is assertionMethod of the DID alone (ADR 16): it signs no transaction and opens no session.
PURPOSE: Final = "assert"


def _make(name: str, alg: str, key_id: str | None, **values: Any) -> int:
    from hansa.cli.rotation import sign_possession
    from hansa.contracts.accounts.model import AddKey

    how = collect_act(values)
    how.place.url()  # where comes before who
    owner = how.place.signer(how.signer_name)
    key = _find_or_make(how.place, name, owner.account, alg, key_id)
    with how.place.gateway(owner) as gateway:
        league = gateway.league()
        document = gateway.resolve_did(owner.account)["didDocument"]
    if document is None:
        raise ClientError(f"{owner.account} has no account in this league", "give --as ISSUER")
    known = {each["id"] for each in document.get("verificationMethod", ())}
    if key.kid in known:
        answer({"name": name, "kid": key.kid}, f"{key.kid} is there already", as_json=how.as_json)
        return YES
    message = AddKey(
        account=owner.account,
        key_id=key.kid.partition("#")[2],
        key=key.private.public,
        purposes=(PURPOSE,),
        possession=sign_possession(
            key, chain=league.chain, member=str(document.get("controller", owner.account))
        ),
    )
    code = act(how, [Draft(APP, message)])
    hint(f"{key.kid}; issue with it: hansa credential issue … --as {name}")
    return code


def _find_or_make(place: Place, name: str, account: str, alg: str, key_id: str | None) -> Signer:
    """The key of this name, if it is the account's; a new one when there is none."""
    try:
        found = place.signer(name)
    except NoSuchPlace:
        private = generate_signer(name, alg=alg, account=account).private
        fragment = key_id or f"k{sha256(private.public.raw).hex()[:12]}"
        found = Signer(name, f"{account}#{fragment}", private)
        place.rings()[0].store(found)
        return found
    if found.account != account:
        raise ClientError(f"the key {name} is of another account", "choose another name")
    return found


issuing_key = build_act_command(
    "issuing-key",
    [
        click.Argument(["name"]),
        click.Option(
            ["--alg"],
            type=click.Choice(["EdDSA", "ES256", "SM2"]),
            default="EdDSA",
            show_default=True,
            help="Suite of a new key.",
        ),
        click.Option(
            ["--key-id"], metavar="ID", help="Its name in the account.  [default: of the key]"
        ),
    ],
    _make,
    """Make the key NAME, which issues credentials for the signer's account and does nothing else.

    It signs no transaction and no session, so it can be given to software that issues, and to the
    gateway for status lists (credential sign-lists). Safe to run again.

    \b
    Example:
      hansa did issuing-key registry-issuing --as registry
      hansa credential issue ada.json --schema degree --as registry-issuing -o ada.vc.json
    """,
)
