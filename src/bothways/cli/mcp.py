"""`bothways mcp`: what an assistant may ask here, over MCP on stdin and stdout."""

from bothways.cli.exit import OK
from bothways.cli.output import HERE
from bothways.cli.spoke import Directory


def mcp(*, directory: Directory = HERE) -> int:
    """Serve an assistant over MCP on stdin and stdout, read-only: it is started by the assistant's own program.

    It can search the documentation, read a page of it, read the contract of the spoke in the directory, run
    `spoke check` there, and explain findings. It can neither change nor issue anything, and reads no other directory.
    """
    # The SDK is an extra; what this command is can be told without it.
    from bothways.cli.mcp_tools import server  # noqa: PLC0415

    server(directory).run("stdio")
    return OK
