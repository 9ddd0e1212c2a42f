"""`bothways ask`: answers out of the documentation, without a network."""

import textwrap
from typing import Annotated

from cyclopts import Parameter

from bothways.cli.exit import FAILED, OK
from bothways.cli.output import Json, result, tell
from bothways.errors import Unusable
from bothways.manual import library
from bothways.manual.search import Answer, excerpt, index

_WIDTH = 100
_ANSWERS_MOST = 50


def ask(
    *question: Annotated[str, Parameter(help="What you want to know, in words; or the id of a finding.")],
    answers: Annotated[int, Parameter(help="How many passages to print, 1 to 50.")] = 5,
    page: Annotated[
        str, Parameter(help="Print this page of the documentation whole, in Markdown, and nothing else.")
    ] = "",
    json: Json = False,
) -> int:
    """Answer a question with the passages of the documentation that tell most about it, and where they stand.

    It searches the pages that came with this version, on this machine: nothing leaves it. `--page` prints a page whole,
    by the name that an answer shows before the `#`.

    Exits with 1 if no page has a word of the question.
    """
    if page:
        found = library.page(page.partition("#")[0])
        result({"page": found.name, "markdown": found.markdown}, found.markdown.rstrip(), as_json=json)
        return OK
    asked = " ".join(question)
    if not asked.strip() or not 1 <= answers <= _ANSWERS_MOST:
        raise Unusable(f'ask something, and for 1 to {_ANSWERS_MOST} answers: bothways ask "why is my CSR refused"')
    best = index().ask(asked, answers)
    result([answer_document(each) for each in best], "\n\n".join(_text(each) for each in best), as_json=json)
    if not best:
        tell(f"No page has a word of {asked!r}. Try other words, or read from the beginning: bothways ask --page index")
        return FAILED
    tell(f"Next: bothways ask --page {best[0].passage.page}")
    return OK


def answer_document(answer: Answer) -> dict[str, object]:
    """Return an answer as the JSON object that programs read."""
    each = answer.passage
    return {
        "page": each.title,
        "heading": each.heading,
        "source": each.source,
        "score": answer.score,
        "text": each.text,
    }


def _text(answer: Answer) -> str:
    each = answer.passage
    head = each.title if each.heading == each.title else f"{each.title}: {each.heading}"
    said = textwrap.indent(textwrap.fill(excerpt(each.text, 400), _WIDTH, break_long_words=False), "  ")
    return f"{head}\n{said}\n  {each.source}"
