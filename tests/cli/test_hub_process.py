import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from subprocess import CompletedProcess
from typing import Any

import pytest
from cryptography import x509
from tests.conftest import envoy_pid, free_ports, running
from tests.postgresql import another, in_files
from tests.processes import processes_in

from bothways.cli import hub_process
from bothways.cli.opening import control
from bothways.contract.document import CertificateTerms
from bothways.demo.process import BothwaysProcess
from bothways.errors import Unusable
from bothways.operations.contacts import add_contact
from bothways.operations.delivery import notice_states
from bothways.operations.hub import Hub, contract, initialise
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.rotation import renew_server_certificate
from bothways.operations.settings import render_settings
from bothways.registry.contact import ContactKind

Run = Callable[..., "CompletedProcess[str]"]
Ended = Callable[[int, float], bool]


@pytest.fixture
def process(hub: Hub) -> Iterator[BothwaysProcess]:
    """The hub as a process of its own, ready; the test may end it."""
    with running(hub) as forked:
        yield forked


@pytest.fixture
def started(hub: Hub) -> Iterator[BothwaysProcess]:
    """The same, as the system starts it: what a signal does may depend on how a process began."""
    made = BothwaysProcess(["hub", "run", "--directory", str(hub.directory)], hub.directory.parent / "hub.log")
    try:
        assert made.next_line(60)["ready"] is True
        yield made
    finally:
        made.stop()


def end_of(process: BothwaysProcess) -> str:
    """Return how the process ended, whatever it says before that."""
    while True:
        try:
            process.next_line(30)
        except RuntimeError as ended:
            return str(ended)


def bind_all(hub: Hub) -> None:
    """Bind the hub's three ports; raises `OSError` if one is still taken."""
    settings = hub.settings
    for port in (settings.inbound_port, settings.portal_port, settings.egress_port):
        with closing(socket.socket()) as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", port))


@pytest.mark.parametrize("port", ["inbound_port", "portal_port", "egress_port"])
def test_a_port_in_use_is_3_and_starts_nothing(bothways: Run, hub: Hub, port: str) -> None:
    number = getattr(hub.settings, port)
    with closing(socket.create_server(("127.0.0.1", number))):
        done = bothways("hub", "run", "--directory", hub.directory, "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]) == (3, "unreachable")
    assert re.fullmatch(rf"port {number} at 127.0.0.1 cannot be used: address already in use.*{port}.*\n", done.stderr)
    assert processes_in(hub.directory) == []


@pytest.mark.parametrize("port", ["nodes_port", "nodes_connectivity_port"])
def test_a_port_for_nodes_in_use_is_3_as_well(bothways: Run, hub: Hub, port: str) -> None:
    settings = hub.directory / "hub.toml"
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        numbers = dict(zip(("nodes_port", "nodes_connectivity_port"), free_ports(2), strict=True))
        for name, number in (numbers | {port: taken.getsockname()[1]}).items():
            settings.write_text(settings.read_text().replace(f"\n{name} = 0\n", f"\n{name} = {number}\n"))
        done = bothways("hub", "run", "--directory", hub.directory, "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]) == (3, "unreachable")
    assert f"set listen.{port} in" in done.stderr


def test_a_missing_envoy_is_2_and_starts_nothing(bothways: Run, hub: Hub) -> None:
    settings = hub.directory / "hub.toml"
    settings.write_text(settings.read_text().replace('envoy = ""', 'envoy = "/nonexistent/envoy"'))
    done = bothways("hub", "run", "--directory", hub.directory)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no Envoy binary was found (looked at: /nonexistent/envoy)" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert processes_in(hub.directory) == []


@pytest.mark.envoy
def test_a_second_run_of_the_same_hub_is_2_and_leaves_the_first_alone(
    bothways: Run, hub: Hub, process: BothwaysProcess
) -> None:
    before = envoy_pid(hub)
    done = bothways("hub", "run", "--directory", hub.directory)
    assert (done.returncode, done.stdout) == (2, "")
    assert "runs already" in done.stderr
    assert process.running
    assert envoy_pid(hub) == before


@pytest.mark.envoy
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_the_hub_its_envoy_and_frees_the_ports(
    hub: Hub, started: BothwaysProcess, ended: Ended, number: signal.Signals
) -> None:
    envoy = envoy_pid(hub)
    os.kill(started.pid, number)
    with pytest.raises(RuntimeError, match="the process ended with 0"):
        started.next_line(30)
    assert ended(envoy, 0)
    assert processes_in(hub.directory) == []
    bind_all(hub)


@pytest.mark.envoy
def test_kill_9_of_the_hub_leaves_no_envoy_and_the_hub_starts_again(
    hub: Hub, started: BothwaysProcess, ended: Ended
) -> None:
    envoy = envoy_pid(hub)
    os.kill(started.pid, signal.SIGKILL)
    assert ended(started.pid, 30)
    assert ended(envoy, 30)
    assert control(hub, "GET", "/status") is None
    again = BothwaysProcess(["hub", "run", "--directory", str(hub.directory)], hub.directory.parent / "again.log")
    try:
        assert again.next_line(60)["ready"] is True
        assert envoy_pid(hub) != envoy
    finally:
        again.stop()


@pytest.mark.envoy
def test_a_killed_envoy_is_started_again(hub: Hub, process: BothwaysProcess, ended: Ended) -> None:
    envoy = envoy_pid(hub)
    os.kill(envoy, signal.SIGKILL)
    assert ended(envoy, 30)
    applied = control(hub, "POST", "/apply")
    assert process.running
    assert applied
    assert applied["in_force"] is True
    assert envoy_pid(hub) != envoy


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for Envoy no longer than a working one needs many times over."""
    monkeypatch.setattr(hub_process, "_READY_TIMEOUT", 8.0)


@pytest.mark.envoy
@pytest.mark.usefixtures("impatient")
def test_what_envoy_refuses_is_said_and_ends_the_start(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    # The settings refuse a host name; here one has come past them.
    refused = replace(hub, settings=replace(hub.settings, egress_address="localhost"))
    with pytest.raises(
        Unusable, match=r"Envoy refuses the configuration: .*malformed IP address: localhost.*hub\.toml"
    ):
        hub_process.run_hub(refused, as_json=True)
    assert caplog.text.count("Envoy does not serve the configuration yet") == 1
    assert processes_in(hub.directory) == []
    bind_all(hub)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'error while loading shared libraries' >&2; exit 127", "error while loading shared libraries"),
        ("exec sleep 600", "it said nothing"),
    ],
)
def test_an_envoy_that_ends_or_says_nothing_is_told_with_its_last_words(hub: Hub, script: str, words: str) -> None:
    binary = hub.directory / "envoy"
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)
    # On the disk too: the process beside Envoy reads them there.
    other = replace(hub, settings=replace(hub.settings, envoy=str(binary)))
    (hub.directory / "hub.toml").write_text(render_settings(other.settings))
    with pytest.raises(Unusable, match=rf"within 8 s.*its last words: {words}\. Look at .*envoy\.log"):
        hub_process.run_hub(other, as_json=True)
    assert processes_in(hub.directory) == []


@pytest.mark.envoy
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize(
    "moment", ["ads.sock", *(pytest.param(m, marks=pytest.mark.soak) for m in ("control.sock", "admin.sock"))]
)
def test_a_signal_during_the_start_ends_everything(hub: Hub, number: signal.Signals, moment: str) -> None:
    arguments = ["hub", "run", "--directory", str(hub.directory)]
    started = BothwaysProcess(arguments, hub.directory.parent / "hub.log")
    try:
        while not (hub.run_directory / moment).exists():
            assert started.running, started.last_words()
        os.kill(started.pid, number)
        assert "the process ended with 0" in end_of(started)
    finally:
        started.stop()
    assert processes_in(hub.directory) == []
    bind_all(hub)


@pytest.mark.envoy
def test_a_renewed_server_certificate_is_presented_without_a_restart(hub: Hub, process: BothwaysProcess) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=contract(hub).trust.server_ca)
    address, name = ("127.0.0.1", hub.settings.portal_port), hub.terms.portal.split("/")[2].split(":")[0]

    def opened() -> HTTPConnection:
        connection = HTTPConnection(name)
        connection.auto_open = 0
        connection.sock = context.wrap_socket(socket.create_connection(address, 10), server_hostname=name)
        return connection

    def page(connection: HTTPConnection) -> int:
        connection.request("GET", "/")
        with connection.getresponse() as answer:
            answer.read()
            return answer.status

    def serial(connection: HTTPConnection) -> str:
        assert isinstance(connection.sock, ssl.SSLSocket)
        der = connection.sock.getpeercert(binary_form=True)
        assert der is not None
        return f"{x509.load_der_x509_certificate(der).serial_number:x}"

    with closing(opened()) as old:
        assert page(old) == 200
        renewed = renew_server_certificate(hub)
        end, presented = time.monotonic() + 30, serial(old)
        assert presented != renewed
        while presented != renewed:
            assert time.monotonic() < end, "the renewed certificate was not presented"
            with closing(opened()) as new:
                presented = serial(new)
            # Asked all the while: a connection at rest is closed after some seconds.
            assert page(old) == 200
    assert process.running


@pytest.mark.envoy
def test_people_read_where_everything_is_and_what_is_next(hub: Hub) -> None:
    command = [sys.executable, "-m", "bothways", "hub", "run", "--directory", str(hub.directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        assert started.stdout
        assert started.stderr
        try:
            assert started.stdout.readline() == f"PPR is ready: {hub.terms.endpoint}\n"
        finally:
            started.send_signal(signal.SIGTERM)
        prose = started.stderr.read()
    assert started.returncode == 0
    for each in (hub.terms.portal, "Bothways-Customer", "bothways customer add", "Ctrl-C ends the hub and its Envoy."):
        assert each in prose
    assert "Traceback" not in prose


@in_files
def test_a_hub_whose_files_are_gone_is_said(bothways: Run, hub: Hub, tmp_path: Path) -> None:
    initialise(tmp_path / "other", hub.terms, another(hub.settings), "tester")
    (tmp_path / "other" / "hub.db").unlink()
    done = bothways("hub", "run", "--directory", tmp_path / "other")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.envoy
def test_a_running_hub_tells_what_ends_by_itself(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> None:
    soon = replace(hub, terms=replace(hub.terms, certificate=CertificateTerms(validity_days=5)))
    serial = approve_request(soon, submit_request(soon, issuer, make_csr()).id).serial
    told: Queue[dict[str, Any]] = Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_port}/"
            add_contact(hub, issuer, ContactKind.WEBHOOK, address)
            with running(hub):
                data = told.get(timeout=60)["data"]
                # Stored by now or soon, so that the next start does not tell it again.
                end = time.monotonic() + 30
                while notice_states(hub)["waiting"]:
                    assert time.monotonic() < end
                    time.sleep(0.05)
        finally:
            server.shutdown()
            thread.join()
    assert (data["kind"], data["subject"], data["threshold_days"]) == ("certificate", serial, 7)
    assert told.empty()
