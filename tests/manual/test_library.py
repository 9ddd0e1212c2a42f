import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bothways.errors import NotFound
from bothways.manual import library
from bothways.manual.library import Page

DOCS = Path(__file__).parents[2] / "docs"


def test_each_page_that_is_written_stands_once_in_the_navigation() -> None:
    listed = [each.name for each in library.pages()]
    assert sorted(listed) == sorted(each.stem for each in DOCS.glob("*.md"))


def test_each_page_drawing_and_example_is_in_the_package() -> None:
    """A new one comes into it by `make reference`."""
    package = DOCS.parent / "src" / "bothways" / "manual" / "pages"
    written = {each.relative_to(DOCS) for each in DOCS.rglob("*") if each.is_file()}
    packed = {each.relative_to(package) for each in package.rglob("*") if each.is_file()}
    assert written == packed
    assert all((package / each).resolve() == (DOCS / each).resolve() for each in written)


def test_the_index_leads_to_every_page() -> None:
    index = library.pages()[0].markdown
    assert [each.name for each in library.pages()[1:] if f"]({each.name}.md)" not in index] == []


def test_every_page_has_a_title_and_says_in_a_sentence_what_it_is_about() -> None:
    assert [each.name for each in library.pages() if not each.title or len(each.summary) < 15] == []


def test_the_summary_is_the_first_sentence_without_marks_and_not_code() -> None:
    page = Page("x", "", "# `spoke x`: it\n\n```sh\nls\n\ncat\n```\n\nLooks at [the hub](hub.md). Then more.\n")
    assert (page.title, page.summary, page.twin) == ("spoke x: it", "Looks at the hub.", "x.html.md")


@pytest.mark.parametrize("name", ["check", "check.md", "docs/check.md"])
def test_a_page_is_found_however_it_is_named(name: str) -> None:
    assert library.page(name).name == "check"


def test_a_page_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(NotFound, match=r"no page 'nothing'. Its pages: index, tutorial-operator"):
        library.page("nothing")


def test_a_page_without_its_link_in_the_package_is_told_with_what_mends_it() -> None:
    with pytest.raises(NotFound, match=r"new-page.md is no page of the package. If it is new in docs/: make reference"):
        library._read("new-page.md")


def test_prose_is_what_stands_outside_of_code() -> None:
    assert library.prose("a\n```\n# b\n```\nc") == [(0, "a"), (4, "c")]


def test_the_wheel_brings_every_page_so_that_a_customer_reads_them_offline(tmp_path: Path) -> None:
    """Its builder follows links to files, and not to folders: that is why each page has a link of its own."""
    program = "import sys, pathlib, flit_core.wheel as w; w.make_wheel_in(*map(pathlib.Path, sys.argv[1:]))"
    command = [sys.executable, "-c", program, "pyproject.toml", str(tmp_path)]
    subprocess.run(command, cwd=DOCS.parent, check=True, capture_output=True, timeout=60)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = {name: wheel.read(name) for name in wheel.namelist() if name.startswith("bothways/manual/pages/")}
    files = [each for each in DOCS.rglob("*") if each.is_file()]
    assert packed == {f"bothways/manual/pages/{each.relative_to(DOCS)}": each.read_bytes() for each in files}
