import os
from pathlib import Path

import pytest

from bothways.cli.opening import actor, apply, control, hub_in
from bothways.errors import Unusable
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub
from bothways.registry.customer import CustomerKind


def test_the_actor_is_the_login_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "operator-7")
    assert actor() == "operator-7"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become a user that has no name")
def test_a_user_without_a_name_is_named_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    real = os.getuid()
    os.setresuid(54321, -1, -1)
    try:
        assert actor() == "uid 54321"
    finally:
        os.setresuid(real, -1, -1)


def test_the_hub_is_opened_in_the_name_of_the_actor(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "operator-7")
    with hub_in(hub.directory) as opened:
        assert (opened.actor, opened.terms) == ("operator-7", hub.terms)


def test_a_directory_without_a_hub_says_how_one_is_made(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="Make one: bothways hub init"), hub_in(tmp_path):
        pass


def test_a_hub_that_does_not_run_answers_nothing_and_the_change_waits(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert control(hub, "GET", "/status") is None
    assert apply(hub) is None
    assert "comes into force when the hub runs: bothways hub run" in capsys.readouterr().err


@pytest.mark.envoy
def test_a_running_hub_answers_and_the_change_is_in_force(running_hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    add_customer(running_hub, "12345678", CustomerKind.ISSUER, "First Bank")
    applied = apply(running_hub)
    assert applied
    assert applied["in_force"] is True
    assert "in force at every Envoy" in capsys.readouterr().err
    status = control(running_hub, "GET", "/status")
    assert status
    assert status["version"] == applied["version"]
    assert [node["settled"] for node in status["nodes"]] == [True]
    assert control(running_hub, "GET", "/no-such-thing") is None
