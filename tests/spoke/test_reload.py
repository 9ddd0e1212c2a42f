from pathlib import Path

import pytest

from bothways.errors import Unusable
from bothways.spoke.events import FilesRefused, FilesUsed
from bothways.spoke.reload import Reloading


def test_it_is_made_again_when_a_file_changes_and_only_then(tmp_path: Path) -> None:
    path = tmp_path / "a"
    told: list[object] = []
    path.write_text("first")

    def read() -> str:
        text = path.read_text()
        if text == "bad":
            raise Unusable("it is bad.")
        return text

    reloading = Reloading((path, tmp_path / "absent"), read, read, told.append)
    assert reloading.now() == reloading.now() == "first"
    assert told == []
    path.write_text("second")
    assert reloading.now() == "second"
    path.write_text("bad")
    assert (reloading.now(), reloading.now()) == ("second", "second")
    path.write_text("and good again")
    assert reloading.now() == "and good again"
    assert told == [FilesUsed(), FilesRefused("it is bad."), FilesUsed()]
    assert reloading.version == 2


def test_whoever_notices_a_change_gets_the_version_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("first")
    reloading = Reloading((path,), path.read_text, path.read_text, lambda _: None)
    assert reloading.latest() == ("first", 0)
    path.write_text("second")
    assert reloading.latest() == ("second", 1)


def test_what_is_bad_from_the_start_is_refused() -> None:
    def bad() -> str:
        raise Unusable("it is bad.")

    with pytest.raises(Unusable):
        Reloading((Path("a\0b"),), bad, bad, print)
