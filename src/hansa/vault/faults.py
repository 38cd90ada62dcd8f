"""What can go wrong with a vault: faults, each with its cure. Pure."""

from typing import ClassVar


class VaultError(Exception):
    """A fault of the vault's folder. `text` says what is wrong, `remedy` what to do next."""

    CODE: ClassVar[str] = "vault.fault"

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy

    def diagnostics(self) -> str:
        """Both sentences, for a person."""
        return f"{self.text}\nWhat to do: {self.remedy}"


class VaultMissingError(VaultError):
    """There is no vault, or its key file is not there."""

    CODE = "vault.missing"


class VaultExistsError(VaultError):
    """There is something where a vault was to be made."""

    CODE = "vault.exists"


class WrongKeyError(VaultError):
    """The key file is not this vault's, not readable as one, or open to others."""

    CODE = "vault.wrong_key"


class CorruptVaultError(VaultError):
    """What is stored is not what was written."""

    CODE = "vault.corrupt"


class NoSuchEntryError(VaultError):
    """The vault never had such an entry, or it was erased with its journal."""

    CODE = "vault.no_such_entry"


class ErasedEntryError(VaultError):
    """The entry was erased: its key is destroyed."""

    CODE = "vault.erased"


class VaultStorageError(VaultError):
    """The disk refused: full, read-only, or gone."""

    CODE = "vault.storage"


class ContentTooLargeError(VaultError):
    """The content is larger than one entry may be."""

    CODE = "vault.too_large"


class CommitmentMismatch(Exception):
    """Content and salt do not open the commitment."""
