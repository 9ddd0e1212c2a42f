"""What the hub says of a thing, in the words of a language: a sentence is known by the English it was said in. Pure.

Rules, errors and records say whole English sentences: one sees at the rule what it says, and API, command line and
database have the same words. The catalogue has each with a place for what is put in, as `the name {host} does not
exist`; a page finds the one that was said, and says it in its own language with the same put in.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""Where something is put into a sentence."""

_WORD = re.compile(r"\w+")
_OWN_WORD = re.compile(r"(?<![\w\0])\w+(?![\w\0])")
_DEPTH = 6
"""A sentence may have others put in, as with the reason of a failure; deeper than this is nothing nested."""


class _Known(NamedTuple):
    """A sentence of the catalogue: the text around its places, the names of these, and its words in the language."""

    around: tuple[str, ...]
    names: tuple[str, ...]
    words: str


class Sentences:
    """The sentences of a catalogue: English with its places, and the words of the language with the same places."""

    def __init__(self, catalogue: Mapping[str, str]) -> None:
        self._whole = {english: words for english, words in catalogue.items() if not PLACE.search(english)}
        # A pattern with a group splits into text and name in turn.
        split = ((PLACE.split(english), words) for english, words in catalogue.items())
        known = [_Known(tuple(parts[::2]), tuple(parts[1::2]), words) for parts, words in split if len(parts) > 1]
        self._by_word = _by_rarest_word(known)

    def said(self, text: str) -> str:
        """Return the text in the words of the language; what the catalogue does not know is returned as it is."""
        return self._said(text, _DEPTH)

    def _said(self, text: str, depth: int) -> str:
        if text in self._whole:
            return self._whole[text]
        if depth:
            for known in self._candidates(text):
                if (values := put_in(known.around, text)) is not None:
                    said = (self._said(each, depth - 1) for each in values)
                    return _with_values(known.words, dict(zip(known.names, said, strict=True)))
            about, colon, what = text.partition(": ")
            if colon:
                return f"{self._said(about, depth - 1)}: {self._said(what, depth - 1)}"
            if "; " in text:
                return "; ".join(self._said(each, depth - 1) for each in text.split("; "))
        return text

    def _candidates(self, text: str) -> list[_Known]:
        """Return the sentences that may be this text; first those that say more themselves and have less put in."""
        found = [each for word in set(_WORD.findall(text)) for each in self._by_word.get(word, ())]
        return sorted(found, key=lambda each: (-sum(map(len, each.around)), each.around))


def _with_values(words: str, values: Mapping[str, str]) -> str:
    return PLACE.sub(lambda place: values[place[1]], words)


def put_in(around: tuple[str, ...], text: str) -> tuple[str, ...] | None:
    """Return what stands in a text between these parts of it, or None if it does not have them in this order.

    It takes as long as the text is long: what a stranger put in cannot make it take longer.
    """
    first, *middle, last = around
    if not (text.startswith(first) and text.endswith(last) and len(text) >= len(first) + len(last)):
        return None
    found, begin, end = [], len(first), len(text) - len(last)
    for part in middle:
        at = text.find(part, begin, end)
        if at < 0:
            return None
        found.append(text[begin:at])
        begin = at + len(part)
    return (*found, text[begin:end])


def _by_rarest_word(known: Iterable[_Known]) -> dict[str, list[_Known]]:
    """Return the sentences by the one of their own words that the fewest others have."""
    words = [(each, _whole_words(each.around)) for each in known]
    often = Counter(word for _, own in words for word in own)
    found: defaultdict[str, list[_Known]] = defaultdict(list)
    for each, own in words:
        found[min(own, key=lambda word: (often[word], word))].append(each)
    return dict(found)


def _whole_words(around: tuple[str, ...]) -> set[str]:
    """Return the words that stand in each such sentence, whatever is put in: not those that a place touches."""
    return set(_OWN_WORD.findall("\0".join(around)))
