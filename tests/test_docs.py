"""What the documentation names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ATTACKS = (ROOT / "docs" / "attacks.md").read_text()


def named_tests() -> list[tuple[str, str]]:
    """Return each test file that the page names, with the test in it, or an empty name for all of them."""
    named, file = [], ""
    for match in re.finditer(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", ATTACKS):
        file = match[1] or file
        if match[1] or match[2]:
            named.append((file, match[2] or ""))
    return named


@pytest.mark.parametrize(("file", "test"), named_tests())
def test_each_attack_names_a_test_that_is_there(file: str, test: str) -> None:
    assert f"def {test or 'test_'}" in (ROOT / file).read_text()


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{each.name}" for each in (ROOT / "docs").glob("*.md"))])
def test_each_link_between_pages_resolves(page: str) -> None:
    place = (ROOT / page).parent
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text())
    assert [link for link in links if not (place / link).exists()] == []
