"""Children end with their parent, however it ends."""

import os
import signal
import subprocess
import sys

import pytest

from bothways.dataplane.child import ending_with

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is Linux")

# Says its own child's process id, and waits; the child holds the same pipe open.
PARENT = """
import os, subprocess, sys
from bothways.dataplane.child import ending_with
child = subprocess.Popen(ending_with(os.getpid(), ["/bin/sh", "-c", "echo $$; exec sleep 600"]))
child.wait()
"""


def test_the_command_runs_as_the_process_that_was_started() -> None:
    command = ending_with(os.getpid(), ["/bin/sh", "-c", "echo $$ $1; exit 7", "sh", "a b"])
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read() == f"{process.pid} a b\n".encode()
    assert process.returncode == 7


def test_a_child_ends_when_its_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert child != parent.pid
        os.kill(child, 0)
        parent.send_signal(signal.SIGKILL)
        # The end of the pipe comes when the last process that holds it has ended.
        assert parent.stdout.read() == b""


def test_nothing_is_run_when_the_parent_is_gone_already() -> None:
    done = subprocess.run(ending_with(os.getpid() + 1, ["/bin/echo", "ran"]), stdout=subprocess.PIPE, check=True)
    assert done.stdout == b""
