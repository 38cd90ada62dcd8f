"""`hansa did next` and `rotate`: the promised key is on disk before the ledger hears of it.

A run that is cut off goes on where it stopped. Touches the key ring; asks the node.
"""

from pathlib import Path
from typing import Any, Final

import click

from hansa.cli.acting import WAIT_S, judge_status, sign_drafts, tell_status
from hansa.cli.answers import YES, answer, hint, json_option
from hansa.cli.place import Place, ask_passphrase, place_options
from hansa.client.faults import ClientError
from hansa.client.files import store_new
from hansa.client.keys import (
    KeyRing,
    Signer,
    open_key_file,
    read_key_file,
    seal_signer,
)
from hansa.client.transactions import Draft
from hansa.crypto.hashing import sha256
from hansa.crypto.keys import PrivateKey
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url
from hansa.ledger.model import Message

APP: Final = "accounts"
PROMISED: Final = "promised"
_KEY_FILE: Final = click.Path(path_type=Path, dir_okay=False)


@click.command("next")
@click.argument("name")
@click.option("--out", type=_KEY_FILE, help="Where the next key is kept, off line.")
@place_options
@json_option
def promise(name: str, out: Path | None, place: Place, as_json: bool) -> int:
    """Make NAME's next key and promise it on the ledger: until it enters, no other key does.

    Whoever steals today's key can then put in none of its own. Keep the file of the next key apart
    (--out), on another device: `hansa did rotate` brings it in. Safe to run again.

    \b
    Examples:
      hansa did next alice --out /media/safe/alice.next.key.json
      hansa did next alice
    """
    from hansa.contracts.accounts.did_model import CommitNextKey
    from hansa.contracts.accounts.keys import compute_key_digest

    ring, signer, passphrase = _open(place, name)
    path = out or ring.path(f"{name}.{PROMISED}")
    following = _stage(path, signer, passphrase)
    digest = compute_key_digest(following.private.public)
    document = {"name": name, "next_key": digest, "file": str(path)}
    with place.gateway(signer) as gateway:
        if _read_promise(gateway.resolve_did(signer.account)) != digest:
            message = CommitNextKey(account=signer.account, next_key=digest)
            code = _send(gateway, signer, message, as_json=as_json)
            if code != YES:
                return code
    answer(document, f"{name}: promised {digest}\n  {path}", as_json=as_json)
    hint("Keep that file apart: it is the only key that can enter next.")
    return YES


@click.command("rotate")
@click.argument("name")
@click.option("--key", type=_KEY_FILE, help="File of the promised key.")
@click.option("--again", is_flag=True, help="Promise yet another key at once.")
@click.option("--as", "sender", metavar="NAME|FILE", help="Who carries it, if NAME's key is gone.")
@place_options
@json_option
@click.pass_context
def rotate(
    context: click.Context,
    name: str,
    key: Path | None,
    again: bool,
    sender: str | None,
    place: Place,
    as_json: bool,
) -> int:
    """Put a new key in the place of NAME's: the promised one when a promise stands.

    The promised key ends all other signing keys, also those of a thief. It speaks for itself, so
    any account may carry it (--as). Without a promise: as `hansa keys rotate`.

    \b
    Examples:
      hansa did rotate alice --again
      hansa did rotate alice --key /media/safe/alice.next.key.json --as bob
    """
    from hansa.cli.rotation import rotate as replace_key
    from hansa.contracts.accounts.keys import compute_key_digest

    ring, signer, passphrase = _open(place, name)
    path = key or ring.path(f"{name}.{PROMISED}")
    with place.gateway() as stranger:
        league, result = stranger.league(), stranger.resolve_did(signer.account)
    promised = _read_promise(result)
    if not promised and not path.exists():
        return int(context.invoke(replace_key, name=name, reason="rotation"))
    new = open_key_file(read_key_file(path), passphrase)
    after = ring.path(f"{name}.{PROMISED}.after")
    following = _stage(after, new, passphrase) if again else None
    if not _has_entered(result, new):
        if compute_key_digest(new.private.public) != promised:
            raise ClientError(
                f"the ledger expects another key than that of {path}",
                "give the file of the promised key: --key FILE",
            )
        carrier = place.signer(sender) if sender else signer
        with place.gateway(carrier) as gateway:
            message = _build_entry(league.chain, result, new, following)
            code = _send(gateway, carrier, message, as_json=as_json)
        if code != YES:
            return code
    _settle(ring, name, signer, path, after if following else None)
    answer({"name": name, "kid": new.kid, "old": signer.kid}, f"{name}: {new.kid}", as_json=as_json)
    return YES


def _open(place: Place, name: str) -> tuple[KeyRing, Signer, str | None]:
    ring = next((each for each in place.rings() if each.path(name).exists()), None)
    if ring is None:
        raise ClientError(f"no key is named {name!r}", "hansa keys list")
    file = ring.read(name)
    passphrase = ask_passphrase(name) if file.seal else None
    return ring, open_key_file(file, passphrase), passphrase


def _stage(path: Path, before: Signer, passphrase: str | None) -> Signer:
    """The key that comes after `before`: the one that an earlier run left, else a fresh one."""
    if path.exists():
        return open_key_file(read_key_file(path), passphrase)
    private = PrivateKey.generate(before.private.alg)
    # a name that no other key of the account can have: what is promised must be able to enter
    fragment = f"k{sha256(private.public.raw).hex()[:12]}"
    new = Signer(before.name, f"{before.account}#{fragment}", private)
    try:
        store_new(path, encode_canonical(seal_signer(new, passphrase)))
    except OSError as error:
        raise ClientError(f"cannot write {path}: {error.strerror}", "choose another") from error
    return new


def _read_promise(result: dict[str, Any]) -> str:
    if result["didDocument"] is None:
        raise ClientError("the account is not in this league", "hansa did create NAME --as ADMIN")
    return str(result["didDocumentMetadata"].get("hansa:nextKey", ""))


def _has_entered(result: dict[str, Any], new: Signer) -> bool:
    methods = result["didDocument"].get("verificationMethod", ())
    return any(each["publicKeyJwk"] == new.private.public.jwk() for each in methods)


def _build_entry(
    chain: str, result: dict[str, Any], new: Signer, following: Signer | None
) -> Message:
    from hansa.contracts.accounts.did_model import UseNextKey
    from hansa.contracts.accounts.keys import compute_key_digest, compute_next_key_statement

    key_id = new.kid.partition("#")[2]
    after = compute_key_digest(following.private.public) if following else ""
    statement = compute_next_key_statement(
        chain=chain,
        account=new.account,
        member=str(result["didDocument"].get("controller", new.account)),
        key_id=key_id,
        key=new.private.public,
        next_key=after,
    )
    return UseNextKey(
        account=new.account,
        key_id=key_id,
        key=new.private.public,
        next_key=after,
        possession=encode_base64url(new.private.sign(statement)),
    )


def _send(gateway: Any, signer: Signer, message: Message, *, as_json: bool) -> int:
    """Send and wait; says what became of it only when it was refused."""
    data = sign_drafts(gateway, [signer], [Draft(APP, message)], "atomic")
    status = gateway.wait(gateway.submit(data), WAIT_S)
    return YES if judge_status(status) == YES else tell_status(status, as_json=as_json)


def _settle(ring: KeyRing, name: str, old: Signer, path: Path, after: Path | None) -> None:
    """The ring as it is now: the new key under the name, the old one beside it."""
    current = ring.path(name)
    if read_key_file(path).kid != old.kid:
        kept = ring.path(f"{name}.{old.kid.partition('#')[2]}")
        if not kept.exists():
            kept.hardlink_to(current)
        store_new(current, path.read_bytes(), replace=True)
    if path.parent == ring.folder:
        path.unlink()
    if after is not None:
        after.rename(ring.path(f"{name}.{PROMISED}"))
