from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bothways.connectivity.assess import State
from bothways.reference.drawings import _ISSUED, _STATES, drawings
from bothways.store.authorities import Role

NAMESPACE = "{http://www.w3.org/2000/svg}"
DRAWN = drawings()


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawing_is_well_formed_and_nothing_in_it_is_outside(name: str) -> None:
    root = ET.fromstring(DRAWN[name])  # noqa: S314 - our own text
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    boxes = [each for each in root.iter(f"{NAMESPACE}rect") if "x" in each.attrib]
    assert boxes
    assert all(float(each.attrib["x"]) + float(each.attrib["width"]) <= width for each in boxes)
    assert all(float(each.attrib["y"]) <= height for each in root.iter(f"{NAMESPACE}text"))


def test_every_state_is_drawn_and_said() -> None:
    assert [each.value for each in State if f" {each.value}</text>" not in DRAWN["states.svg"]] == []
    assert [each.value for each in State if f"{each.value.capitalize()}: " not in DRAWN["states.svg"]] == []


def test_the_steps_of_both_flows_are_drawn() -> None:
    assert "1. request (CSR) → 2. certificate → 3. first call" in DRAWN["flows.svg"]
    assert "1. server named → 2. CA chain endorsed → 3. probe passed" in DRAWN["flows.svg"]


def test_every_ca_that_a_customer_meets_is_drawn_and_said() -> None:
    assert set(_ISSUED) == {*Role, None} - {Role.NODE}
    drawn = unescape(DRAWN["trust.svg"])
    assert [name for name, *_ in _ISSUED.values() if drawn.count(name.removeprefix("the ")) < 2] == []


@pytest.mark.parametrize(("page", "name"), [("flows", "flows.svg"), ("flows", "states.svg"), ("trust", "trust.svg")])
def test_a_drawing_has_words_in_its_place_and_in_itself(page: str, name: str) -> None:
    assert f"]({name})" in (Path(__file__).parents[2] / "docs" / f"{page}.md").read_text()
    root = ET.fromstring(DRAWN[name])  # noqa: S314 - our own text
    assert all(root.findtext(f"{NAMESPACE}{each}") for each in ("title", "desc"))
    assert "prefers-color-scheme: dark" in DRAWN[name]


def test_the_page_says_each_state_as_the_drawing_does() -> None:
    page = (Path(__file__).parents[2] / "docs" / "flows.md").read_text()
    assert [each.value for each in State if f"| {each.value} | {_STATES[each].partition(':')[0]}" not in page] == []
