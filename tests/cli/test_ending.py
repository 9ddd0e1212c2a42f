"""A command that stays ends when it is told to, at whatever line of its wait the signal finds it."""

import subprocess
import sys

import pytest

PROGRAM = """
import signal, sys
from bothways.cli.ending import told_to_end

line, number = int(sys.argv[1]), int(sys.argv[2])
passed = 0

def traced(frame, event, argument):
    global passed
    if event == "line":
        passed += 1
        if passed == line:
            signal.raise_signal(number)
    return traced

with told_to_end() as waited:
    sys.settrace(traced)
    first = waited(0.01)
    sys.settrace(None)
    if passed < line:
        sys.exit("the wait has no such line")
    sys.exit(0 if first or waited(0) else "nothing was heard")
"""


@pytest.mark.parametrize("number", [15, 2], ids=["SIGTERM", "SIGINT"])
def test_a_signal_at_any_line_of_the_wait_ends_it(number: int) -> None:
    said: list[str] = []
    while not said or "no such line" not in said[-1]:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(len(said) + 1), str(number)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said.append(done.stderr)
    assert len(said) > 1
    assert set(said[:-1]) == {""}
