"""One process keeps an Envoy, and the others read what it says for as long as it lives."""

import multiprocessing
import os
from pathlib import Path

import pytest

from bothways.dataplane.envoy_state import NOTHING, is_kept, only_one, state_of, tell_state
from bothways.errors import Conflict


def test_nothing_is_kept_where_nothing_ever_ran(tmp_path: Path) -> None:
    assert (is_kept(tmp_path), state_of(tmp_path)) == (False, NOTHING)


def test_what_is_told_is_read_while_the_lock_is_held_and_not_after(tmp_path: Path) -> None:
    with only_one(tmp_path):
        assert (is_kept(tmp_path), state_of(tmp_path)) == (True, NOTHING)
        tell_state(tmp_path, NOTHING | {"pid": 7})
        assert state_of(tmp_path)["pid"] == 7
    assert (is_kept(tmp_path), state_of(tmp_path)) == (False, NOTHING)
    # The next one starts with nothing of the one before.
    with only_one(tmp_path):
        assert state_of(tmp_path) == NOTHING


def test_a_second_one_is_refused(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(Conflict, match=r"kept running in .* already"), only_one(tmp_path):
        pytest.fail("two hold the lock")


def _hold_and_die(directory: Path) -> None:
    with only_one(directory):
        tell_state(directory, NOTHING | {"pid": 7})
        os._exit(9)


def test_one_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_hold_and_die, args=(tmp_path,))
    process.start()
    process.join(60)
    assert process.exitcode == 9
    assert state_of(tmp_path) == NOTHING
