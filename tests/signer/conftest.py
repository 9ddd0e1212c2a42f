"""The umask of this process, put back when the test ends."""

import os
from collections.abc import Callable, Iterator

import pytest


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)
