"""What a DID stands for: keys with relationships and the times in which they counted. Pure.

One shape for every method and every way of finding out: the ledger, did:key, did:web, a bundle.
"""

from collections.abc import Callable

import msgspec

from hansa.crypto.signatures import PublicKey


class Unresolvable(ValueError):
    """It could not be found out what a DID stands for: the answer is neither yes nor no."""


class Method(msgspec.Struct, frozen=True):
    """A key of a DID, `id` its DID URL; it counts in [since_ms, until_ms), None: until now."""

    id: str
    key: PublicKey
    relationships: tuple[str, ...]
    since_ms: int = 0
    until_ms: int | None = None

    def is_live(self, at_ms: int) -> bool:
        """Whether the key counted at this time."""
        return self.since_ms <= at_ms and (self.until_ms is None or at_ms < self.until_ms)


class Resolved(msgspec.Struct, frozen=True):
    """A DID with all keys it has had. `source`: "ledger", "key", "web" or "bundle"."""

    did: str
    methods: tuple[Method, ...]
    deactivated_ms: int | None = None
    source: str = ""

    def find_method(self, url: str) -> Method | None:
        """Newest key that has this DID URL; a name may have been used for several keys in turn."""
        found = [method for method in self.methods if method.id == url]
        return max(found, key=lambda method: method.since_ms, default=None)

    def find_method_at(self, url: str, at_ms: int) -> Method | None:
        """Key that had this DID URL at a time; when none had, the newest that ever had it."""
        live = [each for each in self.methods if each.id == url and each.is_live(at_ms)]
        return live[0] if live else self.find_method(url)


# None: there is no such DID. Raises Unresolvable: could not find out.
Resolver = Callable[[str], Resolved | None]
