import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from bothways.contract.render import render_contract
from bothways.demo.customer_ca import make_server_files
from bothways.operations.hub import Hub, contract
from bothways.spoke.directory import init_spoke

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def in_spoke(bothways: Run, hub: Hub, issuer: str, tmp_path: Path) -> Run:
    (tmp_path / "published.toml").write_text(render_contract(contract(hub)))
    init_spoke(tmp_path / "spoke", str(tmp_path / "published.toml"), issuer)
    return lambda *arguments: bothways("spoke", "config", *arguments, "--directory", tmp_path / "spoke")


def test_it_prints_what_was_asked_for_and_says_what_is_missing(in_spoke: Run, tmp_path: Path) -> None:
    done = in_spoke("nginx", "--port", 443, "--resolver", "10.0.0.2", "--resolver", "10.0.0.3:5353")
    assert done.returncode == 0
    assert "resolver 10.0.0.2:53 10.0.0.3:5353;" in done.stdout
    assert "listen 443 ssl;" in done.stdout
    assert f"Not there yet: {tmp_path / 'spoke' / 'tls.crt'}" in done.stderr
    document = json.loads(in_spoke("nginx", "--json").stdout)
    assert (document["stack"], "proxy_pass" in document["text"]) == ("nginx", True)


def test_the_servers_name_is_that_of_its_certificate(in_spoke: Run, tmp_path: Path) -> None:
    made = make_server_files(tmp_path, "First Bank", "callbacks.bank.example")
    done = in_spoke("nginx", "--certificate", made.certificate)
    assert "server_name callbacks.bank.example;" in done.stdout
    assert f"ssl_certificate_key {made.key};" in done.stdout
    assert str(made.certificate) not in done.stderr


@pytest.mark.parametrize("arguments", [("iis",), ("nginx", "--resolver", "dns.example"), ("nginx", "--port", "0")])
def test_what_cannot_be_is_said(in_spoke: Run, arguments: tuple[str, ...]) -> None:
    done = in_spoke(*arguments)
    assert (done.returncode, "Traceback" in done.stderr) in {(2, False), (1, False)}
    assert "ssl_certificate" not in done.stdout
