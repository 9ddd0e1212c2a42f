"""The site: each page as HTML and as Markdown, `llms.txt`, the search and what pages show. By one builder for all.

`files` are those of the static site, which works from a disk too; a hub serves the same, with its own names filled in.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from jinja2 import Environment

from bothways.errors import NotFound
from bothways.manual import library
from bothways.manual.filling import Names
from bothways.manual.library import INDEX, Page
from bothways.manual.render import html, twin
from bothways.manual.search import Answer, excerpt, index
from bothways.texts.catalogue import worded, worded_templates

SEARCH = "search.html"
TYPES = {
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
"""Media types by the end of a file's name; what is not here is plain text."""


@cache
def _environment() -> Environment:
    return worded_templates("bothways.manual")


@dataclass(frozen=True, slots=True)
class Site:
    """The site for readers who know the hub by `names`; `environment` is that of the hub that serves it, if any."""

    names: Names = field(default_factory=Names)
    environment: str = ""

    def paths(self) -> Iterator[str]:
        """Yield where everything is, from the site's beginning."""
        for page in library.pages():
            yield page.address
            yield page.twin
        yield from (SEARCH, "llms.txt", "llms-full.txt", "search.js")
        yield from _static()
        yield from library.attachments()

    def content(self, path: str) -> bytes:
        """Return what is at a path. Raises `NotFound`."""
        made: dict[str, Callable[[], str]] = {
            "llms.txt": self._llms,
            "llms-full.txt": self._llms_full,
            "search.js": _search_script,
        }
        pages = {each.address: each for each in library.pages()}
        twins = {each.twin: each for each in library.pages()}
        if path in pages:
            return self._page(pages[path]).encode()
        if path in twins:
            return twin(self.names.fill(twins[path].markdown)).encode()
        if path in made:
            return made[path]().encode()
        if path == SEARCH:
            return self.found("").encode()
        if (found := (_static() | library.attachments()).get(path)) is not None:
            return found
        raise NotFound(f"the documentation has no {path!r}. Begin at index.html, or look for it: search.html.")

    def found(self, question: str) -> str:
        """Return the page of the search; with a question it has the answers, without scripts too."""
        answers = [(each.passage, self._said(each)) for each in index().ask(question, 10)] if question else []
        return self._render("search.html", question=question, answers=answers, title=worded("Ask"), page=None)

    def _said(self, answer: Answer) -> str:
        return self.names.fill(excerpt(answer.passage.text))

    def _page(self, page: Page) -> str:
        listed = library.pages()[1:]
        place = listed.index(page) if page in listed else -1
        return self._render(
            "page.html",
            page=page,
            title=page.title,
            body=html(self.names.fill(page.markdown)),
            before=listed[place - 1] if place > 0 else None,
            after=listed[place + 1] if place + 1 < len(listed) else None,
        )

    def _render(self, template: str, **values: object) -> str:
        known = {"sections": library.sections(), "environment": self.environment, "names": self.names, "index": INDEX}
        return _environment().get_template(template).render(known | values)

    def _llms(self) -> str:
        asked = worded(
            "Each page below is Markdown; without `.md` at the end of its address it is HTML. All pages in one file: "
            '[llms-full.txt](llms-full.txt). Without a network: `bothways ask "QUESTION"`; for assistants: '
            "`bothways mcp`."
        )
        lines = [_about(), "", asked]
        for section in library.sections():
            lines += ["", f"## {section.title}", ""]
            lines += [f"- [{each.title}]({each.twin}): {self.names.fill(each.summary)}" for each in section.pages]
        return "\n".join(lines) + "\n"

    def _llms_full(self) -> str:
        parts = [f"{_about()}\n"]
        parts += [
            f"<!-- {each.twin} -->\n\n{twin(self.names.fill(each.markdown)).strip()}\n" for each in library.pages()
        ]
        return "\n".join(parts)


def _about() -> str:
    about = worded(
        "Mutual-TLS connectivity between a hub and its customers, both ways: certification requests, endorsement of "
        "server chains, probes, rotation and revocation, on Envoy."
    )
    return f"# Bothways\n\n> {about}"


def media_type(path: str) -> str:
    """Return the media type of what is at a path."""
    return TYPES.get(path.rpartition(".")[2], TYPES["txt"])


@cache
def _static() -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in files("bothways.manual").joinpath("static").iterdir()}


@cache
def _search_script() -> str:
    return f"window.bothwaysIndex = {json.dumps(index().document(), separators=(',', ':'))};\n"
