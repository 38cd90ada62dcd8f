"""A taking under way: the key made for an access, the signed bytes that record it, and how far it
came. Kept in one private file until the content is there, so that a power cut loses no access.

Touches only the file it is given (0600).
"""

from pathlib import Path
from typing import Final

import msgspec

from hansa.client.faults import ClientError
from hansa.client.files import store_new
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.vault.sealing import Alg, OpeningKey

KIND: Final = "hansa.taking/1"
_BYTES_MAX: Final = 2_000_000


class TakingError(ClientError):
    """The file of a taking is missing or damaged."""

    CODE = "cli.taking"


class Taking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`private`: of the key that the content is sealed to; `signed`: the transaction, to be sent
    any number of times, "" before it is signed; `subject`, `number`: of the access, once recorded.
    """

    kind: str
    alg: Alg
    private: str
    signed: str = ""
    subject: str = ""
    number: int = 0

    @property
    def key(self) -> OpeningKey:
        """The key. Raises TakingError."""
        try:
            return OpeningKey(self.alg, decode_base64url(self.private))
        except TextError as error:
            raise TakingError("the key is damaged", "restore the file from a back-up") from error

    @property
    def public(self) -> str:
        """The key's public part as the ledger takes it."""
        return encode_base64url(self.key.public)


def begin_taking(alg: Alg) -> Taking:
    """A taking with a new key."""
    return Taking(KIND, alg, encode_base64url(OpeningKey.generate(alg).private))


def load_taking(path: Path) -> Taking | None:
    """The taking kept in a file; None when there is none. Raises TakingError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TakingError(f"cannot read {path}: {error.strerror}", "check the path") from error
    try:
        if len(data) > _BYTES_MAX:
            raise ValueError("too large")
        taking = msgspec.json.decode(data, type=Taking)
    except (msgspec.DecodeError, ValueError) as error:
        raise TakingError(f"{path} is no taking of this release", "move it away") from error
    if taking.kind != KIND:
        raise TakingError(f"{path} was written by a later release", "use that release")
    return taking


def store_taking(path: Path, taking: Taking) -> None:
    """Keep a taking, durably, in place of what was there. Raises TakingError."""
    try:
        store_new(path, msgspec.json.encode(taking), mode=0o600, replace=True)
    except OSError as error:
        raise TakingError(
            f"cannot write {path}: {error.strerror}", "choose another folder, or make room"
        ) from error
