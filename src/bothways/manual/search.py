"""Ask: from a question to the passages that answer it, by BM25 over the words of the pages. Pure; no network, no model.

What a word weighs in a passage is reckoned once (`Index`), so that the site's own script only adds up the same numbers.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from bothways.manual.library import pages
from bothways.manual.passages import Passage, passages, plain

_WORD = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
_LETTER = re.compile(r"[a-z]")
_FENCE = re.compile(r"^ *```.*$", re.MULTILINE)
_ENDINGS = ("ations", "ation", "ions", "ing", "ion", "ies", "ed", "es", "s", "e", "y")
"""Taken off a word of which enough is left, the first that fits."""

_LEFT_LEAST = 3
_STOP = """
a an and are as at be been but by can did do does for from had happen happens has have how i if in into is it its may me
mean means my no not of on or our should so some that the their them then there they this to was we were what when where
which who why will with would you your
"""
STOP = frozenset(_STOP.split())
"""Words that say nothing about what a question is about."""

SAME = {"cert": "certific", "certificat": "certific", "revoc": "revok", "expirat": "expir", "renewal": "renew"}
SAME |= {"endorsement": "endors", "setup": "set", "config": "configur", "request": "csr", "postgr": "postgresql"}
SAME |= {"truststor": "trust", "timeout": "time-out", "enrolment": "enroll", "enrollment": "enroll", "enrol": "enroll"}
"""Words whose stems differ, and that mean the same here."""

_HEADING, _TITLE = 4, 2
"""How often a word of the heading, and of the page's title, counts."""

_SATURATION, _LENGTH = 1.2, 0.6
"""k1 and b of BM25 (Robertson and Zaragoza 2009)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A passage, and how well it answers."""

    passage: Passage
    score: float


class Index:
    """The words of passages, each with what it weighs in each of them."""

    def __init__(self, found: Sequence[Passage]) -> None:
        self.passages = tuple(found)
        counts = [Counter(_words_of(each)) for each in self.passages]
        lengths = [sum(each.values()) for each in counts]
        mean = sum(lengths) / max(1, len(lengths))
        spread = Counter(word for each in counts for word in each)
        self.weights: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, each in enumerate(counts):
            # A row of a table is short by its nature, and not because it says one thing alone.
            length = max(lengths[number], mean)
            norm = _SATURATION * (1 - _LENGTH + _LENGTH * length / mean)
            for word, count in each.items():
                rarity = math.log(1 + (len(counts) - spread[word] + 0.5) / (spread[word] + 0.5))
                weight = rarity * count * (_SATURATION + 1) / (count + norm)
                weight *= _SHARES.get(self.passages[number].page, 1)
                self.weights[word].append((number, round(weight, 3)))

    def ask(self, question: str, most: int = 5) -> tuple[Answer, ...]:
        """Return the passages that answer best, the best first; none if no word of the question is in any."""
        scores: dict[int, float] = defaultdict(float)
        for word in dict.fromkeys(words(question)):
            for number, weight in self.weights.get(word, ()):
                scores[number] += weight
        best = sorted(scores, key=lambda number: (-round(scores[number], 3), number))[:most]
        return tuple(Answer(self.passages[each], round(scores[each], 3)) for each in best)

    def document(self) -> dict[str, Any]:
        """Return the index as the site's script reads it."""
        return {
            "passages": [
                {"address": each.address, "title": each.title, "heading": each.heading, "text": excerpt(each.text)}
                for each in self.passages
            ],
            "weights": dict(self.weights),
            "stop": sorted(STOP),
            "same": SAME,
            "endings": _ENDINGS,
        }


_SHARES = dict.fromkeys(("performance", "attacks", "defaults", "architecture"), 0.6)
_SHARES |= {"reference-cli": 0.9, "reference-api": 0.7}
"""What a word weighs there, of what it weighs elsewhere: pages for whoever wants to know how it is made, and lists of
commands and calls. What others say about the same words goes first."""

_LISTS = {"index", "reference-findings"}
"""Pages that only lead to others: their passages would answer everything, and say nothing."""


@cache
def index() -> Index:
    """Return the index of all pages; made at the first question, in some hundredths of a second."""
    return Index([passage for page in pages() for passage in passages(page) if page.name not in _LISTS])


def words(text: str) -> Iterable[str]:
    """Return the words of a text as they are compared: small, without endings; ids whole and in their parts.

    A version, an address or a date says nothing by its parts: of numbers alone, the whole is the word.
    """
    for word in _WORD.findall(text.lower()):
        parts = re.split(r"[-_.]", word) if _LETTER.search(word) else [word]
        for each in [word, *parts] if len(parts) > 1 else parts:
            if each not in STOP:
                yield stem(each)


def stem(word: str) -> str:
    """Return what words of one family have in common."""
    for ending in _ENDINGS:
        if word.isalpha() and word.endswith(ending) and len(word) - len(ending) >= _LEFT_LEAST:
            word = word.removesuffix(ending)
            break
    return SAME.get(word, word)


def excerpt(text: str, most: int = 300) -> str:
    """Return the beginning of a passage as plain text, whole words, `most` characters at most."""
    said = " ".join(plain(_FENCE.sub("", text)).replace("|", " ").replace("---", "").split())
    return said if len(said) <= most else f"{said[:most].rpartition(' ')[0]} ..."


def _words_of(passage: Passage) -> Iterable[str]:
    yield from words(plain(passage.text))
    # Of a row, the whole name is what one asks for; its parts are words like others.
    heading = [stem(passage.heading.lower())] if passage.is_row else [*words(passage.heading)]
    yield from words(passage.heading)
    for _ in range(_HEADING - 1):
        yield from heading
    for _ in range(_TITLE):
        yield from words(passage.title)
