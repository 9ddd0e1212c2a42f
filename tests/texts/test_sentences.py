"""A sentence of the hub is found again from its English, whatever was put in, and said in another language."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from bothways.texts.catalogue import catalogue
from bothways.texts.sentences import PLACE, Sentences, put_in

GERMAN = Sentences(
    {
        "not started": "nicht begonnen",
        "inbound": "eingehend",
        "submit a request (CSR)": "einen Antrag (CSR) einreichen",
        "valid until {end}": "gültig bis {end}",
        "{name} expired on {end}": "am {end} ist {name} abgelaufen",
        "{name} expired on {end}, and with it {other}": "mit {name} lief am {end} auch {other} ab",
        "the last probe failed: {seen}": "die letzte Prüfung schlug fehl: {seen}",
        "{count}s went by": "{count} s vergingen",
        "the server also offers {versions}": "der Server bietet auch {versions}",
    }
)


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("not started", "nicht begonnen"),
        ("valid until 2027-01-02", "gültig bis 2027-01-02"),
        ("CN=Root expired on Monday", "am Monday ist CN=Root abgelaufen"),
        # Of two that fit, the one that says more itself.
        ("A expired on Monday, and with it B", "mit A lief am Monday auch B ab"),
        # What is put in may be a sentence, and so on.
        (
            "the last probe failed: CN=A expired on Monday",
            "die letzte Prüfung schlug fehl: am Monday ist CN=A abgelaufen",
        ),
        # Of what, and a list.
        ("request: submit a request (CSR)", "request: einen Antrag (CSR) einreichen"),
        ("inbound: not started; x: valid until now", "eingehend: nicht begonnen; x: gültig bis now"),
        # A word that a place touches is no word of the sentence alone.
        ("12s went by", "12 s vergingen"),
        ("the server also offers ", "der Server bietet auch "),
        ("the server also offers {versions}", "der Server bietet auch {versions}"),
        # Nobody's name is translated, and neither is what nobody here said.
        ("the bank that was not started", "the bank that was not started"),
        ("Valid until 2027", "Valid until 2027"),
        ("", ""),
    ],
)
def test_a_sentence_is_said_in_the_language_with_what_was_put_in(english: str, german: str) -> None:
    assert GERMAN.said(english) == german


@pytest.mark.parametrize(
    ("around", "text", "found"),
    [
        (("a ", " b ", " c"), "a 1 b 2 c", ("1", "2")),
        (("", " b ", ""), " b ", ("", "")),
        # The first part and the last do not overlap, and neither do those between.
        (("aba", "ba"), "aba", None),
        (("a", "b", "b"), "a1b", None),
        (("a ", " b"), "x a 1 b", None),
        (("a ", " b"), "a 1 b x", None),
        (("a ", " b ", " c"), "a 1 c", None),
    ],
)
def test_what_was_put_in_stands_between_the_parts_in_their_order(
    around: tuple[str, ...], text: str, found: tuple[str, ...] | None
) -> None:
    assert put_in(around, text) == found


def test_each_sentence_of_the_catalogue_is_found_again_whatever_is_put_in() -> None:
    known = catalogue()["sentences"]
    marked = Sentences({english: f"<{number}>{english}" for number, english in enumerate(known)})
    for value in ("Xx1", "CN=First Bank,O=First Bank", "2026-11-26 12:00 UTC", "7"):
        for number, english in enumerate(known):
            said = PLACE.sub(rf"{value}-\1", english)
            assert marked.said(said) == f"<{number}>{said}", english


def test_a_name_that_is_put_in_twice_under_two_names_changes_places_with_the_words() -> None:
    turned = Sentences({"found {a}, wanted {b}": "{b} statt {a}"})
    assert turned.said("found {b}, wanted {a}") == "{a} statt {b}"


def test_every_catalogue_has_the_places_that_the_english_has() -> None:
    named = re.compile(r"%\((\w+)\)s")
    for path in Path(str(files("bothways.texts"))).glob("*.toml"):
        both = tomllib.loads(path.read_text(encoding="utf-8"))
        for english, words in both["sentences"].items():
            assert set(PLACE.findall(english)) == set(PLACE.findall(words)), f"{path.name}: {english}"
        for english, words in both["texts"].items():
            assert set(named.findall(english)) == set(named.findall(words)), f"{path.name}: {english}"
