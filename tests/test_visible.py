import pytest

from bothways.visible import visible


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("gone\x1b[2J", "gone\\x1b[2J"),
        ("over\rwritten", "over\\rwritten"),
        ("\x00\x07\x7f\x9b31m", "\\x00\\x07\\x7f\\x9b31m"),
        ("\u202eesufer\u202c", "\\u202eesufer\\u202c"),
        ("\u2066a\u2069 \u200b\u200f\u061c", "\\u2066a\\u2069 \\u200b\\u200f\\u061c"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_is_obeyed_instead_of_being_seen_is_an_escape(written: str, seen: str) -> None:
    assert visible(written) == seen


def test_what_people_write_stays_as_it_is() -> None:
    joined = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645, 👩\u200d💻"
    text = f"Refusé\u00a0: l'unité\n\t<b> is Söhne & Co., 漢字, {joined}"
    assert visible(text) == text
