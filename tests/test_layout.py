"""One test file per source file, at the same place: a newcomer who finds the one finds the other."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "bothways"
TESTS = ROOT / "tests"
EXEMPT = {"__init__.py", "__main__.py"}


def test_each_source_file_has_its_test_file() -> None:
    sources = {path.relative_to(SOURCE) for path in SOURCE.rglob("*.py") if path.name not in EXEMPT}
    missing = sorted(str(each) for each in sources if not (TESTS / each.parent / f"test_{each.name}").is_file())
    assert missing == []


def test_each_test_file_has_its_source_file() -> None:
    folders = [path for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"]
    stray = sorted(
        str(test.relative_to(TESTS))
        for folder in folders
        for test in (TESTS / folder.name).rglob("test_*.py")
        if not (SOURCE / test.relative_to(TESTS).parent / test.name.removeprefix("test_")).is_file()
    )
    assert stray == []


def test_no_source_file_is_longer_than_300_lines() -> None:
    long = [str(path) for path in SOURCE.rglob("*.py") if len(path.read_text().splitlines()) > 300]
    assert long == []
