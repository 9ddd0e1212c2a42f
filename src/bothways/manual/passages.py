"""A page cut into passages that can be found and linked to: its sections, and the rows of its reference tables. Pure.

The anchors are those that GitHub gives headings; a row whose first cell is an id or a name has it as its anchor, and so
has one that begins with an anchor of its own, as the words of the glossary do.
"""

import re
from dataclasses import dataclass

from bothways.manual.library import Page, prose

_HEADING = re.compile(r"^(#{1,6}) (.+)$")
_ROW = re.compile(r"^\| (?:<a id=\"[^\"]+\"></a>)?`([^`-][^`]*)`(.*)\|\s*$")
_WORD = re.compile(r"^\| <a id=\"[^\"]+\"></a>([^`|]+?) \| ")
_DROPPED = re.compile(r"[^\w\- ]")
_LINK = re.compile(r"\[([^\]]+)\]\([^)\s]+\)")
_MARKUP = re.compile(r"</?[a-z][^>]*>|[`*]")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a page under one heading; `text` is its Markdown, `anchor` is empty at the page's beginning.

    `is_row` tells a row of a table, whose heading is the id or the name that it is about.
    """

    page: str
    title: str
    heading: str
    anchor: str
    text: str
    is_row: bool = False

    @property
    def source(self) -> str:
        """Where it stands in the sources of the documentation."""
        return f"docs/{self.page}.md" + (f"#{self.anchor}" if self.anchor else "")

    @property
    def address(self) -> str:
        """Where it stands in the site."""
        return f"{self.page}.html" + (f"#{self.anchor}" if self.anchor else "")


def anchor(heading: str) -> str:
    """Return the anchor of a heading or of a row's name."""
    return _DROPPED.sub("", plain(heading).lower()).replace(" ", "-")


def numbered(name: str, taken: dict[str, int]) -> str:
    """Return an anchor that the page does not have yet, and take note of it: the second `x` is `x-1`."""
    count = taken[name] = taken.get(name, -1) + 1
    return f"{name}-{count}" if count else name


def plain(markdown: str) -> str:
    """Return a line without its marks: what a reader sees."""
    return _MARKUP.sub("", _LINK.sub(r"\1", markdown))


def row_name(line: str) -> str | None:
    """Return the name that a row of a table is about, if its first cell is one."""
    match = _ROW.match(line) or _WORD.match(line)
    return match[1] if match else None


def passages(page: Page) -> tuple[Passage, ...]:
    """Return the passages of a page in their order. What has no text of its own, is none."""
    lines = page.markdown.splitlines()
    outside = {number for number, _ in prose(page.markdown)}
    taken: dict[str, int] = {}
    found: list[Passage] = []
    heading, place, text, rows = page.title, "", list[str](), list[Passage]()

    def finish() -> None:
        if any(each.strip() and not each.startswith("|") for each in text) or (text and not rows):
            body = "\n".join(text).strip()
            if body:
                found.append(Passage(page.name, page.title, heading, place, body))
        found.extend(rows)
        text.clear()
        rows.clear()

    for number, line in enumerate(lines):
        match = _HEADING.match(line) if number in outside else None
        if match:
            finish()
            first = match[1] == "#"
            name = numbered(anchor(match[2]), taken)
            heading, place = plain(match[2]), "" if first else name
        elif number in outside and (named := row_name(line)):
            cells = " · ".join(each.strip() for each in line.strip("| ").split(" | ")[1:] if each.strip())
            rows.append(Passage(page.name, page.title, named, numbered(anchor(named), taken), cells, is_row=True))
        else:
            text.append(line)
    finish()
    return tuple(found)
