"""Where a business term of EN 16931 sits in a UBL document: `BG-25[2]/BT-131` as a path. Pure.

Follows the binding of `mock-einvoice` the way its reader does, so that both mean the same element.
"""

from collections.abc import Iterable
from typing import Any

from mockeinvoice import ubl
from mockeinvoice.model import ATTRIBUTE_TERMS

# A repeating group's place in the model: (("BG-25", 2), ("BG-27", 1)); () is the document.
Group = tuple[tuple[str, int], ...]


class TermPlaces:
    """The places of one document's groups and terms."""

    def __init__(self, root: Any, kind: str) -> None:
        self._entries = ubl.BINDINGS[kind]
        self._groups: dict[Group, tuple[Any, str, Any]] = {(): (root, "/" + kind, self._entries)}
        self._terms: dict[tuple[Group, str], str] = {}
        self._counts: dict[tuple[Group, str], int] = {}
        self._chains: dict[tuple[int, str], tuple[str, ...]] = {}
        self._reading = ubl.Reading(None, root)
        self._walk(root, self._entries, (), "/" + kind)

    def find(self, where: str) -> str:
        """The path of a place in the model; of what is missing, the deepest element that is there.

        Paths of elements (`/Invoice/…`) and attributes are returned as they are.
        """
        if where.startswith("/") and where != "/":
            return where
        group: Group = ()
        term = ""
        for part in filter(None, where.split("/")):
            name, _, number = part.partition("[")
            inner = (*group, (name, int(number.rstrip("]")) if number else 1))
            if inner in self._groups:
                group = inner
            else:
                term = name or term
        return self._find_term(group, term)

    def find_group(self, name: str, holding: Iterable[str]) -> str:
        """The path of the first group of this name that holds one of these paths, or of the first.

        Where the document has no such group: the deepest element that is there.
        """
        paths = [
            path
            for group, (_, path, _) in self._groups.items()
            if group[-1:] and group[-1][0] == name
        ]
        within = [path for path in paths if any(each.startswith(path + "/") for each in holding)]
        return next(iter((*within, *paths)), "") or self.find(name)

    def _find_term(self, group: Group, term: str) -> str:
        if not term:
            return self._groups[group][1]
        holder, attribute = ATTRIBUTE_TERMS.get(term, (term, ""))
        found = self._terms.get((group, holder)) or self._terms.get(((), holder))
        if found is not None:
            return f"{found}/@{attribute}" if attribute else found
        node, path, entries = self._groups[group]
        key = (id(entries), holder)
        if key not in self._chains:
            self._chains[key] = _find_chain(entries, holder) or ()
        return _find_deepest(node, path, self._chains[key])

    def _walk(self, node: Any, entries: Any, group: Group, path: str) -> None:
        for child, where in zip(node.children, ubl.paths(node, path), strict=True):
            entry = next(
                (
                    entry
                    for entry in entries
                    if entry.tag == child.tag
                    and (getattr(entry, "when", None) is None or entry.when(child, self._reading))
                ),
                None,
            )
            if entry is not None:
                self._place(child, entry, group, where)

    def _place(self, node: Any, entry: Any, group: Group, path: str) -> None:
        if isinstance(entry, ubl.Leaf):
            self._terms.setdefault((() if entry.root else group, entry.term), path)
        elif isinstance(entry, ubl.Wrap):
            if entry.marks:
                self._terms.setdefault((group, entry.marks), path)
            self._walk(node, entry.children, group, path)
        elif isinstance(entry, ubl.Many):
            inner = self._enter(group, entry.group, node, path, entry.children)
            self._walk(node, entry.children, inner, path)
        elif isinstance(entry, ubl.Note):
            inner = self._enter(group, "BG-1", node, path, ())
            self._terms[inner, "BT-21"] = self._terms[inner, "BT-22"] = path
        elif isinstance(entry, ubl.TaxRegistration):
            scheme = node.find(ubl.cac("TaxScheme"), ubl.cbc("ID"))
            is_vat = scheme is not None and scheme.text.strip().upper() == "VAT"
            term = entry.vat if is_vat or not entry.other else entry.other
            for child, where in zip(node.children, ubl.paths(node, path), strict=True):
                if child.tag == ubl.cbc("CompanyID"):
                    self._terms.setdefault((group, term), where)

    def _enter(self, group: Group, name: str, node: Any, path: str, entries: Any) -> Group:
        number = self._counts[group, name] = self._counts.get((group, name), 0) + 1
        inner = (*group, (name, number))
        self._groups[inner] = (node, path, entries)
        return inner


def _find_chain(entries: Any, term: str) -> tuple[str, ...] | None:
    """The tags from a group's element down to a term's, by the binding; None where it has none."""
    for entry in entries:
        if isinstance(entry, ubl.Leaf) and entry.term == term:
            return (entry.tag,)
        if isinstance(entry, ubl.TaxRegistration) and term in (entry.vat, entry.other):
            return (entry.tag, ubl.cbc("CompanyID"))
        if isinstance(entry, ubl.Wrap):
            if term and entry.marks == term:
                return (entry.tag,)
            inner = _find_chain(entry.children, term)
            if inner is not None:
                return (entry.tag, *inner)
        if isinstance(entry, ubl.Many) and term and entry.group == term:
            return (entry.tag,)
    return None


def _find_deepest(node: Any, path: str, chain: tuple[str, ...]) -> str:
    for tag in chain:
        child = next(
            (
                (child, where)
                for child, where in zip(node.children, ubl.paths(node, path), strict=True)
                if child.tag == tag
            ),
            None,
        )
        if child is None:
            break
        node, path = child
    return path
