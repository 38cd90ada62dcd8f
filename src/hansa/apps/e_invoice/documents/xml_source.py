"""Bytes of an unknown file to a safe XML tree: no DTD, no entities, no network, bounded. Pure.

Whatever is wrong raises DocumentRefused with a stable id; nothing else leaves this module.
"""

import re
from collections.abc import Iterator
from xml.parsers import expat

from lxml import etree

# The largest known example is 3.3 MB (an embedded attachment); a file has to fit memory many times.
DOCUMENT_BYTES_MAX = 16 * 1024 * 1024
# UBL needs about 12 levels; deeper nesting is an attack on recursive readers.
DEPTH_MAX = 64
# About 4,000 invoice lines; the rules visit every element several hundred times.
ELEMENTS_MAX = 150_000
# Attributes of one element; UBL uses five.
ATTRIBUTES_MAX = 64

# Encodings that invoices come in. Anything else is refused rather than guessed.
_ENCODINGS = frozenset(
    (
        "utf-8 us-ascii ascii iso-8859-1 iso-8859-2 iso-8859-15 windows-1250 windows-1251 "
        "windows-1252 gbk gb2312 gb18030 big5 big5-hkscs"
    ).split()
)
_DECLARATION = re.compile(r"<\?xml[^>]{0,200}?\?>")
_DECLARED = re.compile(r"""encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_PREFIXES = {
    "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2": "cac",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2": "cbc",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2": "ext",
    "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100": "rsm",
    "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100": "ram",
    "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100": "udt",
    "urn:un:unece:uncefact:data:standard:QualifiedDataType:100": "qdt",
}


class DocumentRefused(Exception):
    """A file that can't be judged or imported: a stable `rule` id, a place in it, words."""

    def __init__(self, rule: str, text: str, path: str = "/") -> None:
        super().__init__(f"{rule}: {text}")
        self.rule = rule
        self.text = text
        self.path = path


def parse_xml(data: bytes) -> etree._Element:
    """The root element. Raises DocumentRefused (`XML-…`) for all that is not plain, bounded XML."""
    text = _encode_utf8(data)
    _check_shape(text)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        # The bounds above are ours; libxml2's own would refuse a 10 MB attachment.
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DocumentRefused("XML-NOT-WELL-FORMED", str(error)[:300]) from None


def _encode_utf8(data: bytes) -> bytes:
    """The document as UTF-8, from the encoding that its first bytes and declaration name."""
    if len(data) > DOCUMENT_BYTES_MAX:
        raise DocumentRefused("XML-TOO-LARGE", f"more than {DOCUMENT_BYTES_MAX} bytes")
    if not data.strip():
        raise DocumentRefused("XML-NOT-WELL-FORMED", "the file is empty")
    name, body = _detect_encoding(data)
    try:
        text = body.decode(name)
        declaration = _DECLARATION.match(text)
        if declaration is not None:
            _check_declared(declaration[0], name)
            renamed = _DECLARED.sub('encoding="UTF-8"', declaration[0])
            text = renamed + text[declaration.end() :]
        return text.encode("utf-8")
    except UnicodeError:
        raise DocumentRefused(
            "XML-ENCODING", f"the bytes are not {name}, which the file says they are"
        ) from None


def _check_declared(declaration: str, name: str) -> None:
    """XML 1.0, 4.3.3: it is an error to be in another encoding than the declaration names."""
    declared = _DECLARED.search(declaration)
    if declared is None:
        return
    said, found = declared[1].lower().replace("-", ""), name.replace("-", "")
    if said != found and not (said == "utf16" and found in ("utf16le", "utf16be")):
        raise DocumentRefused(
            "XML-ENCODING",
            f"the first bytes are {name.upper()}, but the XML declaration says {declared[1]}",
        )


def _detect_encoding(data: bytes) -> tuple[str, bytes]:
    if data[:4] in (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"):
        raise DocumentRefused("XML-ENCODING", "UTF-32 is not read: save the file as UTF-8")
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name, data[len(mark) :]
    if data[:4] == b"<\x00?\x00":
        return "utf-16-le", data
    if data[:4] == b"\x00<\x00?":
        return "utf-16-be", data
    found = _DECLARATION.match(data[:256].decode("latin-1"))
    declared = _DECLARED.search(found[0]) if found else None
    name = declared[1].lower() if declared else "utf-8"
    if name not in _ENCODINGS:
        raise DocumentRefused("XML-ENCODING", f"the encoding {name} is not read: use UTF-8")
    return name, data


class _Shape:
    """Counts what a hostile file would overdo, before any tree is built."""

    def __init__(self) -> None:
        self.depth = 0
        self.elements = 0

    def start(self, _name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > DEPTH_MAX:
            raise DocumentRefused("XML-TOO-DEEP", f"more than {DEPTH_MAX} elements deep")
        if self.elements > ELEMENTS_MAX:
            raise DocumentRefused("XML-TOO-LARGE", f"more than {ELEMENTS_MAX} elements")
        if len(attributes) > ATTRIBUTES_MAX:
            raise DocumentRefused("XML-TOO-LARGE", f"more than {ATTRIBUTES_MAX} attributes")

    def end(self, _name: str) -> None:
        self.depth -= 1

    def doctype(self, *_: object) -> None:
        # A DTD can declare entities that expand without end or reach for files and addresses.
        raise DocumentRefused(
            "XML-DOCTYPE", "a DOCTYPE declaration is refused: an invoice has none"
        )


def _check_shape(data: bytes) -> None:
    shape = _Shape()
    parser = expat.ParserCreate(encoding="utf-8", namespace_separator="}")
    parser.StartElementHandler = shape.start
    parser.EndElementHandler = shape.end
    parser.StartDoctypeDeclHandler = shape.doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise DocumentRefused("XML-NOT-WELL-FORMED", str(error)[:300]) from None


def get_name(element: etree._Element) -> str:
    """An element's name as people write it: `cbc:ID`, or the bare name."""
    return format_name(str(element.tag))


def format_name(tag: str) -> str:
    """`{namespace}local` as `prefix:local`; unknown namespaces show no prefix."""
    namespace, _, local = tag.rpartition("}")
    prefix = _PREFIXES.get(namespace[1:])
    return f"{prefix}:{local}" if prefix else local


class Places:
    """The place of every element of a tree as a path with indices: `/Invoice/cac:InvoiceLine[2]`.

    A name is numbered only where it occurs more than once under its parent.
    """

    def __init__(self, root: etree._Element) -> None:
        self._places: dict[etree._Element, str] = {}
        self._fill(root, "/" + format_name(str(root.tag)))

    def _fill(self, root: etree._Element, place: str) -> None:
        pending = [(root, place)]
        while pending:
            parent, path = pending.pop()
            self._places[parent] = path
            pending.extend(_place_children(parent, path))

    def of(self, element: etree._Element) -> str:
        """The place of an element of this tree."""
        return self._places[element]


def _place_children(parent: etree._Element, path: str) -> Iterator[tuple[etree._Element, str]]:
    children = [child for child in parent if isinstance(child.tag, str)]
    totals: dict[str, int] = {}
    for child in children:
        totals[str(child.tag)] = totals.get(str(child.tag), 0) + 1
    seen: dict[str, int] = {}
    for child in children:
        tag = str(child.tag)
        seen[tag] = seen.get(tag, 0) + 1
        number = f"[{seen[tag]}]" if totals[tag] > 1 else ""
        yield child, f"{path}/{format_name(tag)}{number}"
