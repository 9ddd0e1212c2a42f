import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.programs import needs

ROOT = Path(__file__).parent.parent.parent


def paste(line: str) -> "subprocess.CompletedProcess[str]":
    """Run a line as somebody does who pastes it into a shell in the project's directory."""
    # The virtual environment may have another name than the line says.
    command = line.replace(".venv/bin/bothways", f"{sys.executable} -m bothways")
    return subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.soak
@pytest.mark.envoy
@pytest.mark.timeout(300)
@needs("curl")
def test_the_demo_stays_up_and_every_line_of_its_tour_works_as_printed(
    short_directory: Path, left_behind: Callable[[], list[object]]
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "bothways", "demo"],
        env=os.environ | {"TMPDIR": str(short_directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        try:
            lines = [process.stderr.readline()]
            # The operator's lines of PRD are the last of the tour.
            while "prd/hub" not in lines[-1] or "customer show" not in lines[-1]:
                assert lines[-1], process.stdout.read()
                lines.append(process.stderr.readline())
            done = [paste(each) for each in lines if each.startswith("    ")]
        finally:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert len(done) == 14
    for first in (0, 7):
        connectivity, service, stranger, callback, handshake, status, customer = done[first : first + 7]
        assert '"state":"established"' in connectivity.stdout.replace(" ", "")
        assert '"path": "/tokens/hello"' in service.stdout
        assert stranger.returncode != 0
        assert '"received": true' in callback.stdout
        assert "Verification: OK" in handshake.stdout + handshake.stderr
        assert "1 of 1 Envoy up to date" in status.stdout
        assert "inbound: established" in customer.stdout
    assert process.returncode == 0
    assert "steps were seen, in" in out
    assert "FAILED" not in out
    assert "\033" not in out
    assert "Ending everything that was started" in err
    assert left_behind() == []
