"""The picture of a life cycle shows every state once and marks the present one."""

import re
from typing import Any

import msgspec
import pytest

from hansa.appkit.schema import describe_application
from hansa.catalog import load_applications
from hansa.console.states import Cycle, draw_cycle, find_present, list_steps, read_cycles

DESCRIBED = [
    msgspec.json.decode(msgspec.json.encode(describe_application(app)))
    for app in load_applications()
]
CASES = [
    (about, cycle, state)
    for about in DESCRIBED
    for cycle in about["lifecycles"]
    for state in cycle["states"]
]


def read(about: dict[str, Any], cycle: dict[str, Any], value: object) -> Cycle:
    found = read_cycles(about, cycle["record"], {cycle["field"]: value})
    return next(each for each in found if each.field == cycle["field"])


@pytest.mark.parametrize(("about", "cycle", "state"), CASES)
def test_every_state_is_drawn_and_one_is_present(
    about: dict[str, Any], cycle: dict[str, Any], state: str
) -> None:
    present = read(about, cycle, state if len(cycle["states"]) > 2 else state != cycle["states"][0])
    assert present.present == state
    svg = str(
        draw_cycle(
            present, state=lambda name: f"<{name}>", message=lambda name: f"&{name}", title='a"b'
        )
    )
    assert len(re.findall('class="state(?: present)?"', svg)) == len(cycle["states"])
    assert svg.count('class="state present"') == 1
    assert "<RED" not in svg.replace("&lt;", "") and "<script" not in svg
    assert "style=" not in svg


def test_nothing_is_drawn_outside_of_the_picture() -> None:
    for about, cycle, state in CASES:
        svg = str(draw_cycle(read(about, cycle, state), state=str, message=str, title="t"))
        width, height = map(int, re.findall(r'viewBox="0 0 (\d+) (\d+)"', svg)[0])
        for x, y in re.findall(r'<text x="([\d.-]+)" y="([\d.-]+)"', svg):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height


def test_the_steps_are_those_from_the_present_state() -> None:
    about = next(each for each in DESCRIBED if each["name"] == "e_invoice")
    cycle = next(each for each in about["lifecycles"] if each["field"] == "status")
    assert list_steps(read(about, cycle, "DELIVERED")) == ["ClaimInvoice", "SubmitInvoice"]
    assert list_steps(read(about, cycle, "ARCHIVED")) == []


def test_a_mark_is_there_or_not() -> None:
    assert find_present(("", "FROZEN"), "") == ""
    assert find_present(("", "FROZEN"), "did:hansa:x") == "FROZEN"
    assert find_present(("", "USE_CONFIRMED"), 0) == ""
    assert find_present(("", "USE_CONFIRMED"), 17) == "USE_CONFIRMED"
    assert find_present(("", "USE_CONFIRMED"), None) == ""
