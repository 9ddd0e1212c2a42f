"""Markdown to HTML, as the site shows it: anchors on headings and rows, links to its pages, tables that scroll.

The pages are the project's own, so that HTML in them stays as it is.
"""

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import escape

from bothways.manual.passages import anchor, numbered
from bothways.texts.catalogue import worded

_PAGE = re.compile(r"^([a-z0-9-]+)\.md(#.*)?$")
_PAGES_IN_MARKDOWN = re.compile(r"(\]\([a-z0-9-]+)\.md(#[^)\s]*)?\)")


def html(markdown: str) -> str:
    """Return the page as HTML, without what stands around it on the site."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(markdown)
    _name(tokens)
    for token in tokens:
        for child in token.children or []:
            if child.type == "link_open":
                child.attrs["href"] = _PAGE.sub(r"\1.html\2", str(child.attrs["href"]))
    rendered: str = parser.renderer.render(tokens, parser.options, {})
    label = escape(worded("Table"))
    rendered = rendered.replace(
        "<table>", f'<div class="scroll" tabindex="0" role="group" aria-label="{label}"><table>'
    )
    # The corner of a table heads nothing.
    rendered = rendered.replace("<th></th>", "<td></td>")
    return rendered.replace("</table>", "</table></div>").replace("<pre>", '<pre tabindex="0">')


def twin(markdown: str) -> str:
    """Return the page as the site serves it in Markdown: its links lead to the Markdown of the other pages."""
    return _PAGES_IN_MARKDOWN.sub(lambda match: f"{match[1]}.html.md{match[2] or ''})", markdown)


def _name(tokens: Sequence[Token]) -> None:
    """Give each heading its anchor, and each row that is about an id or a name."""
    taken: dict[str, int] = {}
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", numbered(anchor(tokens[place + 1].content), taken))
        if token.type == "tr_open" and tokens[place + 1].type == "td_open":
            cell: list[Any] = [each for each in tokens[place + 2].children or [] if each.type != "html_inline"]
            if cell and cell[0].type == "code_inline" and not cell[0].content.startswith("-"):
                # An anchor in the text itself has the same name, and is the older one.
                written = any(
                    each.type == "html_inline" and "id=" in each.content for each in tokens[place + 2].children or []
                )
                name = numbered(anchor(cell[0].content), taken)
                if not written:
                    token.attrSet("id", name)
