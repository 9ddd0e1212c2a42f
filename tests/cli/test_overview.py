import subprocess
import sys

import pytest

from bothways.cli.application import app
from bothways.cli.overview import overview


def test_the_overview_names_every_command_of_the_tree_and_no_other() -> None:
    named = [line.split()[0] for line in overview(100).splitlines() if line.startswith("  ") and line[2] not in " -"]
    assert named == sorted(name for name in app if not name.startswith("-"))


@pytest.mark.parametrize("columns", [0, 60, 80, 1000])
def test_it_fits_the_terminal(columns: int) -> None:
    lines = overview(columns).splitlines()
    assert max(map(len, lines)) <= min(max(columns, 60), 100)
    assert lines[0] == "Usage: bothways COMMAND"


@pytest.mark.parametrize("asked", [[], ["--help"], ["-h"]])
def test_it_imports_nothing_of_what_commands_need(asked: list[str]) -> None:
    argv = [sys.executable, "-X", "importtime", "-m", "bothways", *asked]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert imported & {"cyclopts", "rich", "cryptography", "httpx2", "dns"} == set()
    assert done.stdout.startswith("Usage: bothways COMMAND\n")
