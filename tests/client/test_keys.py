"""Key files: what a lost laptop, a wrong passphrase and a careless chmod may not do."""

import stat
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hansa.client.keys import (
    KeyFileError,
    KeyRing,
    generate_signer,
    open_key_file,
    read_key_file,
    seal_signer,
)
from hansa.crypto.signatures import verify_signature
from hansa.encoding.text import decode_base64url
from hansa.identity.did import compute_did


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path / "keys")


@pytest.mark.parametrize("alg", ["EdDSA", "ES256", "SM2"])
@pytest.mark.parametrize("passphrase", [None, "香港 Macao 广州"])
def test_key_survives_the_file(ring: KeyRing, alg: str, passphrase: str | None) -> None:
    signer = generate_signer("clerk", alg=alg)
    ring.store(signer, passphrase)

    again = open_key_file(ring.read("clerk"), passphrase)

    assert again.kid == signer.kid
    assert again.private.public == signer.private.public
    verify_signature(signer.private.public, b"act", again.private.sign(b"act"))


def test_account_is_named_after_its_inception_key() -> None:
    signer = generate_signer("clerk")
    assert signer.account == compute_did(signer.private.public)
    assert signer.kid == f"{signer.account}#k1"


def test_further_key_belongs_to_the_existing_account() -> None:
    first = generate_signer("clerk")
    second = generate_signer("clerk-2", account=first.account, fragment="k2")
    assert second.kid == f"{first.account}#k2"
    assert second.private.public != first.private.public


def test_key_file_and_ring_are_private(ring: KeyRing) -> None:
    path = ring.store(generate_signer("clerk"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(ring.folder.stat().st_mode) == 0o700


def test_key_file_open_to_others_is_refused_with_the_cure(ring: KeyRing) -> None:
    path = ring.store(generate_signer("clerk"))
    path.chmod(0o640)
    with pytest.raises(KeyFileError) as refusal:
        ring.read("clerk")
    assert refusal.value.remedy == f"chmod 600 {path}"


def test_nothing_is_overwritten(ring: KeyRing) -> None:
    path = ring.store(generate_signer("clerk"))
    before = path.read_bytes()
    with pytest.raises(KeyFileError):
        ring.store(generate_signer("clerk"))
    assert path.read_bytes() == before
    assert [entry.name for entry in ring.folder.iterdir()] == [path.name]


def test_sealed_file_does_not_hold_the_secret(ring: KeyRing) -> None:
    signer = generate_signer("clerk")
    ring.store(signer, "open sesame")
    data = ring.path("clerk").read_bytes()
    assert seal_signer(signer, None).d.encode() not in data
    assert signer.private.to_bytes().hex().encode() not in data


@pytest.mark.parametrize("passphrase", [None, "", "open Sesame"])
def test_invalid_passphrase(ring: KeyRing, passphrase: str | None) -> None:
    ring.store(generate_signer("clerk"), "open sesame")
    with pytest.raises(KeyFileError):
        open_key_file(ring.read("clerk"), passphrase)


def test_invalid_sealed_key_under_another_name_or_account(ring: KeyRing) -> None:
    file = seal_signer(generate_signer("clerk"), "open sesame")
    other = generate_signer("other")
    for changed in (
        msgspec.structs.replace(file, name="mayor"),
        msgspec.structs.replace(file, kid=other.kid),
    ):
        with pytest.raises(KeyFileError):
            open_key_file(changed, "open sesame")


def test_invalid_public_part_of_another_key() -> None:
    mine, other = generate_signer("a"), generate_signer("b")
    file = seal_signer(mine, None)
    mixed = msgspec.structs.replace(file, jwk=seal_signer(other, None).jwk)
    with pytest.raises(KeyFileError, match="do not belong together"):
        open_key_file(mixed, None)


def test_hostile_scrypt_parameters_are_refused_before_any_work() -> None:
    file = seal_signer(generate_signer("clerk"), "open sesame")
    assert file.seal is not None
    for change in ({"n": 2**30}, {"n": 0}, {"r": 10**6}, {"p": 0}, {"n": 12_345}):
        hostile = msgspec.structs.replace(file, seal=msgspec.structs.replace(file.seal, **change))
        with pytest.raises(KeyFileError):
            open_key_file(hostile, "open sesame")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"[]",
        b'{"kind":"hansa.key/9","name":"a","kid":"x","jwk":{}}',
        b"[" * 100_000,
        b'{"kind":"hansa.key/1","name":"a","kid":"x","jwk":{},"x":"' + b"A" * 10_000 + b'"}',
    ],
)
def test_invalid_key_file(ring: KeyRing, data: bytes) -> None:
    ring.folder.mkdir()
    path = ring.path("broken")
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(KeyFileError):
        open_key_file(read_key_file(path), None)


def test_invalid_damaged_parts_of_a_key_file() -> None:
    file = seal_signer(generate_signer("clerk"), None)
    for change in ({"d": "A"}, {"d": ""}, {"kid": "nobody"}, {"jwk": {"kty": "oct", "k": "AAAA"}}):
        with pytest.raises(KeyFileError):
            open_key_file(msgspec.structs.replace(file, **change), None)


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a/b", "x" * 65, "名"])
def test_invalid_name_of_a_key(ring: KeyRing, name: str) -> None:
    with pytest.raises(KeyFileError):
        ring.store(generate_signer(name))


def test_es256_jwk_holds_the_scalar_that_other_libraries_use() -> None:
    file = seal_signer(generate_signer("clerk", alg="ES256"), None)
    scalar = int.from_bytes(decode_base64url(file.d), "big")
    numbers = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
    assert decode_base64url(file.jwk["x"]) == numbers.x.to_bytes(32, "big")
    assert decode_base64url(file.jwk["y"]) == numbers.y.to_bytes(32, "big")


def test_missing_ring_has_no_names(ring: KeyRing) -> None:
    assert ring.names() == []
    ring.store(generate_signer("b"))
    ring.store(generate_signer("a"))
    assert ring.names() == ["a", "b"]
