"""A language that nobody speaks: English in the letters of another alphabet, so that one sees what stayed English."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest

from bothways.texts import catalogue
from bothways.texts.sentences import Sentences

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_FOREIGN = str.maketrans(
    _LETTERS + _LETTERS.upper(),
    "".join(chr(0x430 + at) for at in range(26)) + "".join(chr(0x410 + at) for at in range(26)),
)
_KEPT = re.compile(r"(%\(\w+\)s|\{\w+\}|<[^>]*>|&\w+;)")
_UNREAD = re.compile(r"<(script|style|pre|code|textarea)\b.*?</\1>|<svg class=\"code\".*?</svg>", re.DOTALL)
_HEARD = re.compile(r'(?<![-\w])(?:aria-label|title|alt|placeholder|data-label|data-copied)="([^"]*)"')
_ENGLISH = re.compile(r"[A-Za-z]{2,}(?:[ ,;:.()'_-]+[A-Za-z]{2,})*")


def foreign(text: str) -> str:
    """Return a text in the other alphabet, with its places and its marks."""
    return "".join(part if at % 2 else part.translate(_FOREIGN) for at, part in enumerate(_KEPT.split(text)))


@cache
def foreign_catalogue() -> dict[str, dict[str, str]]:
    """Return the whole catalogue in that language."""
    english = catalogue.catalogue()
    return {part: {each: foreign(words) for each, words in texts.items()} for part, texts in english.items()}


@cache
def foreign_sentences() -> Sentences:
    """Return its sentences."""
    return Sentences(foreign_catalogue()["sentences"])


def is_known(text: str) -> bool:
    """Tell whether what a page is to say stands in the catalogue, or is no more than a word, such as a name."""
    known = text in catalogue.catalogue()["texts"] or foreign_sentences().said(text) != text
    return known or not re.search(r"[a-z]{2,} [a-z]{2,}", text)


@contextmanager
def in_foreign_words() -> Iterator[None]:
    """Have the pages of this process speak that language until the block ends."""
    spoken = foreign_catalogue()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "catalogue", lambda: spoken)
        patch.setattr(catalogue, "_sentences", foreign_sentences)
        yield


def english_left(page: str) -> set[str]:
    """Return what can be read or heard of a page in the letters of English: names, and what was not translated."""
    shown = _UNREAD.sub(" ", page)
    said = [*_HEARD.findall(shown), *re.sub(r"<wbr>|</?(?:tspan|strong|time)\b[^>]*>", "", shown).split("<")]
    texts = (html.unescape(re.sub(r"^[^<>]*>", "", each)) for each in said)
    return {found for each in texts for found in _ENGLISH.findall(each)}
