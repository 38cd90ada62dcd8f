"""The type of a kind of records, for the verifier: imports only the application asked for."""

from collections.abc import Callable

from hansa.ledger.model import Record, check_key_shape
from hansa.ledger.system import BlockRecord, Deadline, Liveness, Seen

FindRecord = Callable[[str, str], type[Record]]

_KERNEL: dict[str, type[Record]] = {
    kind.KIND: kind for kind in (BlockRecord, Deadline, Liveness, Seen)
}


class UnknownKind(Exception):
    """This release has no such application, or the application no such kind."""


def find_record(app: str, kind: str) -> type[Record]:
    """The newest version of the records `app/kind`. Raises UnknownKind."""
    # Receipts need neither contracts nor applications, so that they are judged at once.
    from hansa.ledger.contracts import get_version

    if app == BlockRecord.OWNER:
        found = [_KERNEL[kind]] if kind in _KERNEL else []
    else:
        found = [each for each in _list_records(app) if each.KIND == kind]
    if not found:
        raise UnknownKind(f"{app}/{kind}")
    return max(found, key=get_version)


def check_identifier(find: FindRecord, key: str, *, is_absent: bool) -> str:
    """Say that a record could stand under the state key: else its absence proves nothing.

    Raises ImpossibleKey, and UnknownKind where that cannot be told of what is absent.
    """
    app, _sep, rest = key.partition("/")
    name, *parts = rest.split("/")
    try:
        kind = find(app, name)
    except UnknownKind as error:
        if not is_absent:  # what is there needs no form to be there
            return ""
        raise UnknownKind(
            f"this release does not know {app}/{name}, so it cannot tell whether a record could "
            "ever have this identifier: use a release that knows it"
        ) from error
    check_key_shape(kind, tuple(parts))
    return f"complete: a {name} with it would stand under exactly this key"


def _list_records(app: str) -> tuple[type[Record], ...]:
    from hansa.catalog import CIVIC, SYSTEM, load_application

    if app not in CIVIC and app not in SYSTEM:
        return ()
    return load_application(app).records
