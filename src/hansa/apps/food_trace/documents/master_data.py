"""Master data in the header of EPCIS documents: vocabulary elements and their attributes. Pure.

Source: EPCIS 2.0 clauses 6.1.2, 6.5 and 9, 10 (EPCISHeader/EPCISMasterData).
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from lxml import etree

from hansa.apps.food_trace.documents.names import BUILTIN, Context, split_iri
from hansa.apps.food_trace.documents.rulebook import Failure, make_failure
from hansa.apps.food_trace.documents.xml_events import get_tag, get_text
from hansa.apps.food_trace.documents.xml_tree import get_place, iterate
from hansa.apps.food_trace.identifiers import is_uri

# Bounds what one element may take in the gateway's notebook.
NAME_MAX: Final = 400
TEXT_MAX: Final = 2_000
ATTRIBUTES_MAX: Final = 200
CHILDREN_MAX: Final = 1_000
_HEADER: Final = "/epcisHeader/epcisMasterData/vocabularyList"


class Element(msgspec.Struct, frozen=True):
    """A vocabulary element: `type` and `id` are URIs, `children` the URIs of what is in it.

    `attributes`: texts by name in Clark's form; an attribute that is an object has its name alone.
    """

    type: str
    id: str
    attributes: dict[str, tuple[str, ...]] = {}
    children: tuple[str, ...] = ()


class Wrong(ValueError):
    """A part that is not as the schema has it; says where."""


def name_attribute(text: str, context: Context) -> str:
    """The name of an attribute in the one form in which names are compared."""
    return context.expand_name(text) or split_iri(text) or text


def read_json_header(header: Any, context: Context) -> tuple[tuple[Element, ...], list[Failure]]:
    """The elements of an epcisHeader."""
    try:
        return tuple(_iterate_json(header, context)), []
    except Wrong as wrong:
        return (), [make_failure("EPCIS-SHAPE", str(wrong))]


def _iterate_json(header: Any, context: Context) -> Iterator[Element]:
    data = _get(header, "epcisMasterData", dict, "/epcisHeader")
    for number, part in enumerate(_get(data, "vocabularyList", list, "/epcisHeader")):
        place = f"{_HEADER}/{number}"
        type_ = context.expand_value(_need_uri(part, "type", place))
        found = _get(part, "vocabularyElementList", list, place)
        for index, element in enumerate(found):
            where = f"{place}/vocabularyElementList/{index}"
            yield _check(
                Element(
                    type_,
                    context.expand_value(_need_uri(element, "id", where)),
                    _read_attributes(_get(element, "attributes", list, where), context, where),
                    tuple(
                        context.expand_value(each) if isinstance(each, str) else ""
                        for each in _get(element, "children", list, where)
                    ),
                ),
                where,
            )


def _read_attributes(found: list[Any], context: Context, where: str) -> dict[str, tuple[str, ...]]:
    attributes: dict[str, tuple[str, ...]] = {}
    for number, each in enumerate(found):
        place = f"{where}/attributes/{number}"
        name = name_attribute(_need_uri(each, "id", place), context)
        value = each.get("attribute")
        values = value if isinstance(value, list) else [value]
        texts = tuple(_write(one) for one in values if not isinstance(one, dict | list | None))
        attributes[name] = attributes.get(name, ()) + texts
    return attributes


def _write(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value)


def _get(fields: Any, name: str, kind: type[Any], place: str) -> Any:
    """A member that may be missing. Raises Wrong."""
    if not isinstance(fields, dict):
        raise Wrong(place)
    value = fields.get(name)
    if value is not None and not isinstance(value, kind):
        raise Wrong(f"{place}/{name}")
    return kind() if value is None else value


def _need_uri(fields: Any, name: str, place: str) -> str:
    text = _get(fields, name, str, place)
    if ":" not in text:
        raise Wrong(f"{place}/{name}")
    return str(text)


def _check(element: Element, place: str) -> Element:
    """The element, when it is within bounds. Raises Wrong."""
    names = (element.type, element.id, *element.attributes, *element.children)
    texts = [text for values in element.attributes.values() for text in values]
    if (
        not all(is_uri(each) for each in (element.type, element.id, *element.children))
        or max(map(len, names)) > NAME_MAX
        or len(texts) + len(element.attributes) > ATTRIBUTES_MAX
        or len(element.children) > CHILDREN_MAX
        or any(len(text) > TEXT_MAX for text in texts)
    ):
        raise Wrong(place)
    return element


def read_xml_header(root: etree._Element) -> tuple[tuple[Element, ...], list[Failure]]:
    """The elements of an EPCISHeader; `root` is the document."""
    try:
        return tuple(_iterate_xml(root)), []
    except Wrong as wrong:
        return (), [make_failure("EPCIS-SHAPE", str(wrong))]


def _iterate_xml(root: etree._Element) -> Iterator[Element]:
    prefixes = {str(key): uri for key, uri in root.nsmap.items() if key}
    context = Context({**prefixes, **BUILTIN}, {})
    path = ("EPCISHeader", "EPCISMasterData", "VocabularyList", "Vocabulary")
    for part in _walk(root, path):
        for element in _walk(part, ("VocabularyElementList", "VocabularyElement")):
            attributes: dict[str, tuple[str, ...]] = {}
            for each in _walk(element, ("attribute",)):
                name = name_attribute(each.get("id", ""), context)
                texts = () if any(True for _ in iterate(each)) else (get_text(each),)
                attributes[name] = attributes.get(name, ()) + texts
            children = tuple(get_text(each) for each in _walk(element, ("children", "id")))
            found = Element(part.get("type", ""), element.get("id", ""), attributes, children)
            yield _check(found, get_place(element))


def _walk(element: etree._Element, path: tuple[str, ...]) -> Iterator[etree._Element]:
    """Elements at a path; the wrapper `extension` of EPCIS 1.x is passed through."""
    for child in iterate(element):
        tag = get_tag(child)
        if tag == "extension":
            yield from _walk(child, path)
        elif tag == path[0]:
            if len(path) == 1:
                yield child
            else:
                yield from _walk(child, path[1:])
