"""How dear it is to try a passphrase or a password: in tests that are about something else, hardly at all.

What is lowered are constants of the code, which no setting, option or variable reaches. Their own tests take
`full_work`, and what the system starts as a process of its own, like the demo and the tutorials, works at full cost.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from argon2 import PasswordHasher

from bothways.operations import accounts, enrolment
from bothways.signer import sealed, sealed_file

_SCRYPT: tuple[Any, ...] = (sealed, sealed_file, enrolment)
_FULL = [(each, each._WORK) for each in _SCRYPT]
_FULL_HASHER, _FULL_NOBODY = accounts._hasher, accounts._NOBODY
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def lower() -> None:
    """Take the least that scrypt and argon2 can be asked for; whoever calls it does so before anything is derived."""
    for each in _SCRYPT:
        each._WORK = 2
    accounts._hasher = _CHEAP
    accounts._NOBODY = re.sub(r"m=\d+,t=\d+,p=\d+", "m=8,t=1,p=1", _FULL_NOBODY)


@contextmanager
def at_full_cost() -> Iterator[None]:
    """Work as the product does, until the block ends."""
    for module, work in _FULL:
        module._WORK = work
    accounts._hasher, accounts._NOBODY = _FULL_HASHER, _FULL_NOBODY
    try:
        yield
    finally:
        lower()
