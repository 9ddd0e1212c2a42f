import sys

import pytest
from tests.cli.conftest import Run


def test_the_help_says_what_an_assistant_can_do_also_without_the_sdk(bothways: Run) -> None:
    said = " ".join(bothways("mcp", "--help").stdout.split())
    assert "It can neither change nor issue anything" in said


def test_without_the_sdk_the_command_says_what_to_install(bothways: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # Python's own way to say that a module is not to be had; what stands on it may have been imported before.
    for name in ("mcp", *(each for each in sys.modules if each.startswith("mcp."))):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "bothways.cli.mcp_tools", raising=False)
    done = bothways("mcp")
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'bothways[mcp]'" in done.stderr
