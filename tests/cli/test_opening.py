import json
import os
import pwd
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bothways.cli.exit import FAILED, OK
from bothways.cli.opening import actor, apply, conclude, control, hub_in
from bothways.errors import Unusable
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub
from bothways.registry.customer import CustomerKind
from bothways.store import fleet

ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize("name", ["LOGNAME", "USER", "LNAME", "USERNAME"])
def test_the_actor_is_the_user_of_the_process_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "somebody-else")
    assert actor() == ME


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become a user that has no name")
def test_a_user_without_a_name_is_named_by_number() -> None:
    real = os.getuid()
    os.setresuid(54321, -1, -1)
    try:
        assert actor() == "uid 54321"
    finally:
        os.setresuid(real, -1, -1)


def test_the_hub_is_opened_in_the_name_of_the_actor(hub: Hub) -> None:
    with hub_in(hub.directory) as opened:
        assert (opened.actor, opened.terms) == (ME, hub.terms)


def test_a_directory_without_a_hub_says_how_one_is_made(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="Make one: bothways hub init"), hub_in(tmp_path):
        pass


def test_a_hub_that_does_not_run_answers_nothing_and_the_change_waits(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert control(hub, "GET", "/status") is None
    assert apply(hub) is None
    assert "comes into force when the hub runs: bothways hub run" in capsys.readouterr().err
    assert conclude(hub, {"a": 1}, "done", as_json=True) == OK
    assert json.loads(capsys.readouterr().out) == {"a": 1, "in_force": None}


def test_where_another_control_plane_runs_that_one_brings_it_into_force(
    shared_hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    with shared_hub.observations.write(shared_hub.now()) as transaction:
        fleet.begin(transaction, "a", "hub-2:8444")
    assert apply(shared_hub) is None
    assert "No control plane runs here; it is brought into force by hub-2:8444." in capsys.readouterr().err


@pytest.fixture
def ailing(hub: Hub) -> Iterator[list[bytes]]:
    """The hub's control socket, where each connection gets the first of these answers; the list is to be filled."""
    answers: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(hub.control_socket))
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    # The first connection only knocks.
                    if connection.recv(4096):
                        connection.sendall(answers[0])

        thread = threading.Thread(target=serve)
        thread.start()
        yield answers
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _answer(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    "answer", [_answer("500 Internal Server Error", b"oops"), _answer("200 OK", b"no JSON"), b"no HTTP\r\n\r\n", b""]
)
def test_a_hub_that_runs_and_ails_is_not_taken_for_one_that_does_not_run(
    hub: Hub, ailing: list[bytes], answer: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    ailing.append(answer)
    with pytest.raises(Unusable, match="the hub runs, but did not answer GET /status"):
        control(hub, "GET", "/status")
    assert conclude(hub, {}, "done", as_json=True) == FAILED
    out, err = capsys.readouterr()
    assert json.loads(out) == {"in_force": False}
    assert err.startswith("Recorded, but perhaps not in force: the hub runs, but did not answer POST /apply")


def test_what_a_running_hub_did_not_bring_into_force_has_failed(
    hub: Hub, ailing: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    ailing.append(_answer("200 OK", b'{"in_force": false, "milliseconds": 9000}'))
    assert conclude(hub, {}, "done", as_json=True) == FAILED
    out, err = capsys.readouterr()
    assert json.loads(out) == {"in_force": False}
    assert "not in force everywhere yet. Look at: bothways hub status" in err


def test_the_nodes_that_are_away_are_told_of(hub: Hub, ailing: list[bytes], capsys: pytest.CaptureFixture[str]) -> None:
    ailing.append(_answer("200 OK", b'{"in_force": true, "milliseconds": 9, "away": ["eu-1", "eu-2"]}'))
    assert conclude(hub, {}, "done", as_json=True) == OK
    out, err = capsys.readouterr()
    assert json.loads(out) == {"in_force": True, "away": ["eu-1", "eu-2"]}
    assert "NOT at the nodes that are away, which go on with what they have: eu-1, eu-2.\n" in err
    assert "in force at every connected Envoy" in err


@pytest.mark.envoy
def test_a_running_hub_answers_and_the_change_is_in_force(running_hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    add_customer(running_hub, "12345678", CustomerKind.ISSUER, "First Bank")
    assert apply(running_hub) is True
    assert "in force at every Envoy" in capsys.readouterr().err
    status = control(running_hub, "GET", "/status")
    assert status
    assert [node["settled"] for node in status["nodes"]] == [True]
    with pytest.raises(Unusable, match="404"):
        control(running_hub, "GET", "/no-such-thing")
