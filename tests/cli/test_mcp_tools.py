"""A real client of the protocol, to the command as an assistant's program starts it."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import mcp
from mcp.client import stdio
from tests.cli.conftest import Run

from bothways.contract.render import render_contract
from bothways.operations.hub import Hub, contract


def served(directory: Path, ask: Callable[[Any], Awaitable[Any]]) -> Any:
    async def session() -> Any:
        command = ["-m", "bothways", "mcp", "--directory", str(directory)]
        started = mcp.StdioServerParameters(command=sys.executable, args=command, env=dict(os.environ))
        async with stdio.stdio_client(started) as (reading, writing), mcp.ClientSession(reading, writing) as client:
            await client.initialize()
            return await ask(client)

    return asyncio.run(session())


def text(answer: Any) -> str:
    return "\n".join(each.text for each in answer.content)


def test_every_tool_only_reads(tmp_path: Path) -> None:
    async def ask(client: Any) -> Any:
        return (await client.list_tools()).tools

    tools = served(tmp_path, ask)
    assert sorted(each.name for each in tools) == [
        "explain_finding",
        "read_contract",
        "read_page",
        "run_spoke_check",
        "search_documentation",
    ]
    assert all(each.annotations.read_only_hint and not each.annotations.destructive_hint for each in tools)


def test_the_documentation_is_searched_and_read_and_findings_are_explained(tmp_path: Path) -> None:
    async def ask(client: Any) -> Any:
        return (
            await client.call_tool("search_documentation", {"question": "how do I renew my certificate"}),
            await client.call_tool("read_page", {"name": "docs/glossary.md"}),
            await client.call_tool("explain_finding", {"id": "csr-key-01"}),
            await client.call_tool("explain_finding", {"id": "CSR-KEY-99"}),
        )

    found, page, explained, unknown = served(tmp_path, ask)
    assert "docs/renewal.md" in text(found)
    assert text(page).startswith("# Glossary")
    assert "make a new key" in json.loads(text(explained))["explained"][0]["text"]
    assert unknown.is_error
    assert "no finding has the id 'CSR-KEY-99'" in text(unknown)


def test_the_contract_of_the_spoke_is_read_and_the_check_runs(hub: Hub, bothways: Run, tmp_path: Path) -> None:
    (tmp_path / "contract.toml").write_text(render_contract(contract(hub)))
    spoke = tmp_path / "bank"
    bothways("spoke", "init", "--contract", tmp_path / "contract.toml", "--customer", "12345678", "--directory", spoke)

    async def ask(client: Any) -> Any:
        return await client.call_tool("read_contract", {}), await client.call_tool("run_spoke_check", {})

    agreed, report = served(spoke, ask)
    assert hub.terms.endpoint in text(agreed)
    assert "SPOKE-MISSING" in text(report)


def test_without_a_spoke_only_what_needs_one_is_refused(tmp_path: Path) -> None:
    async def ask(client: Any) -> Any:
        return await client.call_tool("read_contract", {})

    answer = served(tmp_path, ask)
    assert answer.is_error
    assert "bothways spoke init" in text(answer)
