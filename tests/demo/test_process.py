import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bothways.demo.process import BothwaysProcess
from bothways.operations.hub import Hub


@pytest.fixture
def process(hub: Hub, tmp_path: Path) -> Iterator[BothwaysProcess]:
    """A hub that runs, and is not ready yet."""
    started = BothwaysProcess(["hub", "run", "--directory", str(hub.directory)], tmp_path / "log")
    yield started
    started.stop()


@pytest.mark.envoy
def test_each_line_it_says_is_handed_over_until_it_is_stopped(process: BothwaysProcess, hub: Hub) -> None:
    assert process.next_line(60)["environment"] == "PPR"
    running = [process.running]
    assert (Path("/proc") / str(process.pid) / "cmdline").read_bytes().count(str(hub.directory).encode()) == 1
    process.stop()
    assert [*running, process.running] == [True, False]
    with pytest.raises(RuntimeError, match="the process ended with 0"):
        process.next_line(1)


@pytest.mark.envoy
def test_a_process_that_says_nothing_in_time_is_told_with_its_last_words(process: BothwaysProcess) -> None:
    with pytest.raises(RuntimeError, match="nothing was said within 0 s"):
        process.next_line(0.01)


@pytest.mark.parametrize("more", [["--nonsense"], []])
def test_a_process_that_ends_is_told_with_code_and_last_words(tmp_path: Path, more: list[str]) -> None:
    process = BothwaysProcess(["hub", "status", "--directory", str(tmp_path), *more], tmp_path / "log")
    with pytest.raises(RuntimeError, match="the process ended with 2"):
        process.next_line(60)
    assert process.last_words() == (tmp_path / "log").read_text().strip().splitlines()[-1]
    process.stop()


def test_a_process_that_does_not_heed_is_killed(process: BothwaysProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bothways.demo.process._STOP_TIMEOUT", 0.1)
    os.kill(process.pid, signal.SIGSTOP)
    process.stop()
    assert not process.running


def test_it_ends_with_the_process_that_started_it_even_if_that_is_killed(hub: Hub, tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from bothways.demo.process import BothwaysProcess
print(BothwaysProcess(["hub", "run", "--directory", sys.argv[1]], Path(sys.argv[2])).pid, flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", script, str(hub.directory), str(tmp_path / "log")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        descriptor = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    try:
        assert select.select([descriptor], [], [], 30)[0]
    finally:
        os.close(descriptor)
