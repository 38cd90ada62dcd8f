"""How contracts register handlers, and which version of each is active at a height (D7). Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hansa.encoding.canonical import CanonicalError, decode_typed, encode_canonical
from hansa.ledger.model import Message, Record
from hansa.ledger.rejections import Rejection
from hansa.ledger.state import Reader, get_system, scan_records
from hansa.ledger.system import Activation
from hansa.ledger.transactions import Malformed, build_malformed

if TYPE_CHECKING:
    from hansa.ledger.context import Context

M = TypeVar("M", bound=Message)
# More contracts than any release will have.
ACTIVATIONS_MAX = 100_000
Handler = Callable[["Context", Any], None]
View = Callable[..., Any]
GenesisHook = Callable[["Context", dict[str, Any]], None]


class Role(msgspec.Struct, frozen=True):
    """A role of an application. `granted_by`: roles (`app.role`), "governance" or
    "member_admin".
    """

    name: str
    granted_by: tuple[str, ...]
    text: str = ""


class Setting(msgspec.Struct, frozen=True):
    """A parameter that governance may set: low <= value <= high."""

    name: str
    low: int
    high: int
    text: str = ""


class Invariant(msgspec.Struct, frozen=True):
    """A property of a contract's state. `check` gives the violations found, [] when it holds."""

    id: str
    text: str
    check: Callable[[Reader], list[str]]


class ContractNotActive(Rejection):
    """No version of this contract is active at this height."""

    CODE = "contract_not_active"
    RULE = "D7"
    TEXT = "The contract {application} is not active in this league."
    REMEDY = "Propose its activation through governance."


class UnknownMessage(Rejection):
    """The contract has no such message type."""

    CODE = "unknown_message"
    RULE = "D7"
    TEXT = "{application} has no message {type} with that version."
    REMEDY = "Compare with `hansa {application} --help` of the release that the league runs."


class Contract:
    """Code with handlers. One object per version; written once at import, read-only afterwards.

    `reads`: contracts whose published views it is granted ("*": all that publish the view).
    """

    def __init__(
        self,
        name: str,
        version: int = 1,
        *,
        roles: tuple[Role, ...] = (),
        settings: tuple[Setting, ...] = (),
        reads: tuple[str, ...] = (),
        records: tuple[type[Record], ...] = (),
    ) -> None:
        self.name = name
        self.version = version
        self.roles = roles
        self.settings = settings
        self.reads = reads
        self.records = records
        self.handlers: dict[tuple[str, int], tuple[type[Message], Handler]] = {}
        self.views: dict[str, View] = {}
        self.genesis_hook: GenesisHook | None = None

    def handles(
        self, message: type[M]
    ) -> Callable[[Callable[["Context", M], None]], Callable[["Context", M], None]]:
        """Register the handler of a message type."""

        def register(handler: Callable[["Context", M], None]) -> Callable[["Context", M], None]:
            key = (message.__name__, get_version(message))
            if key in self.handlers:
                raise TypeError(f"{self.name} handles {key} twice")
            self.handlers[key] = (message, handler)
            return handler

        return register

    def view(self, name: str) -> Callable[[View], View]:
        """Publish a read view that other contracts may be granted (D16)."""

        def register(function: View) -> View:
            self.views[name] = function
            return function

        return register

    def genesis(self, hook: GenesisHook) -> GenesisHook:
        """Register what puts this contract's first records from the genesis document."""
        self.genesis_hook = hook
        return hook

    @property
    def messages(self) -> tuple[type[Message], ...]:
        """The message types, in the order of registration."""
        return tuple(message for message, _handler in self.handlers.values())

    def role(self, name: str) -> Role | None:
        """The role of that name."""
        return next((role for role in self.roles if role.name == name), None)


def get_version(kind: type[msgspec.Struct]) -> int:
    """The version (tag) of a record, message or event type."""
    tag = kind.__struct_config__.tag
    return tag if isinstance(tag, int) else 1


class Registry:
    """The contracts of a release. Nothing is discovered: the tuple is explicit."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self.contracts: Mapping[tuple[str, int], Contract] = {
            (contract.name, contract.version): contract for contract in contracts
        }
        latest: dict[str, Contract] = {}  # in the order given: genesis hooks run in it
        for (name, version), contract in self.contracts.items():
            if name not in latest or latest[name].version < version:
                latest[name] = contract
        self.latest: Mapping[str, Contract] = latest

    def active(self, reader: Reader, application: str, height: int) -> Contract:
        """The contract version active at `height`. Raises ContractNotActive."""
        activation = (
            get_system(reader, Activation, application) if application in self.latest else None
        )
        version = None
        for entry in activation.versions if activation else ():
            if entry.height <= height:
                version = entry.version
        contract = self.contracts.get((application, version)) if version is not None else None
        if contract is None:
            raise ContractNotActive(application=application)
        return contract


def find_missing(reader: Reader, registry: Registry, height: int) -> list[tuple[str, int, str]]:
    """Contracts active at `height` that this release lacks: (application, version, digest), by
    name. A node that finds one cannot execute the block of that height.
    """
    missing = []
    for activation in scan_records(reader, Activation.OWNER, Activation, limit=ACTIVATIONS_MAX):
        begun = [entry for entry in activation.versions if entry.height <= height]
        if begun and (activation.application, begun[-1].version) not in registry.contracts:
            missing.append((activation.application, begun[-1].version, begun[-1].digest))
    return missing


class _Versioned(msgspec.Struct, frozen=True):
    v: int


def decode_body(contract: Contract, name: str, body: msgspec.Raw) -> Message:
    """Decode a message body by its type and version. Raises UnknownMessage, Malformed."""
    try:
        version = decode_typed(body, _Versioned)
    except CanonicalError as error:
        raise build_malformed(error, name) from error
    found = contract.handlers.get((name, version.v))
    if found is None:
        raise UnknownMessage(application=contract.name, type=name)
    try:
        message = decode_typed(body, found[0])
    except CanonicalError as error:
        raise build_malformed(error, name) from error
    if encode_canonical(message) != bytes(body):
        raise Malformed(what=f"{name}: a field that has a default must be written out")
    return message
