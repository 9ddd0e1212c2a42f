"""A new user's first day: from the contract file to green in both directions, by what each command prints.

The hub's operator, who approves and endorses, works beside it.
"""

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.conftest import free_ports
from tests.forked import ForkedProcess, run_forked

from bothways.contract.render import render_contract
from bothways.demo.customer_ca import make_server_files
from bothways.demo.process import BothwaysProcess
from bothways.operations.hub import Hub, contract

Run = Callable[..., "CompletedProcess[str]"]
COMMANDS_MOST = 6

pytestmark = pytest.mark.envoy


class Newcomer:
    """Types what the command before has printed, and puts real values where it leaves a place for them."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self.typed = 0

    def command(self, printed: str) -> list[str]:
        """Return the last command that stands in the text, filled in; each counts."""
        self.typed += 1
        assert self.typed <= COMMANDS_MOST
        found = re.findall(r"bothways (spoke .+)", printed)
        assert found, printed
        return [self._values.get(each, each) for each in shlex.split(found[-1])]

    def follow(self, printed: str) -> str:
        """Run that command, which has to succeed, and return what it prints."""
        done = run_forked(*self.command(printed))
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def operator(running_hub: Hub) -> Run:
    def run(*arguments: object) -> "CompletedProcess[str]":
        done = run_forked(*arguments, "--directory", running_hub.directory)
        done.check_returncode()
        return done

    return run


@pytest.fixture
def receiving() -> Iterator[list[BothwaysProcess]]:
    started: list[BothwaysProcess] = []
    yield started
    for each in started:
        each.stop()


def test_six_commands_lead_from_the_contract_to_green_in_both_directions(
    running_hub: Hub, operator: Run, issuer: str, receiving: list[BothwaysProcess], tmp_path: Path
) -> None:
    published = tmp_path / "contract.toml"
    published.write_text(render_contract(contract(running_hub)))
    server = make_server_files(tmp_path, "First Bank", "callbacks.localhost")
    issued, bank = tmp_path / "issued.crt", tmp_path / "bank"
    newcomer = Newcomer(
        {"CC": "FR", "STATE": "IDF", "CITY": "Paris", "NAME": "First Bank", "UNIT": "Pay"}
        | {"CERT": str(issued), "FULLCHAIN.pem": str(server.certificate), "KEY.pem": str(server.key)}
    )
    printed = newcomer.follow(f"bothways spoke init --contract {published} --customer {issuer} --directory {bank}")
    printed = newcomer.follow(printed)

    operator("request", "submit", issuer, bank / "tls.csr")
    operator("request", "approve", 1, "--out", issued)
    printed = newcomer.follow(printed)
    printed = newcomer.follow(printed)

    [port] = free_ports(1)
    # On the port that is free here, and not the one that the hub calls in real life.
    listen = [*newcomer.command(printed), "--address", "127.0.0.1", "--port", str(port)]
    receiving.append(ForkedProcess(listen, tmp_path / "listen.log"))
    assert receiving[0].next_line(30)["hosts"] == ["callbacks.localhost"]
    operator("endpoint", "set", issuer, f"https://callbacks.localhost:{port}")
    operator("chain", "submit", issuer, server.chain)
    operator("chain", "endorse", 1)

    green = newcomer.follow((tmp_path / "listen.log").read_text())
    assert "nothing is wrong" in green
    assert re.findall(r"(inbound|outbound) +flow +(established)", green) == [
        ("inbound", "established"),
        ("outbound", "established"),
    ]
    assert newcomer.typed == COMMANDS_MOST
