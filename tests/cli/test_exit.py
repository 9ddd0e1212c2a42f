from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bothways.cli.exit import CODES, exit_code
from bothways.errors import (
    BothwaysError,
    Conflict,
    NotAuthenticated,
    NotAuthorized,
    NotFound,
    Proposed,
    Refused,
    Unreachable,
    Unusable,
)
from bothways.findings import Finding


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused((Finding("X-01", "wrong", "Mend it.", "R7"),)), 1),
        (Proposed("chain", 1, "ann", datetime(2026, 1, 1, tzinfo=UTC), ""), 0),
        (NotFound("there is none"), 2),
        (Conflict("there is one"), 2),
        (Unusable("the set-up is wrong"), 2),
        (Unreachable("nobody answers"), 3),
        (NotAuthenticated("no token was sent"), 4),
        (NotAuthorized("we are refused"), 4),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_error_has_the_code_that_was_agreed(error: BothwaysError, code: int) -> None:
    assert exit_code(error) == code


def test_a_more_special_error_has_the_code_of_its_kind() -> None:
    class Nameless(Unreachable):
        pass

    assert exit_code(Nameless("no such name")) == 3


def test_no_error_type_is_without_a_code_of_its_own() -> None:
    assert {kind for kind in _subclasses(BothwaysError) if kind.__module__.startswith("bothways.")} == set(CODES)


def _subclasses(kind: type[BothwaysError]) -> Iterator[type[BothwaysError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)
