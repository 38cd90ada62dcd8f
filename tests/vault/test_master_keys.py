"""Master keys: from the environment, from a file, from a file under a passphrase; else refused."""

from pathlib import Path

import msgspec
import pytest

from hansa.encoding.text import encode_base64url
from hansa.vault.faults import VaultMissingError, WrongKeyError
from hansa.vault.master_keys import (
    KEY,
    UNLOCK,
    find_key_path,
    load_master,
    make_master,
    store_master,
)
from hansa.vault.vault import Vault

MASTER = bytes(range(32))
TEXT = encode_base64url(MASTER)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


def test_a_vault_works_with_a_key_of_the_environment_and_no_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, TEXT)
    entry = Vault.create(folder).put(b"secret")
    assert not find_key_path(folder).exists()
    assert Vault.open(folder).get(entry.id) == b"secret"
    monkeypatch.setenv(KEY, encode_base64url(bytes(32)))
    with pytest.raises(WrongKeyError):
        Vault.open(folder)
    monkeypatch.delenv(KEY)
    with pytest.raises(VaultMissingError):
        Vault.open(folder)


@pytest.mark.slow
def test_a_wrapped_key_opens_with_its_passphrase_only(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(UNLOCK, "correct horse")
    entry = Vault.create(folder).put(b"secret")
    stored = find_key_path(folder).read_bytes()
    assert stored.startswith(b"{")
    assert Vault.open(folder).get(entry.id) == b"secret"
    for wrong in ("wrong horse", ""):
        monkeypatch.setenv(UNLOCK, wrong)
        with pytest.raises(WrongKeyError):
            Vault.open(folder)


@pytest.mark.slow
def test_a_plain_key_is_wrapped_later_and_unwrapped_again(folder: Path) -> None:
    made = make_master(folder, {})
    assert make_master(folder, {}) == load_master(folder, {}) == made
    store_master(folder, made, "words")
    assert load_master(folder, {UNLOCK: "words"}) == made
    store_master(folder, made)
    assert load_master(folder, {}) == made
    assert find_key_path(folder).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "short", TEXT + "A", TEXT + "=", "é" * 43])
def test_invalid_keys_are_refused(folder: Path, text: str) -> None:
    path = find_key_path(folder)
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(WrongKeyError):
        load_master(folder, {})
    if text:
        with pytest.raises(WrongKeyError):
            load_master(folder, {KEY: text})
    with pytest.raises(ValueError, match="32 bytes"):
        store_master(folder, b"short")


def test_a_key_file_open_to_others_is_refused(folder: Path) -> None:
    make_master(folder, {})
    find_key_path(folder).chmod(0o640)
    with pytest.raises(WrongKeyError):
        load_master(folder, {})


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {"n": 2**40},
        {"n": 3},
        {"n": 0},
        {"r": 0},
        {"p": 999},
        {"nonce": "AA"},
        {"salt": "AAAA"},
        {"box": "AAAA"},
        {"box": "!"},
        {"kind": "hansa.vault.key/2"},
        {"more": 1},
    ],
)
def test_invalid_wrapped_keys_are_refused(folder: Path, change: dict[str, object]) -> None:
    """Also those that would have the machine stretch for a week."""
    store_master(folder, MASTER, "words")
    path = find_key_path(folder)
    document = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode({**document, **change}))
    with pytest.raises(WrongKeyError):
        load_master(folder, {UNLOCK: "words"})
