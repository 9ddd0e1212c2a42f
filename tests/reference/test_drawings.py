from xml.etree import ElementTree as ET

import pytest

from bothways.connectivity.assess import State
from bothways.reference.drawings import drawings

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
