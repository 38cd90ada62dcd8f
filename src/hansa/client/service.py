"""What a node's home holds for standard doors: service keys of a member (D12), clients' tokens.

Layout: service/keys/APP.key.json and service/clients/ID.json, all 0600. Each use reads the file: a
file that is gone counts no more from that moment. Touches only that folder.
"""

import hashlib
import hmac
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from hansa.client.faults import ClientError
from hansa.client.files import store_new
from hansa.client.keys import KeyRing, Signer, open_key_file, read_key_file
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.json_faults import NOT_JSON

SERVICE: Final = "service"
CLIENTS: Final = "clients"
KEYS: Final = "keys"
# Of no application: the key by which a gateway issues credentials to wallets, and asks for them.
WALLETS: Final = "openid"
KIND: Final = "hansa.client/1"
# So that a leaked token is known for what it is, by people and by scanners.
MARK: Final = "hansa-client"
LABEL_MAX: Final = 64
FILE_BYTES_MAX: Final = 4_096
_ID_BYTES: Final = 8
_SECRET_BYTES: Final = 24
May = Literal["read", "capture"]


class ServiceError(ClientError):
    """A service key or a client's token is missing, damaged or there already."""

    CODE = "client.service"


class ClientFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of a client's token: never the token, only the digest of its secret.

    `may`: "read" what the service account may see, or also "capture". Times in ms since 1970.
    """

    kind: str
    id: str
    label: str
    application: str
    may: May
    digest: str
    issued_ms: int
    ends_ms: int


class ServiceFolder:
    """Service keys and clients of one node. `home`: the node's home folder."""

    def __init__(self, home: Path) -> None:
        self.folder = home / SERVICE
        self.ring = KeyRing(self.folder / KEYS)

    def key(self, application: str) -> Signer | None:
        """The service key of an application; None when there is none. Raises KeyFileError."""
        path = self.ring.path(application)
        return open_key_file(read_key_file(path), None) if path.exists() else None

    def account(self, application: str) -> str:
        """DID and key name of the service account (`did:…#k1`), "" without one."""
        path = self.ring.path(application)
        return read_key_file(path).kid if path.exists() else ""

    def issue(
        self, label: str, application: str, may: May, *, now_ms: int, lasts_ms: int
    ) -> tuple[str, ClientFile]:
        """A new client: its token, told this once, and what is kept. Raises ServiceError, OSError.

        The label is for people, and no two clients that count have the same.
        """
        _check_label(label)
        if self.find(label) is not None:
            raise ServiceError(
                f"there is a client {label!r} already", f"hansa service revoke-client {label}"
            )
        identity, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
        client = ClientFile(
            kind=KIND,
            id=identity,
            label=label,
            application=application,
            may=may,
            digest=_digest(secret),
            issued_ms=now_ms,
            ends_ms=now_ms + lasts_ms,
        )
        path = self._client(identity)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        store_new(path, encode_canonical(client))
        return f"{MARK}.{identity}.{secret}", client

    def open(self, token: str, now_ms: int) -> ClientFile | None:
        """The client of a token; None when it counts for nothing (any more)."""
        _mark, _dot, rest = token.partition(".")
        identity, _dot, secret = rest.partition(".")
        client = self.look(identity, now_ms)
        if client is None or not hmac.compare_digest(client.digest, _digest(secret)):
            return None
        return client

    def look(self, identity: str, now_ms: int) -> ClientFile | None:
        """The client of that id; None when it counts for nothing (any more)."""
        if len(identity) != 2 * _ID_BYTES or not set(identity) <= set("0123456789abcdef"):
            return None
        client = _read(self._client(identity))
        return client if client is not None and now_ms < client.ends_ms else None

    def find(self, label: str) -> ClientFile | None:
        """The client of that label, or of that id."""
        return next((each for each in self.clients() if label in (each.label, each.id)), None)

    def clients(self) -> Iterator[ClientFile]:
        """All clients, also those whose time is over, by label."""
        folder = self.folder / CLIENTS
        paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
        found = [client for client in map(_read, paths) if client is not None]
        return iter(sorted(found, key=lambda each: (each.label, each.id)))

    def revoke(self, client: ClientFile) -> None:
        """Forget a client: its token counts for nothing from now on."""
        self._client(client.id).unlink(missing_ok=True)

    def _client(self, identity: str) -> Path:
        return self.folder / CLIENTS / f"{identity}.json"


def is_client_token(token: str) -> bool:
    """Whether a bearer token is one of a client, not of a session."""
    return token.startswith(f"{MARK}.")


def _read(path: Path) -> ClientFile | None:
    """A file that others may read, or that is damaged, counts for nothing."""
    try:
        with path.open("rb") as stream:
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                return None
            data = stream.read(FILE_BYTES_MAX + 1)
        client = msgspec.json.decode(data, type=ClientFile)
    except (*NOT_JSON, OSError):
        return None
    return client if client.kind == KIND and client.id == path.stem else None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _check_label(label: str) -> None:
    if not 0 < len(label) <= LABEL_MAX or not label.isprintable() or label != label.strip():
        raise ServiceError(
            f"{label!r} cannot be the name of a client",
            f"use 1 to {LABEL_MAX} printable characters, such as the name of the software",
        )
