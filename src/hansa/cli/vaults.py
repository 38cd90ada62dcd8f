"""`hansa vault`: the private documents of a member. Touches the member's vault and files named."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hansa.cli.answers import YES, answer, hint, json_option
from hansa.cli.place import Place, place_options, signer_option
from hansa.cli.vault_exchange import COMMANDS
from hansa.client.files import store_file
from hansa.client.trust import default_home
from hansa.encoding.text import encode_base64url

if TYPE_CHECKING:  # loads the cryptography library: only when a vault is opened
    from hansa.vault.vault import Vault

VAULT = "vault"


@click.group()
def command() -> None:
    """Show, export, hand out and erase private documents.

    The ledger has a salted commitment to each document; the document itself lies here, encrypted
    under a key of its own. Erasing destroys that key, for good.

    \b
    Examples:
      hansa vault list --as seller-a
      hansa vault export ENTRY -o invoice.xml --as seller-a
      hansa vault declare income.pdf --of pat --field income --as clinic
      hansa vault back-up /media/safe/vault-may --as clinic
    """


@command.command("list")
@signer_option
@place_options
@json_option
def list_(signer_name: str | None, place: Place, as_json: bool) -> int:
    """List the entries of a member's vault."""
    vault = open_own(place, signer_name)
    rows = [{"entry": entry} for entry in vault.list()]
    answer(rows, "\n".join(row["entry"] for row in rows), as_json=as_json)
    if not rows:
        hint("the vault is empty")
    return YES


@command.command("export")
@click.argument("entry")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="FILE")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@signer_option
@place_options
@json_option
def export(
    entry: str, output: Path, force: bool, signer_name: str | None, place: Place, as_json: bool
) -> int:
    """Write a document from the vault to a file, and say the commitment that it opens."""
    known, content = open_own(place, signer_name).read(entry)
    store_file(output, content, replace=force)
    document = {
        "entry": entry,
        "file": str(output),
        "commitment": encode_base64url(known.commitment),
        "salt": encode_base64url(known.salt),
    }
    text = f"{output}: {len(content)} bytes, commitment {document['commitment']}"
    answer(document, text, as_json=as_json)
    return YES


for each in COMMANDS:
    command.add_command(each)


class MemberVault:
    """A vault as commands of applications see it (`appkit.command.VaultDoor`)."""

    def __init__(self, vault: "Vault") -> None:
        self._vault = vault

    def put(self, content: bytes) -> tuple[str, str]:
        """Store content; its (entry id, commitment as base64url)."""
        entry = self._vault.put(content)
        return entry.id, encode_base64url(entry.commitment)

    def get(self, entry: str) -> bytes | None:
        """The content of an entry; None when it was erased or never there."""
        from hansa.vault.faults import ErasedEntryError, NoSuchEntryError

        try:
            return self._vault.get(entry)
        except (ErasedEntryError, NoSuchEntryError):
            return None


def open_own(place: Place, signer_name: str | None) -> "Vault":
    """The vault of the member for which a key acts; a member's first account has its DID."""
    return open_vault(place, place.signer(signer_name).account)


def open_vault(place: Place, member: str) -> "Vault":
    """A member's vault, made when it is first used: in the league's folder, else in one's own."""
    from hansa.vault.vault import Vault

    return Vault.open_or_create(find_vault(place, member))


def find_vault(place: Place, member: str) -> Path:
    """Where a member's vault lies, or is to lie."""
    folder = (place.league or default_home()) / VAULT
    folder.mkdir(mode=0o700, exist_ok=True, parents=True)
    return folder / member.rpartition(":")[2]
