"""Bytes of an unknown file to a safe XML tree: no entities, no network, bounded. Pure.

A document type declaration without content is let pass: GS1's own examples have one.
"""

import re
from collections.abc import Iterator
from xml.parsers import expat

from lxml import etree

from hansa.apps.food_trace.documents.rulebook import DocumentRefused

DOCUMENT_BYTES_MAX = 32 * 1024 * 1024
# EPCIS needs about 12 levels, extensions some more.
DEPTH_MAX = 48
# About 20,000 events; each element is a Python object while the file is read.
ELEMENTS_MAX = 1_000_000
ATTRIBUTES_MAX = 64

_DECLARED = re.compile(rb"""<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_ENCODINGS = {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "windows-1252", "utf-16"}


def parse_xml(data: bytes) -> etree._Element:
    """The root element. Raises DocumentRefused (`XML-…`) for all that is not plain, bounded XML."""
    _check_encoding(data)
    _Shape().check(data)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=True,  # the bounds above are ours
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DocumentRefused("XML-NOT-WELL-FORMED", str(error)[:300]) from None


def _check_encoding(data: bytes) -> None:
    if len(data) > DOCUMENT_BYTES_MAX:
        raise DocumentRefused("XML-TOO-LARGE", f"more than {DOCUMENT_BYTES_MAX} bytes")
    declared = _DECLARED.match(data.removeprefix(b"\xef\xbb\xbf").lstrip())
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if name not in _ENCODINGS:
        raise DocumentRefused("XML-ENCODING", f"the encoding {name} is not read")
    if name in {"utf-8", "utf8"} and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            reason = f"byte {error.start} is not UTF-8"
            raise DocumentRefused("XML-ENCODING", reason) from None


class _Shape:
    """A first pass that builds nothing: stops at entities, at depth and at size."""

    def __init__(self) -> None:
        self.depth = 0
        self.elements = 0

    def check(self, data: bytes) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise DocumentRefused("XML-NOT-WELL-FORMED", str(error)[:300]) from None
        except (LookupError, ValueError) as error:
            raise DocumentRefused("XML-ENCODING", str(error)[:300]) from None

    def _start(self, _name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > DEPTH_MAX:
            raise DocumentRefused("XML-TOO-DEEP", f"more than {DEPTH_MAX} levels")
        if self.elements > ELEMENTS_MAX:
            raise DocumentRefused("XML-TOO-LARGE", f"more than {ELEMENTS_MAX} elements")
        if len(attributes) > ATTRIBUTES_MAX:
            raise DocumentRefused("XML-TOO-LARGE", f"more than {ATTRIBUTES_MAX} attributes")

    def _end(self, _name: str) -> None:
        self.depth -= 1

    @staticmethod
    def _doctype(_name: str, system: str | None, public: str | None, has_subset: int) -> None:
        if has_subset or system or public:
            raise DocumentRefused("XML-DTD", "a document type with content or an address")

    @staticmethod
    def _entity(*_args: object) -> None:
        raise DocumentRefused("XML-DTD", "the document defines entities")


def get_place(element: etree._Element) -> str:
    """An element's place as an XPath: `/epcis:EPCISDocument/EPCISBody/EventList/ObjectEvent[2]`."""
    path: str = element.getroottree().getpath(element)
    return path


def find_place(element: etree._Element, pointer: str) -> str:
    """The XPath of what a pointer into an event's fields means: `/epcList/0` is `epcList/epc[1]`.

    Of what is missing: the deepest element that is there, and the name.
    """
    if pointer == "/type":
        return get_place(element)
    found: list[etree._Element] = [element]
    for word in filter(None, pointer.split("/")):
        word = word.replace("~1", "/").replace("~0", "~")
        if word.isdigit():
            found = _pick(found, int(word))
            continue
        children = [child for child in found[0] if _is_named(child, word)]
        if children:
            found = children
        elif word in {"bizTransaction", "source", "destination"} and not len(found[0]):
            continue  # the text of the element itself
        else:
            mark = "@" if any(_local(name) == word for name in found[0].attrib) else ""
            return f"{get_place(found[0])}/{mark}{word}"
    return get_place(found[0])


def _pick(found: list[etree._Element], place: int) -> list[etree._Element]:
    items = list(found[0]) if len(found) == 1 else found
    if len(found) == 1 and not len(found[0]):
        return found
    return [items[place]] if place < len(items) else [found[0]]


def _is_named(child: etree._Element, word: str) -> bool:
    return child.tag == word or _local(child.tag) == word


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def iterate(element: etree._Element) -> Iterator[etree._Element]:
    """The child elements; entity references and the like are passed over."""
    return (child for child in element if isinstance(child.tag, str))
