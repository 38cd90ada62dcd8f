"""Where the documents made by others are, and the fragments of their rule tests."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lxml import etree

SHARED = Path(
    os.environ.get("HANSA_SHARED", str(Path(__file__).parents[3] / "../shared"))
).resolve()
EN16931 = SHARED / "data/einvoice/en16931"
REPOSITORY = Path(__file__).parents[3]
EXAMPLES = REPOSITORY / "examples/en16931"
FIXTURES = Path(__file__).parent / "fixtures"

_TEST = "{http://difi.no/xsd/vefa/validator/1.0}"


class Expectation(NamedTuple):
    """What one rule should make of one fragment: `success`, `error` or `warning`, and how often."""

    where: str
    outcome: str
    rule: str
    number: int | None
    fragment: bytes


def read_expectations(folder: str) -> Iterator[Expectation]:
    for file in sorted((EN16931 / folder).glob("*.xml")):
        tests = etree.parse(str(file)).getroot().findall(f"{_TEST}test")
        for index, test in enumerate(tests, 1):
            (fragment,) = (
                child
                for child in test
                if isinstance(child.tag, str) and not child.tag.startswith(_TEST)
            )
            data = etree.tostring(fragment)
            for outcome in ("success", "error", "warning"):
                for said in test.iterfind(f"{_TEST}assert/{_TEST}{outcome}"):
                    number = said.get("number")
                    yield Expectation(
                        f"{folder}/{file.name}#{index}",
                        outcome,
                        (said.text or "").strip(),
                        int(number) if number else None,
                        data,
                    )
