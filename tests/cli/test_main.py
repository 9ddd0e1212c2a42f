import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from bothways import __version__
from bothways.cli.opening import actor
from bothways.demo.customer_ca import make_server_files
from bothways.operations.chains import endorse_chain
from bothways.operations.endpoints import approve_endpoint
from bothways.operations.hub import Hub, open_hub
from bothways.operations.requests import approve_request

Run = Callable[..., "CompletedProcess[str]"]


def command_line(*arguments: str, **more: Any) -> CompletedProcess[str]:
    """Run the command line as a process of its own."""
    command = [sys.executable, "-m", "bothways", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **more)


def test_help_names_the_exit_codes_and_version_is_one_line(bothways: Run) -> None:
    assert "2 usage, 3 network, 4 not authorized" in " ".join(bothways("--help").stdout.split())
    assert bothways().returncode == 0
    done = bothways("--version")
    assert (done.returncode, done.stdout) == (0, f"{__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("hub", "nonsense"),
        ("hub", "status", "--nonsense"),
        ("hub", "status", "too", "many"),
        ("customer", "show"),
        ("request", "show", "seven"),
        ("spoke", "listen", "--port"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_and_said_on_stderr_alone(bothways: Run, arguments: tuple[str, ...]) -> None:
    done = bothways(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_operator_gets_from_nothing_to_a_granted_service(bothways: Run, tmp_path: Path) -> None:
    directory, customer = tmp_path / "hub", tmp_path / "customer"
    customer.mkdir()

    def step(*arguments: object) -> Any:
        done = bothways(*arguments, "--directory", directory, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def confirm(work: Callable[[Hub], Any]) -> Any:
        # In production it takes a second person, whom the portal or the API lets in.
        with open_hub(directory, "bob@hub.example") as hub:
            return work(hub)

    assert step("hub", "init", "--environment", "PRD", "--domain", "hub.example")["directory"] == str(directory)
    step("person", "add", "bob@hub.example", "--name", "Bob", "--role", "reviewer")
    step("customer", "add", "12345678", "--kind", "merchant", "--organization", "Corner Shop")
    recipe = step("hub", "contract", "--openssl", "12345678", "--country", "DE")["commands"]
    subprocess.run(["sh", "-e", "-c", recipe], cwd=customer, capture_output=True, check=True, timeout=60)
    number = step("request", "submit", "12345678", customer / "tls.csr")["id"]
    assert step("request", "show", number)["findings"] == []
    alone = bothways("request", "approve", number, "--directory", directory)
    assert (alone.returncode, "Bob (bob@hub.example) can confirm it" in alone.stderr) == (4, True)
    serial = confirm(lambda hub: approve_request(hub, number)).serial
    assert [each["serial"] for each in step("certificate", "list")] == [serial]
    waiting = step("endpoint", "set", "12345678", "https://callbacks.shop.example")
    assert (waiting["state"], waiting["kind"]) == ("proposed", "endpoint")
    confirm(lambda hub: approve_endpoint(hub, waiting["number"]))
    assert step("endpoint", "show", "12345678")["host"] == "callbacks.shop.example"
    chain = make_server_files(customer, "Corner Shop", "callbacks.shop.example").chain
    chain_number = step("chain", "submit", "12345678", chain)["id"]
    assert step("chain", "show", chain_number)["proposed"]["by"] == actor()
    confirm(lambda hub: endorse_chain(hub, chain_number))
    step("service", "add", "tokens", "--prefix", "/tokens", "--upstream", "http://127.0.0.1:9000")
    step("service", "grant", "tokens", "12345678")
    assert step("customer", "show", "12345678")["inbound"]["state"] == "in progress"
    probe = command_line("probe", "12345678", "--json", cwd=directory)
    assert (probe.returncode, json.loads(probe.stdout)["error"]) == (2, "conflict")
    assert "Start it: bothways hub run" in probe.stderr
    assert step("certificate", "revoke", serial)["state"] == "revoked"


def test_as_a_process_json_is_alone_on_stdout_and_prose_on_stderr(tmp_path: Path) -> None:
    arguments = ("hub", "init", "--environment", "PPR", "--domain", "hub.example", "--directory", str(tmp_path / "h"))
    made = command_line(*arguments, "--json")
    assert (made.returncode, json.loads(made.stdout)["endpoint"]) == (0, "https://api.hub.example:8443")
    assert made.stderr == f"Next: bothways hub run --directory {tmp_path / 'h'}\n"
    again = command_line(*arguments, "--json")
    assert (again.returncode, json.loads(again.stdout)["error"]) == (2, "conflict")
    assert len(again.stderr.splitlines()) == 1


def test_a_reader_that_has_seen_enough_ends_a_command_without_noise(hub: Any) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bothways", "hub", "contract", "--directory", str(hub.directory)],
            stdout=writing,
            stderr=subprocess.PIPE,
            env=environment,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_without_the_hubs_extra_it_says_what_to_install(tmp_path: Path) -> None:
    script = """
import sys
sys.modules["sqlalchemy"] = None
from bothways.cli.main import main
main()
"""
    command = [sys.executable, "-c", script, "hub", "status", "--directory", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"sqlalchemy is not installed, .* pip install 'bothways\[hub\]'\n", done.stderr)


FAILING = """
import sys
from bothways.spoke import directory
def fail(*_: object) -> None:
    raise {error}
directory.parse_contract = fail
from bothways.cli.main import main
main()
"""


@pytest.fixture
def failing(tmp_path: Path) -> Callable[..., CompletedProcess[str]]:
    """Return a runner of `spoke status` in which something that nobody foresaw raises an error."""
    (tmp_path / "contract.toml").write_text("")

    def run(error: str, *arguments: str, traceback: str | None = None) -> CompletedProcess[str]:
        command = [sys.executable, "-c", FAILING.format(error=error), "spoke", "status", *arguments]
        environment = {name: value for name, value in os.environ.items() if name != "BOTHWAYS_TRACEBACK"}
        environment |= {"BOTHWAYS_TRACEBACK": traceback} if traceback else {}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    return run


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("TypeError('two\\nlines')", 1, "TypeError: two lines."),
        ("KeyError()", 1, "KeyError: no message."),
        ("RecursionError('deep')", 1, "RecursionError: deep."),
        ("OSError(5, 'Input/output error')", 2, "OSError: [Errno 5] Input/output error."),
    ],
)
def test_what_nobody_foresaw_is_a_sentence(
    failing: Callable[..., CompletedProcess[str]], error: str, code: int, said: str
) -> None:
    done = failing(error)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (code, "", 1)
    assert f"bothways spoke status failed, which it should not: {said}" in done.stderr
    assert "BOTHWAYS_TRACEBACK=1" in done.stderr
    document = json.loads(failing(error, "--json").stdout)
    assert (document["error"], said in document["detail"]) == ("unexpected", True)


def test_the_traceback_is_there_for_those_who_ask(failing: Callable[..., CompletedProcess[str]]) -> None:
    done = failing("TypeError('here')", traceback="1")
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert done.stderr.endswith("TypeError: here\n")


def test_ctrl_c_is_130_in_silence(failing: Callable[..., CompletedProcess[str]]) -> None:
    done = failing("KeyboardInterrupt()")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_full_disk_behind_the_output_is_2_without_noise(hub: Any) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bothways", "hub", "contract", "--directory", str(hub.directory)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_the_terminals_encoding_has_not_is_escaped() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = command_line("spoke", "call", "G\u00c9T", "/\u00e9", "--json", env=environment)
    assert (done.returncode, json.loads(done.stdout)["error"]) == (2, "unusable")


def test_the_help_of_a_command_says_all_and_the_overview_a_line_of_it(bothways: Run) -> None:
    said = " ".join(bothways("spoke", "check", "--help").stdout.split())
    assert "Both ends are judged by Python's TLS, and by Envoy where it is installed. Nothing is changed." in said
    assert "Nothing is changed" not in bothways("spoke", "--help").stdout
