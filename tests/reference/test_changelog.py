from datetime import date
from pathlib import Path

import pytest

from bothways.errors import Conflict, NotFound, Unusable
from bothways.reference.changelog import fragments, release

DAY = date(2026, 12, 1)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "changes").mkdir()
    (tmp_path / "changes" / "README.md").write_text("# How")
    return tmp_path


def write(root: Path, **said: str) -> None:
    for name, text in said.items():
        (root / "changes" / f"{name.replace('_', '.')}.md").write_text(text)


def test_fragments_become_a_section_by_kind_and_are_removed(root: Path) -> None:
    write(root, b_added="New\nthing.\n", a_added="First.", c_security="Safer.")
    release(root, "0.2.0", DAY)
    assert (root / "CHANGELOG.md").read_text() == (
        "# Changes\n\nWhat people notice, by release, the newest first.\n\n"
        "## 0.2.0 (2026-12-01)\n\n### Security\n\n- Safer.\n\n### Added\n\n- First.\n- New thing.\n"
    )
    assert [each.name for each in (root / "changes").iterdir()] == ["README.md"]


def test_the_newest_release_stands_first_and_none_twice(root: Path) -> None:
    write(root, a_fixed="One.")
    release(root, "0.2.0", DAY)
    write(root, b_fixed="Two.")
    with pytest.raises(Conflict, match=r"has 0\.2\.0 already"):
        release(root, "0.2.0", DAY)
    release(root, "0.3.0", DAY)
    log = (root / "CHANGELOG.md").read_text()
    assert log.index("## 0.3.0") < log.index("- Two.") < log.index("\n\n## 0.2.0") < log.index("- One.")
    assert log.count("# Changes\n") == 1


def test_what_cannot_be_told_is_refused_and_nothing_changes(root: Path) -> None:
    with pytest.raises(NotFound, match="nothing to tell"):
        release(root, "0.2.0", DAY)
    write(root, a_added="One.", b_news="Two.")
    with pytest.raises(Unusable, match=r"b\.news\.md is no fragment"):
        release(root, "0.2.0", DAY)
    with pytest.raises(Unusable, match="no version"):
        release(root, "next", DAY)
    assert not (root / "CHANGELOG.md").exists()
    assert (root / "changes" / "a.added.md").exists()


def test_the_projects_own_fragments_can_be_joined() -> None:
    assert fragments(ROOT / "changes")
