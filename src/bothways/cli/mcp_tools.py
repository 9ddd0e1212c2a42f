"""The tools of `bothways mcp`. They read and look; none changes anything, takes a path, or runs a command."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from bothways import __version__
from bothways.cli.ask import answer_document
from bothways.cli.spoke_check import envoy_of
from bothways.contract.render import render_contract
from bothways.errors import BothwaysError, NotFound
from bothways.manual import library
from bothways.manual.search import index
from bothways.spoke.check.advice import CAUSES, advice, link
from bothways.spoke.check.run import check
from bothways.spoke.directory import open_spoke

_ANSWERS_MOST = 20
_INSTRUCTIONS = (
    "Bothways is mutual-TLS connectivity between a hub and its customers. Search the documentation before you answer, "
    "and name the pages that you used. When something fails, run the check, and explain each finding by its id. "
    "Nothing here changes anything: commands that do are for the person to run."
)
_READS: dict[str, Any] = {"read_only_hint": True, "destructive_hint": False, "idempotent_hint": True}
_HERE_ONLY = ToolAnnotations(**_READS, open_world_hint=False)
_NETWORK_TOO = ToolAnnotations(**_READS, open_world_hint=True)


def server(directory: Path) -> MCPServer:
    """Return the server for the spoke in `directory`, if there is one: the documentation needs none."""

    def search_documentation(question: str, answers: int = 5) -> list[dict[str, Any]]:
        """Find the passages of the documentation that answer a question, the best first, each with where it stands."""
        return [answer_document(each) for each in index().ask(question, max(1, min(answers, _ANSWERS_MOST)))]

    def read_page(name: str) -> str:
        """Return a page of the documentation in Markdown, by its name; `index` leads to all others."""
        with _told():
            return library.page(name.partition("#")[0]).markdown

    def read_contract() -> str:
        """Return the contract between the hub and this customer as TOML: environment, names, key rules, CAs."""
        with _told():
            return render_contract(open_spoke(directory).contract)

    async def run_spoke_check() -> dict[str, Any]:
        """Look at everything between this customer and the hub, both ways, as `bothways spoke check` does."""
        with _told():
            # The check has an event loop of its own.
            report = await asyncio.to_thread(check, open_spoke(directory), lambda _: None, envoy=envoy_of())
        return report.document()

    def explain_finding(id: str) -> dict[str, Any]:  # noqa: A002 - as findings and people call it
        """Return what is behind a finding, by its id like CSR-KEY-01, and what mends it."""
        with _told():
            return _explained(id.strip().upper())

    made = MCPServer("bothways", version=__version__, instructions=_INSTRUCTIONS, log_level="WARNING")
    for each in (search_documentation, read_page, read_contract, explain_finding):
        made.add_tool(each, annotations=_HERE_ONLY)
    made.add_tool(run_spoke_check, annotations=_NETWORK_TOO)
    return made


def _explained(id: str) -> dict[str, Any]:  # noqa: A002 - as above
    rows = [answer_document(each) for each in index().ask(id, 3) if each.passage.heading == id]
    if not rows and id not in CAUSES:
        raise NotFound(f"no finding has the id {id!r}. Take it from the output as it stands there.")
    told = advice(id)
    return {"id": id, "explained": rows, "cause": told.cause, "command": told.command, "link": link(id)}


@contextmanager
def _told() -> Iterator[None]:
    """Let the assistant read what went wrong, as a person would."""
    try:
        yield
    except BothwaysError as error:
        raise ToolError(str(error)) from error
