"""The pages of the documentation, as they lie in the package, in the order of `navigation.toml`. Read once."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from bothways.errors import NotFound

_FENCE = re.compile(r"^ *(```|~~~)")
_SENTENCE = re.compile(r"(?<=[.:?!])\s")
_LINK = re.compile(r"\[([^\]]+)\]\([^)\s]+\)")
INDEX = "index"
"""The page that leads to all others; the list of them is made of the navigation."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page in Markdown; `name` is its file's without `.md`, `section` the heading of the navigation above it."""

    name: str
    section: str
    markdown: str

    @property
    def title(self) -> str:
        """The heading of the page, as text."""
        return self.markdown.partition("\n")[0].removeprefix("# ").replace("`", "")

    @property
    def address(self) -> str:
        """Where the page is in the site, from the site's beginning."""
        return f"{self.name}.html"

    @property
    def twin(self) -> str:
        """Where its Markdown is: at its address, with `.md` behind it (llmstxt.org)."""
        return f"{self.address}.md"

    @property
    def summary(self) -> str:
        """The first sentence of the page, as text."""
        text = "\n".join(line for _, line in prose(self.markdown))
        paragraphs = [each.strip() for each in text.split("\n\n")[1:]]
        paragraphs = [each for each in paragraphs if each and not each.startswith(("#", "|", "-", "<", "!"))]
        first = _SENTENCE.split(" ".join(paragraphs[0].split()) if paragraphs else "", maxsplit=1)[0]
        return _LINK.sub(r"\1", first).rstrip(":")


class Section(NamedTuple):
    """A part of the navigation with its pages."""

    title: str
    about: str
    pages: tuple[Page, ...]


@cache
def sections() -> tuple[Section, ...]:
    """Return the navigation with its pages."""
    table = tomllib.loads(_read("navigation.toml"))["section"]
    return tuple(
        Section(
            part["title"],
            part["about"],
            tuple(Page(each, part["title"], _read(f"{each}.md")) for each in part["pages"]),
        )
        for part in table
    )


@cache
def pages() -> tuple[Page, ...]:
    """Return all pages in the order of the navigation, the index first."""
    listed = [each for section in sections() for each in section.pages]
    return Page(INDEX, "", f"{_read('index.md').rstrip()}\n\n{_contents()}"), *listed


def page(name: str) -> Page:
    """Return a page by its name, with or without `.md`. Raises `NotFound`."""
    wanted = name.removeprefix("docs/").removesuffix(".md")
    for each in pages():
        if each.name == wanted:
            return each
    raise NotFound(f"the documentation has no page {name!r}. Its pages: {', '.join(each.name for each in pages())}.")


@cache
def attachments() -> dict[str, bytes]:
    """Return what pages show or hand out besides text, by its path: drawings and examples."""
    place = files("bothways.manual").joinpath("pages")
    found = {each.name: each.read_bytes() for each in place.iterdir() if each.name.endswith(".svg")}
    examples = place.joinpath("examples")
    return found | {f"examples/{each.name}": each.read_bytes() for each in examples.iterdir()}


def prose(markdown: str) -> list[tuple[int, str]]:
    """Return the lines of a page outside its code, numbered from 0."""
    lines, fenced = [], False
    for number, line in enumerate(markdown.splitlines()):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            lines.append((number, line))
    return lines


def _contents() -> str:
    lines = []
    for section in sections():
        lines += [f"## {section.title}", "", section.about, ""]
        lines += [f"- [{each.title}]({each.name}.md): {each.summary}" for each in section.pages]
        lines.append("")
    return "\n".join(lines)


def _read(name: str) -> str:
    try:
        return files("bothways.manual").joinpath("pages", name).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"{name} is no page of the package. If it is new in docs/: make reference") from error
