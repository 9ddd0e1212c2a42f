from collections.abc import Iterator

import pytest

from bothways.findings import Finding, Level
from bothways.pki.rule import Rule, Said, named, shown


def test_a_rule_gives_a_finding_for_each_way_in_which_it_is_broken() -> None:
    def is_even(number: int) -> Iterator[Said]:
        if number % 2:
            yield "it is odd", "Give another."

    rule = Rule("TEST-01", "R0", Level.WARNING, is_even)
    assert rule.findings(2, "here") == []
    assert rule.findings(3, "here") == [Finding("TEST-01", "it is odd", "Give another.", "R0", "here", Level.WARNING)]


def test_of_many_ways_the_first_ten_are_told_and_how_many_more_there_are() -> None:
    def counts(number: int) -> Iterator[Said]:
        yield from ((f"way {each}", "Stop.") for each in range(number))

    rule = Rule("TEST-02", "R0", Level.ERROR, counts)
    assert len(rule.findings(10, "")) == 10
    found = rule.findings(900, "")
    assert (len(found), found[9].message, found[10].message) == (11, "way 9", "890 more of this kind were found")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("First Bank", "'First Bank'"),
        ("\u202eknaB", "'\\u202eknaB'"),
        ("x\x1b[2K\n", "'x\\x1b[2K\\n'"),
        ("x" * 81, f"'{'x' * 80}...'"),
    ],
)
def test_a_strangers_text_is_shown_so_that_it_does_nothing(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_a_character_is_named() -> None:
    assert named("\u0410") == "U+0410 CYRILLIC CAPITAL LETTER A"
    assert named("\0") == "U+0000 a control character"
