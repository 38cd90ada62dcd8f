"""Keys of a person or an office: key files and the ring (folder) that holds them.

Touches only the ring's folder. A key file is canonical JSON with a private JWK, mode 0600; with a
passphrase the private part is sealed with scrypt and AES-256-GCM, bound to the public part.
"""

import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from hansa.client.faults import ClientError
from hansa.client.files import store_new
from hansa.crypto.keys import PrivateKey
from hansa.crypto.signatures import PublicKey
from hansa.crypto.sm import SCALAR_MAX as SM2_SCALAR_MAX
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.json_faults import NOT_JSON
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.identity.did import InvalidDid, compute_did, parse_did_url, parse_jwk

if TYPE_CHECKING:  # loaded when a sealed key is opened, so that the command line starts fast
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KIND: Final = "hansa.key/1"
SUFFIX: Final = ".key.json"
# A key file is under 1 kB; anything larger is not one.
FILE_BYTES_MAX: Final = 8_192
NAME_MAX: Final = 64
# scrypt: 32 MiB and about 0.1 s, the interactive setting of RFC 7914 section 2 doubled.
SCRYPT_N: Final = 2**15
SCRYPT_R: Final = 8
SCRYPT_P: Final = 1
# A hostile file may not ask for more work than this.
SCRYPT_N_MAX: Final = 2**20
# The order of P-256 (FIPS 186-4 D.1.2.3): PrivateKey takes a seed, a JWK holds the scalar.
_P256_SCALAR_MAX: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632550
# Largest private scalar of each suite that has one.
_SCALARS_MAX: Final = {"ES256": _P256_SCALAR_MAX, "SM2": SM2_SCALAR_MAX}
_NAME_CHARACTERS: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
)


class KeyFileError(ClientError):
    """A key file is missing, damaged, too open, or its passphrase is wrong."""

    CODE = "client.key"


class Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the private part is encrypted: scrypt parameters; salt, nonce, box in base64url."""

    n: int
    r: int
    p: int
    salt: str
    nonce: str
    box: str


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What stands in a key file. `jwk` is public; `d` is the secret unless `seal` holds it."""

    kind: str
    name: str
    kid: str
    jwk: dict[str, str]
    d: str = ""
    seal: Seal | None = None

    @property
    def account(self) -> str:
        """DID of the account that this key signs for."""
        return self.kid.partition("#")[0]

    @property
    def public(self) -> PublicKey:
        """The public key. Raises InvalidDid for a JWK of another kind."""
        return parse_jwk(self.jwk)


@dataclass(frozen=True, slots=True)
class Signer:
    """A key ready to sign: `kid` names it in transactions (`did:hansa:…#k1`)."""

    name: str
    kid: str
    private: PrivateKey

    @property
    def account(self) -> str:
        """DID of the account that this key signs for."""
        return self.kid.partition("#")[0]


def generate_signer(
    name: str, *, alg: str = "EdDSA", account: str = "", fragment: str = "k1"
) -> Signer:
    """A new random key. It opens the account named after it unless `account` (a DID) is given."""
    private = PrivateKey.generate(alg)
    did = account or compute_did(private.public)
    return Signer(name, f"{did}#{fragment}", private)


def seal_signer(signer: Signer, passphrase: str | None) -> KeyFile:
    """Key file of a signer; encrypted when there is a passphrase."""
    plain = KeyFile(KIND, signer.name, signer.kid, signer.private.public.jwk())
    secret = _export_secret(signer.private)
    if not passphrase:
        return msgspec.structs.replace(plain, d=encode_base64url(secret))
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    key = _stretch(passphrase, salt, SCRYPT_N, SCRYPT_R, SCRYPT_P)
    box = _cipher(key).encrypt(nonce, secret, _bound(plain))
    parts = (encode_base64url(part) for part in (salt, nonce, box))
    return msgspec.structs.replace(plain, seal=Seal(SCRYPT_N, SCRYPT_R, SCRYPT_P, *parts))


def open_key_file(file: KeyFile, passphrase: str | None) -> Signer:
    """Signer of a key file. Raises KeyFileError: passphrase missing or wrong, or file damaged."""
    try:
        secret = decode_base64url(file.d) if file.seal is None else _unseal(file, passphrase)
        parse_did_url(file.kid)
        private = _import_secret(file.public.alg, secret)
    except (TextError, InvalidDid, ValueError) as error:
        raise KeyFileError(
            f"the key file {file.name!r} is damaged", "restore it from a back-up"
        ) from error
    if private.public != file.public:
        raise KeyFileError(
            f"the private and public part of {file.name!r} do not belong together",
            "restore the file from a back-up",
        )
    return Signer(file.name, file.kid, private)


def _export_secret(private: PrivateKey) -> bytes:
    """The member `d` of a JWK: the Ed25519 seed (RFC 8037), a curve's scalar (RFC 7518 6.2.2.1)."""
    if private.alg not in _SCALARS_MAX:
        return private.to_bytes()
    return private.scalar.to_bytes(32, "big")


def _import_secret(alg: str, secret: bytes) -> PrivateKey:
    if alg not in _SCALARS_MAX:
        return PrivateKey.from_seed(alg, secret)
    scalar = int.from_bytes(secret, "big")
    if not 0 < scalar <= _SCALARS_MAX[alg]:
        raise ValueError("not a private scalar of the curve")
    return PrivateKey.from_seed(alg, (scalar - 1).to_bytes(32, "big"))


def _unseal(file: KeyFile, passphrase: str | None) -> bytes:
    from cryptography.exceptions import InvalidTag

    seal = file.seal
    if seal is None or not passphrase:
        raise KeyFileError(
            f"the key {file.name!r} is sealed with a passphrase",
            "give it when asked, or in HANSA_PASSPHRASE",
        )
    if not (1 < seal.n <= SCRYPT_N_MAX and 0 < seal.r <= 16 and 0 < seal.p <= 4):
        raise ValueError("scrypt parameters out of range")
    key = _stretch(passphrase, decode_base64url(seal.salt), seal.n, seal.r, seal.p)
    bound = _bound(msgspec.structs.replace(file, seal=None))
    try:
        return _cipher(key).decrypt(decode_base64url(seal.nonce), decode_base64url(seal.box), bound)
    except InvalidTag:
        raise KeyFileError(
            f"the passphrase does not open {file.name!r}, or the file was changed", "try again"
        ) from None


def _stretch(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=32, n=n, r=r, p=p).derive(passphrase.encode())


def _cipher(key: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _bound(plain: KeyFile) -> bytes:
    """What the seal is bound to: everything public in the file."""
    return encode_canonical(
        {"kind": plain.kind, "name": plain.name, "kid": plain.kid, "jwk": plain.jwk}
    )


def read_key_file(path: Path) -> KeyFile:
    """Key file at `path`. Raises KeyFileError with a cure: missing, open to others, no key file."""
    try:
        mode = path.stat().st_mode
        if stat.S_IMODE(mode) & 0o077:
            raise KeyFileError(f"{path} can be read by others", f"chmod 600 {path}")
        with path.open("rb") as stream:
            data = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise KeyFileError(
            f"cannot read {path}: {error.strerror}", "hansa keys list shows the keys here"
        ) from error
    try:
        file = msgspec.json.decode(data, type=KeyFile)
    except NOT_JSON as error:
        raise KeyFileError(f"{path} is not a key file", "hansa keys new NAME makes one") from error
    if file.kind != KIND or len(data) > FILE_BYTES_MAX:
        raise KeyFileError(
            f"{path} is not a key file of this version", "hansa keys new NAME makes one"
        )
    return file


class KeyRing:
    """A folder of key files, `NAME.key.json`. Nothing is ever overwritten."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Where the key of this name is kept."""
        return self.folder / f"{name}{SUFFIX}"

    def names(self) -> list[str]:
        """Names of the keys here, in order."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name.removesuffix(SUFFIX) for path in self.folder.glob(f"*{SUFFIX}"))

    def read(self, name: str) -> KeyFile:
        """Key file by name. Raises KeyFileError."""
        check_name(name)
        return read_key_file(self.path(name))

    def store(self, signer: Signer, passphrase: str | None = None) -> Path:
        """Write a new key file, mode 0600, durable. Raises KeyFileError when the name is taken."""
        check_name(signer.name)
        path = self.path(signer.name)
        data = encode_canonical(seal_signer(signer, passphrase))
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            store_new(path, data)
        except FileExistsError as error:
            raise KeyFileError(
                f"there is a key {signer.name!r} already",
                "choose another name, or: hansa keys list",
            ) from error
        except OSError as error:
            raise KeyFileError(
                f"cannot write {path}: {error.strerror}", "choose another folder"
            ) from error
        return path


def check_name(name: str) -> None:
    """Raise KeyFileError unless `name` can be the name of a key."""
    fits = 0 < len(name) <= NAME_MAX and _NAME_CHARACTERS.issuperset(name)
    if not fits or name.startswith("."):
        raise KeyFileError(f"{name!r} cannot be the name of a key", "use letters, digits, - and _")
