"""What a rule is, for whom it judges, and what its caller knows. The rules themselves stand in `proof` and `rules`."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bothways.contract.document import Terms
from bothways.findings import Finding, Level

_Judged = TypeVar("_Judged")

_WAYS_MOST = 10

Said = tuple[str, str]
"""A message and a hint."""


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """What the caller knows of other keys: the one thing in which hub and spoke differ, and both run the same rules.

    `banned` are the SPKI pins of keys that somebody else can have (published, disclosed, made by a broken generator,
    of certificates revoked for key compromise), each with why, in words that go on "the key is banned for good: ".
    `moduli` is the product of the RSA moduli of *other* keys, or of primes that are known; the key's own is not in it.
    """

    banned: Mapping[str, str] = field(default_factory=dict)
    moduli: int = 1


@dataclass(frozen=True, slots=True)
class Applicant:
    """For whom, and under which agreement, a request is judged. `organization` is empty where none is registered."""

    tsp_id: str
    terms: Terms
    organization: str = ""
    known: KnownKeys = field(default_factory=KnownKeys)


@dataclass(frozen=True, slots=True)
class Rule(Generic[_Judged]):
    """One rule: `check` yields a message and a hint for each way in which what is judged breaks it."""

    id: str
    citation: str
    level: Level
    check: Callable[[_Judged], Iterator[Said]]

    def findings(self, judged: _Judged, subject: str) -> list[Finding]:
        """Return what the rule says, the first ten ways and how many more; `subject` names where it was found."""
        found = [*self.check(judged)]
        if not found:
            return []
        if len(found) > _WAYS_MOST:
            found[_WAYS_MOST:] = [(f"{len(found) - _WAYS_MOST} more of this kind were found", found[0][1])]
        return [Finding(self.id, said, hint, self.citation, subject, self.level) for said, hint in found]


def shown(text: str, most: int = 80) -> str:
    """Return a stranger's text for a message: quoted, without what cannot be seen, and not too long."""
    return repr(text if len(text) <= most else f"{text[:most]}...")


def named(character: str) -> str:
    """Return the name of a character, for what looks like another or like nothing."""
    return f"U+{ord(character):04X} {unicodedata.name(character, 'a control character')}"
