import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from bothways.cli.spoke_check import duration
from bothways.errors import Unusable
from bothways.operations.hub import Hub
from bothways.spoke.directory import Spoke, init_spoke

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def spoke(hub: Hub, bothways: Run, issuer: str, tmp_path: Path) -> Spoke:
    contract = tmp_path / "contract.toml"
    contract.write_text(bothways("hub", "contract", "--directory", hub.directory).stdout)
    return init_spoke(tmp_path / "spoke", str(contract), issuer)


def test_what_is_wrong_is_said_with_cause_and_command_and_the_exit_code_tells_whose_matter_it_is(
    bothways: Run, spoke: Spoke
) -> None:
    done = bothways("spoke", "check", "--directory", spoke.directory)
    assert done.returncode == 3
    assert "ERROR CHECK-TCP-01\n" in done.stdout
    assert "  run    bothways spoke csr --country CC --state STATE" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(": 2 errors, 0 warnings")
    # Progress is for people, and goes where it is in no program's way.
    assert "FAIL  inbound" in done.stderr
    assert "\033" not in done.stderr


def test_with_json_there_is_one_document_on_stdout(bothways: Run, spoke: Spoke) -> None:
    document = json.loads(bothways("spoke", "check", "--directory", spoke.directory, "--json").stdout)
    assert document["outcome"] == "network"
    assert document.keys() == {"outcome", "hub", "server", "seconds", "judged_by", "checks", "findings", "probe"}
    wanted = {"id", "level", "message", "hint", "citation", "subject", "cause", "command", "link"}
    assert all(each.keys() == wanted for each in document["findings"])


def test_a_time_to_wait_is_read_or_refused(bothways: Run, spoke: Spoke) -> None:
    assert [duration(each) for each in ("90", "90s", "2m", "1h")] == [90, 90, 120, 3600]
    with pytest.raises(Unusable, match="like 90s, 2m or 1h"):
        duration("soon")
    assert bothways("spoke", "check", "--wait", "1d", "--directory", spoke.directory).returncode == 2
    assert bothways("spoke", "check", "--wait", "1s", "--directory", spoke.directory).returncode == 3


def test_an_envoy_that_is_named_has_to_be_there(bothways: Run, spoke: Spoke) -> None:
    done = bothways("spoke", "check", "--envoy", spoke.directory / "none", "--directory", spoke.directory)
    assert (done.returncode, "no Envoy binary was found" in done.stderr) == (2, True)


def test_without_the_extra_python_alone_judges_and_says_so(spoke: Spoke) -> None:
    code = "import sys; sys.modules['envoy'] = None; from bothways.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "spoke", "check", "--directory", str(spoke.directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 3
    assert "by Python's TLS alone: 2 errors, 0 warnings" in done.stdout.splitlines()[-1]
