from pathlib import Path

import pytest

from bothways.errors import Conflict, Unusable
from bothways.operations.new_directory import new_directory


def test_it_appears_when_it_is_filled_and_not_before(short: Path) -> None:
    place = short / "deep" / "hub"
    with new_directory(place) as draft:
        (draft / "hub.toml").touch()
        assert not place.exists()
    assert [each.name for each in place.iterdir()] == ["hub.toml"]
    assert [*place.parent.iterdir()] == [place]


def test_of_one_that_fails_nothing_is_left(short: Path) -> None:
    with pytest.raises(LookupError), new_directory(short / "hub"):
        raise LookupError
    assert [*short.iterdir()] == []


def test_where_something_is_and_where_sockets_have_no_room_is_refused(short: Path) -> None:
    (short / "hub").mkdir()
    (short / "hub" / "file").touch()
    with pytest.raises(Conflict, match="is not empty"), new_directory(short / "hub"):
        pass
    with pytest.raises(Unusable, match="too long for unix sockets"), new_directory(short / ("n" * 100)):
        pass
