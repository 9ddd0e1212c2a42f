from pathlib import Path

from bothways.reference.write import link, made

DOCS = Path(__file__).parents[2] / "docs"


def test_every_page_that_is_made_of_the_code_says_what_the_code_says_now() -> None:
    """Where it does not: `make reference`."""
    assert [name for name, text in made(DOCS).items() if (DOCS / name).read_text(encoding="utf-8") != text] == []


def test_pages_are_linked_into_the_package_at_their_place(tmp_path: Path) -> None:
    docs, package = tmp_path / "docs", tmp_path / "src" / "bothways" / "manual" / "pages"
    (docs / "examples").mkdir(parents=True)
    (docs / "navigation.toml").write_text("")
    (docs / "new.md").write_text("# New")
    (docs / "examples" / "unit").write_text("[Unit]")
    link(docs, package)
    link(docs, package)
    assert (package / "new.md").read_text() == "# New"
    assert (package / "examples" / "unit").read_text() == "[Unit]"
    assert (package / "new.md").readlink() == Path("../../../../docs/new.md")
