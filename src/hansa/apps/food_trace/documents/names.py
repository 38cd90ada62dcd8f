"""Names of extensions: prefixes of JSON-LD contexts and XML namespaces as one form. Pure.

The one form is Clark's: `{http://ns.example.com/epcis/}myField`. Contexts are read as they stand in
the document; a context elsewhere is never fetched, GS1's own is known here.
"""

import re
from collections.abc import Collection, Mapping
from itertools import count
from typing import Any, Final

# The prefixes that the EPCIS context itself defines.
BUILTIN: Final[dict[str, str]] = {
    "epcis": "https://ref.gs1.org/epcis/",
    "cbv": "https://ref.gs1.org/cbv/",
    "cbvmda": "urn:epcglobal:cbv:mda",
    "gs1": "https://ref.gs1.org/voc/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}
# Other addresses of the same vocabularies: XML and JSON-LD of one event name them differently.
_SAME: Final = {
    "https://gs1.org/voc/": "https://ref.gs1.org/voc/",
    "http://gs1.org/voc/": "https://ref.gs1.org/voc/",
    "https://www.gs1.org/voc/": "https://ref.gs1.org/voc/",
    "urn:epcglobal:cbv:mda:": "urn:epcglobal:cbv:mda",
    "urn:epcglobal:cbv:mda#": "urn:epcglobal:cbv:mda",
}
_BY_NAMESPACE: Final = {namespace: prefix for prefix, namespace in BUILTIN.items()}
_PREFIX: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*\Z")
_LOCAL: Final = re.compile(r"[^\s{}]+\Z")
# Definitions that refer to one another are followed this far.
_FOLLOW_MAX: Final = 8
CONTEXT_TERMS_MAX: Final = 1_000


class InvalidContext(ValueError):
    """No string, object or array of these, or with what is no IRI, or too large."""


def make_name(namespace: str, local: str) -> str:
    """Clark's form, with the one address of a vocabulary that has several."""
    return f"{{{_SAME.get(namespace, namespace)}}}{local}"


def split_name(name: str) -> tuple[str, str]:
    """(namespace, local name) of Clark's form; ("", name) of a bare name."""
    if not name.startswith("{"):
        return "", name
    namespace, _, local = name[1:].partition("}")
    return namespace, local


def split_iri(iri: str) -> str | None:
    """A full IRI as Clark's form: the namespace ends with the last `#`, `/` or `:`."""
    end = max(iri.rfind("#"), iri.rfind("/"), iri.rfind(":")) + 1
    local = iri[end:]
    return make_name(iri[:end], local) if local and _LOCAL.match(iri) else None


class Context:
    """What prefixes and terms mean at one place of a JSON-LD document."""

    __slots__ = ("_names", "_values", "prefixes", "terms")

    def __init__(self, prefixes: Mapping[str, str], terms: Mapping[str, str]) -> None:
        self.prefixes = dict(prefixes)
        self.terms = dict(terms)
        self._names: dict[str, str | None] = {}
        self._values: dict[str, str] = {}

    def extend(self, local: Any) -> "Context":
        """This context with what a `@context` adds. Raises InvalidContext."""
        found: dict[str, str] = {}
        for part in local if isinstance(local, list) else [local]:
            if isinstance(part, dict):
                found.update(_read_definitions(part))
            elif not isinstance(part, str):
                raise InvalidContext
        if len(self.prefixes) + len(self.terms) + len(found) > CONTEXT_TERMS_MAX:
            raise InvalidContext
        if not found:
            return self
        prefixes, terms = dict(self.prefixes), dict(self.terms)
        for key, iri in found.items():
            prefixes[key] = terms[key] = _follow(iri, {**self.prefixes, **found})
            if _LOCAL.match(prefixes[key]) is None:  # Clark's form could not be taken apart
                raise InvalidContext
        return Context(prefixes, terms)

    def expand_name(self, name: str) -> str | None:
        """A key of a JSON object in Clark's form, or None when it is a bare, undefined word."""
        if name not in self._names:
            self._names[name] = self._expand_name(name)
        return self._names[name]

    def _expand_name(self, name: str) -> str | None:
        prefix, colon, local = name.partition(":")
        if not colon:
            iri = self.terms.get(name, "")
            return split_iri(iri) if ":" in iri else None
        if not local or _PREFIX.match(prefix) is None:
            return None
        if local.startswith("//") or prefix not in self.prefixes:
            return split_iri(name)
        return make_name(self.prefixes[prefix], local) if _LOCAL.match(local) else None

    def expand_value(self, text: str) -> str:
        """A value that may be a compact URI: `ex:granting` as the full one; others as they are."""
        found = self._values.get(text)
        if found is None:
            prefix, _, local = text.partition(":")
            found = text
            if local and not local.startswith("//") and prefix in self.prefixes:
                found = self.prefixes[prefix] + local
            if len(self._values) < CONTEXT_TERMS_MAX:
                self._values[text] = found
        return found

    def expand_own(self, text: str) -> str:
        """A text of an extension that is a compact URI under a prefix of the document's own.

        It would mean nothing elsewhere: documents are written with other prefixes.
        """
        if ":" not in text or len(self.prefixes) <= len(BUILTIN) or not _LOCAL.match(text):
            return text
        prefix = text.partition(":")[0]
        return text if prefix in BUILTIN else self.expand_value(text)


def _read_definitions(part: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in part.items():
        if isinstance(value, dict):
            value = value.get("@id", "")
        if value is not None and not isinstance(value, str | bool | int):
            raise InvalidContext
        if isinstance(value, str) and value and not key.startswith("@"):
            found[key] = value
    return found


def _follow(iri: str, prefixes: Mapping[str, str]) -> str:
    for _ in range(_FOLLOW_MAX):
        prefix, colon, local = iri.partition(":")
        if not colon or local.startswith("//") or prefix not in prefixes:
            break
        iri = prefixes[prefix] + local
    return iri


EPCIS_CONTEXT: Final = Context(BUILTIN, {})


class Prefixes:
    """Prefixes for writing: GS1's own, then ext1, ext2 … in the order they are met.

    `taken`: what texts of the document begin with; a prefix of that name would change them.
    """

    def __init__(self, taken: Collection[str] = ()) -> None:
        self.used: dict[str, str] = {}
        self._names = (name for name in map("ext{}".format, count(1)) if name not in taken)

    def shorten(self, name: str) -> str:
        """`prefix:local` of Clark's form; a bare name as it is."""
        namespace, local = split_name(name)
        return f"{self.find(namespace)}:{local}" if namespace else local

    def find(self, namespace: str) -> str:
        """The prefix of a namespace."""
        if namespace in _BY_NAMESPACE:
            return _BY_NAMESPACE[namespace]
        if namespace not in self.used:
            self.used[namespace] = next(self._names)
        return self.used[namespace]
