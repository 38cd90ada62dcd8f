"""The vault: content comes back only to its owner, and after an erasure to nobody."""

import base64
import hashlib
import multiprocessing
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hansa.vault.commitment import compute_commitment, open_commitment
from hansa.vault.faults import (
    CommitmentMismatch,
    ContentTooLargeError,
    CorruptVaultError,
    ErasedEntryError,
    NoSuchEntryError,
    VaultError,
    VaultExistsError,
    VaultMissingError,
    VaultStorageError,
    WrongKeyError,
)
from hansa.vault.vault import CONTENT_BYTES_MAX, Vault, one_time_pseudonym

CANARY = "Invoice for Ms Chan Siu Ming, Shing Yip Street 7, 發票 壹仟元".encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def vault(folder: Path) -> Vault:
    return Vault.create(folder)


def read_everything(folder: Path) -> bytes:
    """Every byte under a folder and of the files beside it: names and contents."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return b"".join(str(path).encode() + path.read_bytes() for path in files)


def traces(content: bytes) -> list[bytes]:
    """A content as it could be left lying about: raw, hashed, encoded."""
    digest = hashlib.sha256(content).digest()
    forms = [content, digest]
    for raw in (content, digest):
        forms += [
            raw.hex().encode(),
            base64.b64encode(raw).rstrip(b"=")[:-1],
            base64.urlsafe_b64encode(raw).rstrip(b"=")[:-1],
        ]
    return forms


# -- keeping -----------------------------------------------------------------------


@given(content=st.binary(max_size=3000))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_content_comes_back(vault: Vault, content: bytes) -> None:
    entry = vault.put(content)
    assert vault.get(entry.id) == content
    assert vault.read(entry.id) == (entry, content)
    assert entry.id in vault.list()


def test_content_comes_back_after_opening_again(vault: Vault, folder: Path) -> None:
    name = one_time_pseudonym()
    entry = vault.put(CANARY, pseudonym=name)
    again = Vault.open(folder)
    assert again.read(entry.id) == (entry, CANARY)
    assert again.read(entry.id)[0].pseudonym == name
    assert again.list() == (entry.id,)


def test_nothing_of_the_content_salt_or_pseudonym_lies_open(vault: Vault, tmp_path: Path) -> None:
    entry = vault.put(CANARY, pseudonym=one_time_pseudonym())
    lying = read_everything(tmp_path)
    for trace in (*traces(CANARY), *traces(entry.salt), entry.pseudonym.encode()):
        assert trace not in lying
    assert entry.commitment not in lying


def test_the_same_content_twice_has_nothing_in_common(vault: Vault) -> None:
    one, other = vault.put(CANARY), vault.put(CANARY)
    assert one.id != other.id
    assert one.salt != other.salt
    assert one.commitment != other.commitment


def test_files_are_private(vault: Vault, tmp_path: Path) -> None:
    vault.put(CANARY)
    for path in tmp_path.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_too_large_content_is_refused(vault: Vault) -> None:
    with pytest.raises(ContentTooLargeError):
        vault.put(bytes(CONTENT_BYTES_MAX + 1))
    assert vault.list() == ()


@pytest.mark.parametrize("identity", ["", "x", "../vault.json", "0" * 32, "A" * 32, "0" * 31 + "/"])
def test_an_entry_that_never_was_is_named(vault: Vault, identity: str) -> None:
    for act in (vault.get, vault.erase):
        with pytest.raises(NoSuchEntryError):
            act(identity)


def test_pseudonyms_are_never_the_same() -> None:
    assert len({one_time_pseudonym() for _ in range(1000)}) == 1000


# -- commitments --------------------------------------------------------------------


def test_anyone_with_content_and_salt_opens_the_commitment(vault: Vault) -> None:
    entry = vault.put(CANARY)
    open_commitment(entry.commitment, entry.salt, CANARY)


def test_a_commitment_is_the_hash_of_tag_salt_and_content() -> None:
    """A fixed vector for other languages; the definition is written out beside it."""
    commitment = compute_commitment(b"abc", bytes(range(32)))
    tag = b"hansa.vault.commitment/1\0"
    assert commitment == hashlib.sha256(tag + bytes(range(32)) + b"abc").digest()
    assert commitment.hex() == ("af2c8cca61ca3e2a8b6ec937284feb649abd8da39fcc1627f263982333f7447d")


@given(st.binary(max_size=80), st.binary(min_size=32, max_size=32), st.data())
def test_another_content_or_salt_does_not_open(content: bytes, salt: bytes, data) -> None:
    commitment = compute_commitment(content, salt)
    other = data.draw(st.binary(max_size=80).filter(lambda value: value != content))
    wrong = data.draw(st.binary(max_size=33).filter(lambda value: value != salt))
    with pytest.raises(CommitmentMismatch):
        open_commitment(commitment, salt, other)
    with pytest.raises(CommitmentMismatch):
        open_commitment(commitment, wrong, content)
    with pytest.raises(CommitmentMismatch):
        open_commitment(commitment[:-1], salt, content)


def test_salt_and_content_cannot_be_shifted() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        compute_commitment(b"content", b"short")


# -- erasing ------------------------------------------------------------------------


def test_erased_content_is_in_no_byte_that_is_left(vault: Vault, folder: Path) -> None:
    kept, gone = vault.put(b"kept"), vault.put(CANARY)
    key = (folder / "keys" / gone.id).read_bytes()
    sealed = (folder / "content" / gone.id).read_bytes()
    vault.erase(gone.id)
    left = read_everything(folder.parent)
    for trace in (
        *traces(CANARY),
        *traces(gone.salt),
        key,
        key[12:44],
        sealed[:64],
        gone.commitment,
    ):
        assert trace not in left
    assert vault.list() == (kept.id,)
    assert vault.is_erased(gone.id)
    with pytest.raises(ErasedEntryError):
        vault.get(gone.id)
    assert vault.get(kept.id) == b"kept"


def test_the_commitment_left_on_chain_opens_to_no_guess(vault: Vault) -> None:
    """Even the whole content is no help without the salt, which is destroyed with it."""
    entry = vault.put(CANARY)
    vault.erase(entry.id)
    assert hashlib.sha256(CANARY).digest() != entry.commitment
    for salt in (bytes(32), entry.id.encode(), vault.put(CANARY).salt):
        with pytest.raises(CommitmentMismatch):
            open_commitment(entry.commitment, salt, CANARY)


def test_erasing_twice_is_erasing_once(vault: Vault, folder: Path) -> None:
    entry = vault.put(CANARY)
    vault.erase(entry.id)
    journal = folder.with_name("vault.erasures").read_bytes()
    vault.erase(entry.id)
    assert folder.with_name("vault.erasures").read_bytes() == journal


def test_a_restored_back_up_is_erased_again(vault: Vault, folder: Path, tmp_path: Path) -> None:
    kept, gone = vault.put(b"kept"), vault.put(CANARY)
    shutil.copytree(folder, tmp_path / "back-up")
    vault.erase(gone.id)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "back-up", folder)
    with pytest.raises(ErasedEntryError):  # a process that was open all along
        vault.get(gone.id)
    again = Vault.open(folder)
    assert again.list() == (kept.id,)
    assert not (folder / "keys" / gone.id).exists()
    assert not (folder / "content" / gone.id).exists()
    with pytest.raises(ErasedEntryError):
        again.get(gone.id)


@pytest.mark.parametrize("step", range(1, 8))
def test_an_erasure_cut_off_anywhere_is_ended_or_never_was(
    folder: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power cuts at every fsync of an erasure: opening again leaves all or nothing."""
    vault = Vault.create(folder)
    entry = vault.put(CANARY)
    real, calls = os.fsync, []

    def cut(handle: int) -> None:
        calls.append(handle)
        if len(calls) == step:
            raise KeyboardInterrupt
        real(handle)

    monkeypatch.setattr(os, "fsync", cut)
    try:
        vault.erase(entry.id)
    except KeyboardInterrupt:
        pass
    monkeypatch.setattr(os, "fsync", real)
    again = Vault.open(folder)
    if again.is_erased(entry.id):
        assert CANARY not in read_everything(folder)
        assert not (folder / "keys" / entry.id).exists()
        assert again.list() == ()
    else:
        assert again.get(entry.id) == CANARY
        again.erase(entry.id)
    with pytest.raises(ErasedEntryError):
        Vault.open(folder).get(entry.id)


def test_a_torn_line_of_the_journal_is_written_over(vault: Vault, folder: Path) -> None:
    one, other = vault.put(b"one"), vault.put(b"other")
    vault.erase(one.id)
    journal = folder.with_name("vault.erasures")
    journal.write_bytes(journal.read_bytes() + other.id.encode()[:20])
    again = Vault.open(folder)
    assert again.get(other.id) == b"other"
    again.erase(other.id)
    assert journal.read_bytes() == f"{one.id}\n{other.id}\n".encode()


def test_a_journal_that_something_else_wrote_is_refused(vault: Vault, folder: Path) -> None:
    folder.with_name("vault.erasures").write_bytes(b"rm everything please" * 4)
    with pytest.raises(CorruptVaultError, match="no erasure"):
        Vault.open(folder)


# -- writing ------------------------------------------------------------------------


@pytest.mark.parametrize("step", range(1, 5))
def test_a_put_cut_off_anywhere_leaves_no_half_entry(
    folder: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault.create(folder)
    before = vault.put(b"before")
    real, calls = os.fsync, []

    def cut(handle: int) -> None:
        calls.append(handle)
        if len(calls) == step:
            raise KeyboardInterrupt
        real(handle)

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(KeyboardInterrupt):
        vault.put(CANARY)
    monkeypatch.setattr(os, "fsync", real)
    again = Vault.open(folder)
    assert again.get(before.id) == b"before"
    for identity in again.list():
        assert again.get(identity) in (b"before", CANARY)
    assert not list(folder.rglob(".new-*"))


def test_a_full_disk_is_a_fault_and_loses_nothing(
    vault: Vault, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = vault.put(b"before")
    real = os.fsync

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for act in (lambda: vault.put(CANARY), lambda: vault.erase(entry.id)):
        with pytest.raises(VaultStorageError, match="No space left"):
            act()
    monkeypatch.setattr(os, "fsync", real)
    assert not list(folder.rglob(".new-*"))


@pytest.mark.parametrize("part", ["keys", "content"])
def test_every_flipped_bit_of_an_entry_is_found(vault: Vault, folder: Path, part: str) -> None:
    entry = vault.put(b"short")
    path = folder / part / entry.id
    good = path.read_bytes()
    for place in range(len(good) * 8):
        bad = bytearray(good)
        bad[place // 8] ^= 1 << place % 8
        path.write_bytes(bad)
        with pytest.raises(CorruptVaultError):
            vault.get(entry.id)
    for cut in (0, 1, 12, len(good) - 1):
        path.write_bytes(good[:cut])
        with pytest.raises(CorruptVaultError):
            vault.get(entry.id)
    path.unlink()
    with pytest.raises(CorruptVaultError, match="lost"):
        vault.get(entry.id)
    path.write_bytes(good)
    assert vault.get(entry.id) == b"short"


def test_a_file_in_anothers_place_is_found(vault: Vault, folder: Path) -> None:
    one, other = vault.put(b"one"), vault.put(b"other")
    for part in ("keys", "content"):
        (folder / part / one.id).write_bytes((folder / part / other.id).read_bytes())
    with pytest.raises(CorruptVaultError):
        vault.get(one.id)


# -- keys and folders -----------------------------------------------------------------


def test_a_wrong_or_missing_key_is_told(vault: Vault, folder: Path, tmp_path: Path) -> None:
    vault.put(CANARY)
    key = folder.with_name("vault.key")
    good = key.read_bytes()
    Vault.create(tmp_path / "other")
    wrong = [(tmp_path / "other.key").read_bytes(), b"", b"!", good[:-5], b"\xff" * 40]
    for data in wrong:
        key.write_bytes(data)
        with pytest.raises(WrongKeyError):
            Vault.open(folder)
    key.write_bytes(good)
    key.chmod(0o644)
    with pytest.raises(WrongKeyError, match="others") as fault:
        Vault.open(folder)
    assert "chmod 600" in fault.value.diagnostics()
    key.unlink()
    with pytest.raises(VaultMissingError, match="key file"):
        Vault.open(folder)


def test_a_folder_that_is_no_vault_is_told(tmp_path: Path) -> None:
    with pytest.raises(VaultMissingError):
        Vault.open(tmp_path / "nothing")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(VaultError):
        Vault.open(tmp_path / "file")
    with pytest.raises(VaultError):
        Vault.create(tmp_path / "file")


def test_a_damaged_settings_file_is_told(vault: Vault, folder: Path) -> None:
    settings_file = folder / "vault.json"
    good = settings_file.read_bytes()
    for data in (b"", b"{}", b"[]", good[:-5], good.replace(b"vault/1", b"vault/2"), b"x" * 9999):
        settings_file.write_bytes(data)
        with pytest.raises(CorruptVaultError):
            Vault.open(folder)


def test_a_vault_is_not_made_twice(vault: Vault, folder: Path) -> None:
    entry = vault.put(CANARY)
    with pytest.raises(VaultExistsError):
        Vault.create(folder)
    (folder / "vault.json").unlink()
    with pytest.raises(VaultExistsError, match=r"no vault\.json"):
        Vault.create(folder)
    assert (folder / "content" / entry.id).exists()


def test_open_or_create_does_both(folder: Path) -> None:
    entry = Vault.open_or_create(folder).put(CANARY)
    assert Vault.open_or_create(folder).get(entry.id) == CANARY


@pytest.mark.parametrize("step", range(1, 9))
def test_a_making_that_was_cut_off_can_be_ended(
    folder: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.fsync, []

    def cut(handle: int) -> None:
        calls.append(handle)
        if len(calls) == step:
            raise KeyboardInterrupt
        real(handle)

    monkeypatch.setattr(os, "fsync", cut)
    try:
        Vault.create(folder)
    except KeyboardInterrupt:
        pass
    monkeypatch.setattr(os, "fsync", real)
    entry = Vault.open_or_create(folder).put(CANARY)
    assert Vault.open(folder).get(entry.id) == CANARY


# -- two processes --------------------------------------------------------------------


def work(folder: Path, number: int, erased: list[str], results) -> None:
    vault = Vault.open(folder)
    kept = []
    for each in range(10):
        entry = vault.put(f"{number}-{each}".encode())
        if each % 2:
            vault.erase(entry.id)
        else:
            kept.append(entry.id)
    for identity in erased:
        vault.erase(identity)
    results.put(kept)


def test_two_processes_lose_nothing_and_bring_nothing_back(vault: Vault, folder: Path) -> None:
    erased = [vault.put(b"erased by both").id for _ in range(5)]
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [
        context.Process(target=work, args=(folder, number, erased, results)) for number in range(2)
    ]
    for worker in workers:
        worker.start()
    kept = [identity for _ in workers for identity in results.get(timeout=60)]
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert set(vault.list()) == set(kept)
    assert sorted(vault.get(identity).decode() for identity in kept) == sorted(
        f"{number}-{each}" for number in range(2) for each in range(0, 10, 2)
    )
    journal = folder.with_name("vault.erasures").read_text().split()
    assert len(journal) == len(set(journal)) == 15


# -- any order ------------------------------------------------------------------------


class VaultMachine(RuleBasedStateMachine):
    """Put, erase, back up, restore and open in any order: what is erased never comes back."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.home = Path(tempfile.mkdtemp())
        self.vault = Vault.create(self.home / "vault")
        self.contents: dict[str, bytes] = {}
        self.erased: set[str] = set()
        self.saved: dict[str, bytes] | None = None

    @rule(content=st.binary(max_size=50))
    def put(self, content: bytes) -> None:
        self.contents[self.vault.put(content).id] = content

    @precondition(lambda self: self.contents)
    @rule(data=st.data())
    def erase(self, data) -> None:
        identity = data.draw(st.sampled_from(sorted(self.contents)))
        self.vault.erase(identity)
        self.erased.add(identity)

    @rule()
    def reopen(self) -> None:
        self.vault = Vault.open(self.home / "vault")

    @rule()
    def back_up(self) -> None:
        shutil.rmtree(self.home / "back-up", ignore_errors=True)
        shutil.copytree(self.home / "vault", self.home / "back-up")
        self.saved = dict(self.contents)

    @precondition(lambda self: self.saved is not None)
    @rule()
    def restore(self) -> None:
        shutil.rmtree(self.home / "vault")
        shutil.copytree(self.home / "back-up", self.home / "vault")
        self.contents = {**self.saved}
        self.vault = Vault.open(self.home / "vault")

    @invariant()
    def holds(self) -> None:
        living = set(self.contents) - self.erased
        assert set(self.vault.list()) == living
        assert all(self.vault.get(identity) == self.contents[identity] for identity in living)
        assert not any((self.home / "vault/keys" / identity).exists() for identity in self.erased)

    def teardown(self) -> None:
        shutil.rmtree(self.home)


TestVaultMachine = VaultMachine.TestCase
TestVaultMachine.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
