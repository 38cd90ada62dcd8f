"""What leaves a vault: only what was placed, sealed for one access, opening what was committed to;
what is erased says which it was, and comes back from no back-up."""

import shutil
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from hansa.encoding.text import decode_base64url, encode_base64url
from hansa.vault.backups import back_up, restore
from hansa.vault.exchange import (
    HandOver,
    Item,
    Shelf,
    compute_package_digest,
    pack,
    unpack,
)
from hansa.vault.faults import (
    CommitmentMismatch,
    CorruptVaultError,
    ErasedEntryError,
    NoSuchEntryError,
    VaultExistsError,
    VaultMissingError,
    WrongKeyError,
)
from hansa.vault.sealing import OpeningKey, SealError, seal
from hansa.vault.vault import Vault

NAME, BLOOD = "陳小明".encode(), b"0+"
KEY = OpeningKey.generate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "clinic"


@pytest.fixture
def shelf(folder: Path) -> Shelf:
    return Shelf(Vault.create(folder))


def put(shelf: Shelf, content: bytes) -> str:
    """Store and place; its commitment."""
    return shelf.place(shelf.vault.put(content))


def take(*contents: tuple[str, str], key: OpeningKey = KEY) -> HandOver:
    return HandOver(
        chain="test-1",
        subject="did:hansa:pat",
        number=1,
        contents=contents,
        alg=key.alg,
        key=encode_base64url(key.public),
    )


@pytest.mark.parametrize("alg", ["X25519", "SM2"])
def test_a_package_opens_what_was_committed_to(shelf: Shelf, alg: str) -> None:
    key = OpeningKey.generate(alg)  # type: ignore[arg-type]
    access = take(("name", put(shelf, NAME)), ("blood", put(shelf, BLOOD)), key=key)
    sealed = pack(shelf, access)
    assert unpack(sealed, key, access) == {"name": NAME, "blood": BLOOD}
    assert compute_package_digest(sealed) != compute_package_digest(pack(shelf, access))


def test_what_was_not_placed_does_not_leave(shelf: Shelf) -> None:
    entry = shelf.vault.put(NAME)
    for commitment in (encode_base64url(entry.commitment), "", "../x", "é", "A" * 43):
        with pytest.raises(NoSuchEntryError):
            pack(shelf, take(("name", commitment)))


def test_what_lies_under_anothers_commitment_does_not_leave(shelf: Shelf, folder: Path) -> None:
    name, blood = put(shelf, NAME), put(shelf, BLOOD)
    place = folder / "shelf" / decode_base64url(name).hex()
    place.write_text(shelf.find(blood))
    with pytest.raises(CorruptVaultError):
        pack(shelf, take(("name", name)))


def test_invalid_for_another_access_or_key(shelf: Shelf) -> None:
    access = take(("name", put(shelf, NAME)))
    sealed = pack(shelf, access)
    others = (
        replace(access, number=2),
        replace(access, subject="did:hansa:quinn"),
        replace(access, chain="test-2"),
        replace(access, contents=(("alias", access.contents[0][1]),)),
    )
    for other in others:
        with pytest.raises(SealError):
            unpack(sealed, KEY, other)
    with pytest.raises(SealError):
        unpack(sealed, OpeningKey.generate(), access)


def test_invalid_when_the_controller_hands_over_something_else(shelf: Shelf) -> None:
    """A controller that seals another content under the right access is caught by the taker."""
    access = take(("name", put(shelf, NAME)))
    salt = encode_base64url(bytes(32))

    def close(*items: Item) -> bytes:
        plain = msgspec.json.encode({"kind": "hansa.package/1", "items": items})
        return seal(plain, alg="X25519", public=KEY.public, context=access.context)

    commitment = access.contents[0][1]
    other = put(shelf, BLOOD)
    wrong = [
        close(Item("name", commitment, salt, encode_base64url(BLOOD))),
        close(Item("name", other, salt, encode_base64url(BLOOD))),
        close(),
        close(Item("alias", commitment, salt, encode_base64url(NAME))),
    ]
    for sealed in wrong:
        with pytest.raises(CommitmentMismatch):
            unpack(sealed, KEY, access)
    twice = Item("name", commitment, "not base64!", "")
    with pytest.raises(SealError):
        unpack(close(twice), KEY, access)


# -- erasure -----------------------------------------------------------------------


def test_an_erasure_says_which_commitment_and_is_safe_twice(shelf: Shelf) -> None:
    commitment = put(shelf, NAME)
    identity = shelf.find(commitment)
    record = shelf.erase(identity)
    assert (record.commitment, record.entry) == (commitment, identity)
    assert shelf.erase(identity) == record
    with pytest.raises(ErasedEntryError):
        pack(shelf, take(("name", commitment)))


def test_an_erasure_cut_off_after_its_record_is_ended_by_the_next(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    commitment = put(shelf, NAME)
    identity = shelf.find(commitment)
    with monkeypatch.context() as patch:
        patch.setattr(Vault, "erase", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            shelf.erase(identity)
    assert shelf.vault.get(identity) == NAME
    assert shelf.erase(identity).commitment == commitment
    assert shelf.vault.is_erased(identity)


# -- back-up and restore -----------------------------------------------------------


def lose(folder: Path, *, journal: bool) -> None:
    """The disk is gone; the journal of erasures with it, or not. The key is kept elsewhere."""
    shutil.rmtree(folder)
    if journal:
        folder.with_name(folder.name + ".erasures").unlink(missing_ok=True)
        shutil.rmtree(folder.with_name(folder.name + ".erased"), ignore_errors=True)


@pytest.mark.slow
def test_a_restored_vault_has_everything_but_what_was_erased(
    shelf: Shelf, folder: Path, tmp_path: Path
) -> None:
    kept, before, after = put(shelf, NAME), put(shelf, b"before"), put(shelf, b"after")
    erased_before, erased_after = shelf.find(before), shelf.find(after)
    shelf.erase(erased_before)
    assert back_up(shelf.vault, tmp_path / "copy") > 0
    shelf.erase(erased_after)
    lose(folder, journal=False)

    again = Shelf(restore(tmp_path / "copy", folder))
    assert again.vault.get(again.find(kept)) == NAME
    for identity in (erased_before, erased_after):
        assert again.vault.is_erased(identity)
        assert not (folder / "keys" / identity).exists()
        with pytest.raises(ErasedEntryError):
            again.vault.get(identity)
    assert again.erase(erased_before).commitment == before


@pytest.mark.slow
def test_the_ledger_remembers_erasures_when_the_journal_is_lost_too(
    shelf: Shelf, folder: Path, tmp_path: Path
) -> None:
    kept, after = put(shelf, NAME), put(shelf, b"after")
    back_up(shelf.vault, tmp_path / "copy")
    identity = shelf.find(after)
    shelf.erase(identity)
    lose(folder, journal=True)

    again = Shelf(restore(tmp_path / "copy", folder))
    assert again.vault.get(identity) == b"after"  # this is why the ledger is asked:
    assert again.apply_erasures(frozenset({after, "A" * 43})) == (identity,)
    assert again.vault.is_erased(identity)
    assert again.apply_erasures(frozenset({after})) == (identity,)
    assert again.vault.get(again.find(kept)) == NAME


@pytest.mark.slow
def test_the_master_key_is_in_no_back_up(shelf: Shelf, folder: Path, tmp_path: Path) -> None:
    put(shelf, NAME)
    back_up(shelf.vault, tmp_path / "copy")
    secret = folder.with_name("clinic.key").read_bytes().strip()
    for path in (tmp_path / "copy").rglob("*"):
        assert not path.is_file() or (
            secret not in path.read_bytes() and NAME not in path.read_bytes()
        )
    lose(folder, journal=True)
    folder.with_name("clinic.key").unlink()
    with pytest.raises(VaultMissingError):
        restore(tmp_path / "copy", folder)


@pytest.mark.slow
def test_invalid_back_ups_are_not_restored(shelf: Shelf, folder: Path, tmp_path: Path) -> None:
    put(shelf, NAME)
    copy = tmp_path / "copy"
    back_up(shelf.vault, copy)
    with pytest.raises(VaultExistsError):
        back_up(shelf.vault, copy)
    with pytest.raises(VaultExistsError):
        restore(copy, folder)
    lose(folder, journal=True)
    content = next((copy / "vault" / "content").iterdir())
    good = content.read_bytes()
    content.write_bytes(good[:-1])
    with pytest.raises(CorruptVaultError):
        restore(copy, folder)
    content.unlink()
    with pytest.raises(CorruptVaultError):
        restore(copy, folder)
    content.write_bytes(good)
    (copy / "vault" / "content" / ("0" * 32)).write_bytes(b"smuggled")
    with pytest.raises(CorruptVaultError):
        restore(copy, folder)
    (copy / "vault" / "content" / ("0" * 32)).unlink()
    (copy / "backup.json").unlink()
    with pytest.raises(VaultMissingError):
        restore(copy, folder)


@pytest.mark.slow
def test_a_back_up_opens_with_its_own_key_only(shelf: Shelf, folder: Path, tmp_path: Path) -> None:
    put(shelf, NAME)
    back_up(shelf.vault, tmp_path / "copy")
    Vault.create(tmp_path / "other")
    shutil.rmtree(tmp_path / "other")
    with pytest.raises(WrongKeyError):
        restore(tmp_path / "copy", tmp_path / "other")
