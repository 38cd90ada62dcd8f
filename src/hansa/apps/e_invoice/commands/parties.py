"""Who the parties of a document are on the ledger: given outright, by a map, or by themselves."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hansa.appkit.command import Door
from hansa.apps.e_invoice.document import Party
from hansa.apps.e_invoice.model.content import decode_pseudonym
from hansa.ledger.system import Member
from hansa.primitives.identifiers import SCHEMES, InvalidIdentifier, check_identifier, normalise

MAP_BYTES_MAX: Final = 4_000_000


class PartyUnknown(Exception):
    """It is not clear who a party is. `text` and `remedy` are for a person."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy


class Parties:
    """Resolves parties to `scheme:value` or `p:…`; asks the league for members' identifiers."""

    def __init__(self, door: Door, seller: str | None, buyer: str | None, names: Mapping[str, str]):
        self._door = door
        self._given = {"seller": seller, "buyer": buyer}
        self._names = names
        self._known: dict[str, str] = {}

    def find(self, role: str, party: Party) -> str:
        """The party's identifier on the ledger. Raises PartyUnknown."""
        given = self._given[role] or find_named(party, self._names)
        if given:
            return self._resolve(given)
        own = find_own(party)
        if own is None:
            name = party.name or "without a name"
            raise PartyUnknown(
                f"the {role} ({name}) has no identifier that a ledger knows",
                f"give --{role}, or name it in a --map file",
            )
        return own

    def _resolve(self, text: str) -> str:
        if text not in self._known:
            self._known[text] = self._look_up(text)
        return self._known[text]

    def _look_up(self, text: str) -> str:
        if decode_pseudonym(text) is not None:
            return text
        scheme, mark, value = text.partition(":")
        if mark and scheme in SCHEMES:
            return f"{scheme}:{normalise(scheme, value)}"
        member = self._door.record("members", Member, self._door.did(text))
        if not isinstance(member, Member) or not member.identifiers:
            raise PartyUnknown(
                f"{text} is no member with a tax identifier", "give it as SCHEME:VALUE"
            )
        first = member.identifiers[0]
        return f"{first.scheme}:{first.value}"


def find_named(party: Party, names: Mapping[str, str]) -> str | None:
    """What the map says of a party, by any identifier of it or by its name."""
    for identifier in party.all_identifiers():
        for spelling in (f"{identifier.scheme}:{identifier.value}", identifier.value):
            if spelling in names:
                return names[spelling]
    return names.get(party.name)


def find_own(party: Party) -> str | None:
    """The first of the party's own identifiers that holds."""
    for identifier in party.all_identifiers():
        try:
            check_identifier(identifier.scheme, identifier.value)
        except InvalidIdentifier:
            continue
        return f"{identifier.scheme}:{normalise(identifier.scheme, identifier.value)}"
    return None


def read_map(file: str | None) -> dict[str, str]:
    """The map of a --map file. Raises PartyUnknown when it is none."""
    if file is None:
        return {}
    try:
        with Path(file).open("rb") as stream:
            names = json.loads(stream.read(MAP_BYTES_MAX))
    except OSError as error:
        raise PartyUnknown(f"cannot read {file}: {error.strerror}", "check the path") from error
    except (ValueError, RecursionError) as error:
        raise PartyUnknown(f"{file} is not JSON: {error}", "write a JSON object") from error
    plain = isinstance(names, dict) and all(isinstance(each, str) for each in names.values())
    if not plain:
        raise PartyUnknown(
            f"{file} is not a map", 'write {"name or identifier in the document": "party"}'
        )
    return dict(names)
