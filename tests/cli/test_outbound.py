import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from cryptography import x509
from tests.forked import ForkedProcess
from tests.outbound.signing import returned_by

from bothways.connectivity.facts import ProbeFact
from bothways.contract.render import render_contract
from bothways.demo.customer_ca import ServerFiles, make_server_files
from bothways.demo.process import BothwaysProcess
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customer_credentials import show_credentials
from bothways.operations.customers import show_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.endpoints import record_probe, set_endpoint
from bothways.operations.hub import Hub, contract
from bothways.spoke.directory import init_spoke

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]
HOST = "callbacks.localhost"


@pytest.fixture
def server_files(tmp_path: Path) -> ServerFiles:
    return make_server_files(tmp_path, "First Bank", HOST)


@pytest.fixture
def listening(hub: Hub, issuer: str, server_files: ServerFiles, tmp_path: Path) -> Iterator[BothwaysProcess]:
    """The issuer's server, which runs; the hub knows its address."""
    (tmp_path / "published.toml").write_text(render_contract(contract(hub)))
    spoke = init_spoke(tmp_path / "spoke", str(tmp_path / "published.toml"), issuer)
    arguments = ["spoke", "listen", "--directory", str(spoke.directory), "--address", "127.0.0.1", "--port", "0"]
    arguments += ["--certificate", str(server_files.certificate), "--key", str(server_files.key)]
    process = ForkedProcess(arguments, tmp_path / "listen.log")
    port = process.next_line(30)["listening"].rpartition(":")[2]
    set_endpoint(hub, issuer, f"https://{HOST}:{port}")
    yield process
    process.stop()


def endorse(hub: Hub, issuer: str, chain: Path) -> None:
    endorse_chain(hub, submit_chain(hub, issuer, chain.read_bytes()).id)


@pytest.mark.envoy
def test_a_probe_through_envoy_establishes_the_flow_and_rotation_goes_unnoticed(
    running_hub: Hub, issuer: str, listening: BothwaysProcess, server_files: ServerFiles, document: Document
) -> None:
    endorse(running_hub, issuer, server_files.chain)
    first = document("probe", issuer)
    assert (first["customer"], first["ok"]) == (issuer, True)
    assert first["seen"] == f"TLSv1.3 with CN={HOST}, answered 200"
    assert show_customer(running_hub, issuer).assessment.outbound.state.value == "established"
    assert (first["findings"], first["risk"]) == ([], None)
    assert [each["offered"] for each in first["evidence"]["tls"]][2:] == [True, True]
    serial = document("rotate")["serial"]
    assert document("probe", issuer)["ok"] is True
    # Each probe shows the certificate that is current and a fresh one; the second probe shows none of the first's.
    seen = set[str]()
    while len(seen) < 4:
        seen.add(listening.next_line(30)["fingerprint"])
    assert int(serial, 16) > 0


@pytest.mark.envoy
@pytest.mark.usefixtures("listening")
def test_a_server_under_another_ca_fails_the_probe_and_says_why(
    running_hub: Hub, issuer: str, tmp_path: Path, in_hub: Run
) -> None:
    (tmp_path / "other").mkdir()
    endorse(running_hub, issuer, make_server_files(tmp_path / "other", "First Bank", HOST).chain)
    done = in_hub("probe", issuer)
    assert done.returncode == 1
    assert f"{HOST}:" in done.stdout
    assert "failed" in done.stdout
    assert "CERTIFICATE_VERIFY_FAILED" in done.stdout
    assert "error   PROBE-CHAIN-0" in done.stdout
    # Each stage is said when it is over.
    assert [line.split()[0] for line in done.stderr.splitlines()[:5]] == ["dns", "tcp", "tls", "chain", "call"]
    assert show_customer(running_hub, issuer).assessment.outbound.state.value != "established"


def test_a_probe_needs_an_endpoint_and_an_endorsed_chain(in_hub: Run, hub: Hub, issuer: str) -> None:
    without_endpoint = in_hub("probe", issuer, "--json")
    assert (without_endpoint.returncode, json.loads(without_endpoint.stdout)["error"]) == (2, "notfound")
    set_endpoint(hub, issuer, f"https://{HOST}")
    without_chain = in_hub("probe", issuer, "--json")
    assert (without_chain.returncode, json.loads(without_chain.stdout)["error"]) == (2, "conflict")
    assert "has no endorsed chain" in without_chain.stderr


def test_a_probe_needs_a_hub_that_runs(in_hub: Run, hub: Hub, issuer: str, server_files: ServerFiles) -> None:
    set_endpoint(hub, issuer, f"https://{HOST}")
    endorse(hub, issuer, server_files.chain)
    done = in_hub("probe", issuer)
    assert done.returncode == 2
    assert "the hub does not run, and a probe goes through its Envoy. Start it: bothways hub run" in done.stderr


def test_rotation_of_a_hub_that_does_not_run_waits_for_it(in_hub: Run) -> None:
    done = in_hub("rotate")
    assert done.returncode == 0
    assert done.stdout.startswith("The hub's client certificate is now ")
    assert "comes into force when the hub runs" in done.stderr


def test_the_endpoints_certificate_is_renewed_with_another_key_before_its_time(
    in_hub: Run, document: Document, hub: Hub
) -> None:
    before = hub_state(hub)
    serial = document("rotate", "--server")["serial"]
    after = hub_state(hub)
    assert f"{x509.load_pem_x509_certificate(after.server.certificate_pem.encode()).serial_number:x}" == serial
    assert after.server.key_pem != before.server.key_pem
    assert after.client == before.client
    assert f"The hub's server certificate is now {serial}." not in in_hub("rotate", "--server").stdout


def test_a_customer_that_pins_is_told_with_exit_code_1_and_force_asks_nobody(
    in_hub: Run, document: Document, hub: Hub, issuer: str, server_files: ServerFiles
) -> None:
    set_endpoint(hub, issuer, f"https://{HOST}:1")
    endorse(hub, issuer, server_files.chain)
    record_probe(hub, issuer, ProbeFact(f"{HOST}:1", hub.now(), ok=True, seen="TLSv1.3"))
    done = in_hub("rotate")
    assert done.returncode == 1
    assert f"{issuer} stays with the one before: it was not reached" in done.stdout
    assert document("rotate", code=1)["held"][0]["customer"] == issuer
    assert document("rotate", "--force")["held"] == []
    assert show_customer(hub, issuer).assessment.outbound.state.value == "established"


def test_a_certificate_of_the_customers_own_ca_goes_through_its_life(
    in_hub: Run, document: Document, hub: Hub, issuer: str, make_ca: Callable[..., Any], tmp_path: Path
) -> None:
    assert f"{issuer} is shown the client certificate of the hub." in in_hub("outbound", "show", issuer).stdout
    assert in_hub("outbound", "show", issuer, "--request").returncode == 2
    made = document("outbound", "csr", issuer, "--common-name", "hub-at-bank", "--country", "FR", "--key", "ecdsa")
    assert made["subject"] == "CN=hub-at-bank,C=FR"
    printed = in_hub("outbound", "show", issuer, "--request")
    assert printed.stdout == made["request"]
    assert in_hub("outbound", "csr", issuer).returncode == 2
    [waiting] = show_credentials(hub, issuer)
    back = tmp_path / "back.pem"
    back.write_bytes(returned_by(make_ca("Bank Clients"), waiting))
    done = document("outbound", "install", issuer, back)
    assert (done["state"], done["in_force"], done["findings"]) == ("active", None, [])
    assert done["certificate"]["issuer"] == "CN=Bank Clients"
    shown = in_hub("outbound", "show", issuer).stdout
    assert f"{issuer} is shown a certificate of its own CA." in shown
    assert "active      CN=hub-at-bank,C=FR, until " in shown
    assert document("outbound", "remove", issuer, "--reason", "not needed any more")["removed"] is True
    assert f"{issuer} is shown the client certificate of the hub." in in_hub("outbound", "show", issuer).stdout


def test_a_certificate_that_is_wrong_is_refused_with_all_findings(
    in_hub: Run, hub: Hub, issuer: str, make_ca: Callable[..., Any], tmp_path: Path
) -> None:
    in_hub("outbound", "csr", issuer)
    [waiting] = show_credentials(hub, issuer)
    back = tmp_path / "back.pem"
    back.write_bytes(returned_by(make_ca("Bank Clients"), waiting, days=0))
    for more in ((), ("--force",)):
        done = in_hub("outbound", "install", issuer, back, *more, "--json")
        assert [each["id"] for each in json.loads(done.stdout)["findings"]][:1] == ["CLIENT-DATE-01"]
    assert [each.state.value for each in show_credentials(hub, issuer)] == ["requested"]


@pytest.mark.envoy
def test_a_certificate_that_the_customers_server_does_not_take_is_installed_by_force_alone(
    running_hub: Hub,
    issuer: str,
    listening: BothwaysProcess,
    server_files: ServerFiles,
    in_hub: Run,
    document: Document,
    make_ca: Callable[..., Any],
    tmp_path: Path,
) -> None:
    endorse(running_hub, issuer, server_files.chain)
    assert document("probe", issuer)["ok"] is True
    document("outbound", "csr", issuer)
    [waiting] = show_credentials(running_hub, issuer)
    back = tmp_path / "back.pem"
    back.write_bytes(returned_by(make_ca("Bank Clients"), waiting))
    refused = in_hub("outbound", "install", issuer, back)
    assert "CLIENT-TRIAL-01" in refused.stderr
    assert document("probe", issuer)["ok"] is True
    assert document("outbound", "install", issuer, back, "--force")["in_force"] is True
    assert document("probe", issuer, code=1)["ok"] is False
    assert listening
