from pathlib import Path

import pytest

from bothways.errors import Conflict
from bothways.manual.build import build
from bothways.manual.site import Site


def test_the_whole_site_is_written(tmp_path: Path) -> None:
    count = build(tmp_path / "site")
    written = {
        each.relative_to(tmp_path / "site").as_posix() for each in (tmp_path / "site").rglob("*") if each.is_file()
    }
    assert written == set(Site().paths())
    assert len(written) == count


def test_what_is_no_more_of_the_site_is_removed(tmp_path: Path) -> None:
    build(tmp_path / "site")
    (tmp_path / "site" / "old.html").write_text("old")
    build(tmp_path / "site")
    assert not (tmp_path / "site" / "old.html").exists()


def test_a_directory_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(Conflict, match="no site of ours"):
        build(tmp_path)
    assert (tmp_path / "letter.txt").read_text() == "dear"
