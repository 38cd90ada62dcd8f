"""`hansa vault`, what leaves and what never does: declare, erase, hand-over, new-key, seal, open,
back-up, restore, lock. Touches the member's vault, the files named, and asks the node.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hansa.cli.acting import Act, act, collect_act
from hansa.cli.answers import YES, answer, json_option
from hansa.cli.place import Place, place_options, signer_option
from hansa.client.faults import ClientError
from hansa.client.files import read_file, store_file, store_new
from hansa.client.transactions import Draft
from hansa.encoding.text import TextError, decode_base64url

if TYPE_CHECKING:  # load the cryptography library: only when a vault is opened
    from hansa.cli.identity.takings import Taking
    from hansa.client.gateway import Gateway
    from hansa.vault.vault import Vault

APP: Final = "consents"
# What a file sealed by hand is sealed for: no access of the ledger has this context.
_BY_HAND: Final = b"hansa.vault.file/1"
_SEALED_BYTES_MAX: Final = 64 << 20


def find_member(place: Place, signer_name: str | None) -> str:
    """DID of the member for which a key acts. Raises ClientError."""
    signer = place.signer(signer_name)
    with place.gateway(signer) as gateway:
        account = gateway.record("accounts", "account", signer.account)
    if account is None:
        raise ClientError(f"{signer.name!r} has no account in this league", "sign with another")
    return str(account["member"])


def _open(place: Place, member: str) -> "Vault":
    from hansa.cli.vaults import open_vault

    return open_vault(place, member)


def _declare(subject: str, field: str, file: Path, **values: Any) -> int:
    from hansa.contracts.consents.model import DeclareHolding
    from hansa.vault.exchange import Shelf
    from hansa.vault.vault import CONTENT_BYTES_MAX

    how = collect_act(values)
    how.place.url()  # where comes before who
    shelf = Shelf(_open(how.place, find_member(how.place, how.signer_name)))
    commitment = shelf.place(shelf.vault.put(read_file(file, CONTENT_BYTES_MAX)))
    did = how.place.did(subject)
    message = DeclareHolding(subject=did, field=field, commitment=commitment)
    return act(how, [Draft(APP, message)])


declare = click.Command(
    "declare",
    callback=_declare,
    params=[
        click.Argument(["file"], type=click.Path(path_type=Path, exists=True, dir_okay=False)),
        click.Option(["--of", "subject"], required=True, metavar="DID|NAME", help="About whom."),
        click.Option(["--field"], required=True, help="Code under which grants name it."),
        *Act.options(),
    ],
    help="""Put a document about a person into the vault, to be read under grants.

    The ledger gets a salted commitment; the gateway hands the content out under a live grant only.

    \b
    Example:
      hansa vault declare income.pdf --of pat --field income --as clinic
    """,
    short_help="Put in what may be read under grants.",
)


def _erase(entry: str, subject: str | None, reason: str, yes: bool, **values: Any) -> int:
    from hansa.contracts.consents.model import DeclareErasure
    from hansa.vault.exchange import Shelf

    how = collect_act(values)
    if not yes:
        click.confirm(f"Erase {entry} for good?", abort=True, err=True)
    if subject is None:
        member = how.place.signer(how.signer_name).account
    else:
        how.place.url()
        member = find_member(how.place, how.signer_name)
    record = Shelf(_open(how.place, member)).erase(entry)
    if subject is not None:
        did = how.place.did(subject)
        message = DeclareErasure(subject=did, commitment=record.commitment, reason=reason)
        return act(how, [Draft(APP, message)])
    document = {"entry": entry, "erased": True, "commitment": record.commitment}
    answer(document, f"{entry} is erased: commitment {record.commitment}", as_json=how.as_json)
    return YES


erase = click.Command(
    "erase",
    callback=_erase,
    params=[
        click.Argument(["entry"]),
        click.Option(["--yes"], is_flag=True, help="Do not ask."),
        click.Option(["--of", "subject"], metavar="DID|NAME", help="Say so on the ledger too."),
        click.Option(["--reason"], default="erased", show_default=True, help="Reason code."),
        *Act.options(),
    ],
    help="""Destroy a document's key and the document, for good, and say which it was.

    The commitment stays on the ledger and can't be linked to any guess: the salt is gone too. With
    --of the erasure is declared there, so that no restored back-up hands it out again.

    \b
    Example:
      hansa vault erase ENTRY --of pat --reason asked_for --as clinic
    """,
    short_help="Destroy a document for good, and say which it was.",
)


@click.command("hand-over")
@click.argument("subject", metavar="DID|NAME")
@click.argument("number", type=click.IntRange(1))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="FILE")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@signer_option
@place_options
@json_option
def hand_over(
    subject: str,
    number: int,
    output: Path,
    force: bool,
    signer_name: str | None,
    place: Place,
    as_json: bool,
) -> int:
    """Seal what a recorded access opens into a file for its taker, where no gateway does it.

    Refused unless the access is on the ledger and its grant stands.

    \b
    Example:
      hansa vault hand-over pat 7 -o for-bank.sealed --as clinic
    """
    from hansa.vault.exchange import Shelf, compute_package_digest, describe_access, pack

    place.url()
    with place.gateway(place.signer(signer_name)) as gateway:
        access, chain = _need_open(gateway, place.did(subject), number), gateway.league().chain

    shelf = Shelf(_open(place, access.controller))
    sealed = pack(shelf, describe_access(chain, access))
    store_file(output, sealed, replace=force)
    digest = compute_package_digest(sealed)
    document = {"file": str(output), "package": digest, "taker": access.taker}
    answer(document, f"{output}: for {access.taker}, package {digest}", as_json=as_json)
    return YES


def _need_open(gateway: "Gateway", subject: str, number: int) -> Any:
    """The access, if its content may leave now. Raises ClientError."""
    import msgspec

    from hansa.contracts.consents.model import Access, DataGrant, is_open

    found = gateway.record(APP, Access.KIND, subject, f"{number:09d}")
    if found is None:
        raise ClientError("there is no such access that you may see", "hansa grant log --of …")
    access = msgspec.convert(found, type=Access)
    now_ms = gateway.league().time_ms
    grant = gateway.record(APP, DataGrant.KIND, access.grant) if access.grant else None
    stands = not access.grant or (
        grant is not None and is_open(msgspec.convert(grant, type=DataGrant), now_ms)
    )
    received = gateway.record(APP, "delivery", subject, f"{number:09d}")
    if not stands or access.until_ms <= now_ms or received is not None:
        raise ClientError(
            "the access is over: its grant ended, its time passed, or the taker has signed",
            "the taker records another access, if a grant allows one",
        )
    return access


@click.command("new-key")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="FILE")
@click.option("--sm2", is_flag=True, help="SM2 instead of X25519.")
@json_option
def new_key(output: Path, sm2: bool, as_json: bool) -> int:
    """Make a key to which others seal: a private file, and the public part to give away.

    \b
    Example:
      hansa vault new-key -o mine.key
    """
    import msgspec

    from hansa.cli.identity.takings import begin_taking

    taking = begin_taking("SM2" if sm2 else "X25519")
    try:
        store_new(output, msgspec.json.encode(taking))
    except FileExistsError as error:
        raise ClientError(f"{output} is there already", "choose another name") from error
    public = f"{taking.alg}:{taking.public}"
    answer({"file": str(output), "public": public}, public, as_json=as_json)
    return YES


@click.command("seal")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--to", "public", required=True, metavar="ALG:KEY", help="As new-key shows it.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="FILE")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@json_option
def seal_(file: Path, public: str, output: Path, force: bool, as_json: bool) -> int:
    """Seal a file so that one key alone opens it (HPKE, or SM2 with SM4-GCM).

    \b
    Example:
      hansa vault seal letter.pdf --to X25519:… -o letter.sealed
    """
    from hansa.vault.sealing import ALGS, seal

    name, _colon, text = public.partition(":")
    alg = next((each for each in ALGS if each == name), None)
    try:
        key = decode_base64url(text)
    except TextError:
        key = b""
    if alg is None or not key:
        raise ClientError(f"{public!r} is no public key", "give ALG:KEY as new-key shows it")
    sealed = seal(read_file(file, _SEALED_BYTES_MAX), alg=alg, public=key, context=_BY_HAND)
    store_file(output, sealed, replace=force)
    answer({"file": str(output)}, f"{output}: {len(sealed)} bytes", as_json=as_json)
    return YES


@click.command("open")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--key", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="FILE")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@json_option
def open_(file: Path, key: Path, output: Path, force: bool, as_json: bool) -> int:
    """Open a file that was sealed to a key of new-key.

    \b
    Example:
      hansa vault open letter.sealed --key mine.key -o letter.pdf
    """
    from hansa.vault.sealing import open_sealed

    content = open_sealed(read_file(file, _SEALED_BYTES_MAX), _load_key(key).key, _BY_HAND)
    store_file(output, content, replace=force)
    answer({"file": str(output)}, f"{output}: {len(content)} bytes", as_json=as_json)
    return YES


def _load_key(path: Path) -> "Taking":
    from hansa.cli.identity.takings import load_taking

    taking = load_taking(path)
    if taking is None:
        raise ClientError(f"there is no key in {path}", "hansa vault new-key -o FILE")
    return taking


@click.command("back-up")
@click.argument("target", type=click.Path(path_type=Path), metavar="DIR")
@signer_option
@place_options
@json_option
def back_up_(target: Path, signer_name: str | None, place: Place, as_json: bool) -> int:
    """Copy the member's vault into a new folder. The master key is not in it: keep that apart.

    \b
    Example:
      hansa vault back-up /media/safe/vault-may --as clinic
    """
    from hansa.cli.vaults import open_own
    from hansa.vault.backups import back_up

    count = back_up(open_own(place, signer_name), target)
    answer({"folder": str(target), "files": count}, f"{target}: {count} files", as_json=as_json)
    return YES


@click.command("restore")
@click.argument("source", type=click.Path(path_type=Path, exists=True), metavar="DIR")
@click.option("--from-ledger", is_flag=True, help="Erase again what the ledger says was erased.")
@signer_option
@place_options
@json_option
def restore_(
    source: Path, from_ledger: bool, signer_name: str | None, place: Place, as_json: bool
) -> int:
    """Put a back-up back where the member's vault was. What was erased since is erased again.

    \b
    Example:
      hansa vault restore /media/safe/vault-may --from-ledger --as clinic
    """
    from hansa.cli.vaults import find_vault
    from hansa.vault.backups import restore
    from hansa.vault.exchange import Shelf

    signer = place.signer(signer_name)
    shelf = Shelf(restore(source, find_vault(place, signer.account)))
    erased: tuple[str, ...] = ()
    if from_ledger:
        with place.gateway(signer) as gateway:
            erased = shelf.apply_erasures(_list_erased(gateway, signer.account))
    kept = len(shelf.vault.list())
    document = {"entries": kept, "erased_again": list(erased)}
    answer(document, f"{kept} entries; {len(erased)} erased again", as_json=as_json)
    return YES


def _list_erased(gateway: "Gateway", controller: str) -> frozenset[str]:
    """Commitments that the ledger says this controller erased."""
    found: set[str] = set()
    after: str | None = None
    while True:
        page = gateway.records(
            APP, "erasure", filters={"controller": controller}, after=after, limit=200
        )
        found |= {str(each["commitment"]) for each in page.items}
        after = page.next
        if after is None:
            return frozenset(found)


@click.command("lock")
@click.option("--plain", is_flag=True, help="Take the passphrase away again.")
@signer_option
@place_options
@json_option
def lock(plain: bool, signer_name: str | None, place: Place, as_json: bool) -> int:
    """Wrap the vault's key file under a passphrase; HANSA_VAULT_PASSPHRASE then opens it.

    Without a file the master key may stand in HANSA_VAULT_KEY (32 bytes, base64url).

    \b
    Example:
      hansa vault lock --as clinic
    """
    from hansa.cli.place import ask_passphrase
    from hansa.cli.vaults import find_vault, open_own
    from hansa.vault.master_keys import load_master, store_master

    open_own(place, signer_name)  # the key is this vault's
    folder = find_vault(place, place.signer(signer_name).account)
    words = "" if plain else ask_passphrase("the vault", confirm=True)
    store_master(folder, load_master(folder), words)
    answer({"locked": bool(words)}, "locked" if words else "plain", as_json=as_json)
    return YES


COMMANDS: Final = (
    declare,
    erase,
    hand_over,
    new_key,
    seal_,
    open_,
    back_up_,
    restore_,
    lock,
)
