import importlib.util

import pytest
from tests.cli.conftest import Run


def test_the_help_says_what_an_assistant_can_do_also_without_the_sdk(bothways: Run) -> None:
    said = " ".join(bothways("mcp", "--help").stdout.split())
    assert "It can neither change nor issue anything" in said


def test_without_the_sdk_the_command_says_what_to_install(bothways: Run) -> None:
    if importlib.util.find_spec("mcp") is not None:
        pytest.skip("the extra [mcp] is installed")
    done = bothways("mcp")
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'bothways[mcp]'" in done.stderr
