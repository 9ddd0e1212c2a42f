"""What is seen of the network: real names, real listeners, a real mail server and a real OpenID provider."""

from dataclasses import replace
from socket import create_server
from urllib.parse import urlsplit

import pytest
from tests.mail_server import Mailbox
from tests.oidc_server import Provider

from bothways.doctor import network
from bothways.doctor.network import network_steps
from bothways.findings import Step
from bothways.operations.hub import Hub


def seen(hub: Hub, *, runs: bool = True) -> dict[str, Step]:
    return {each.name: each for each in network_steps(hub, runs=runs)}


def ids(step: Step) -> list[str]:
    return [each.id for each in step.findings]


def test_ports_where_nobody_listens_are_free_unless_the_hub_runs(hub: Hub) -> None:
    assert [ids(each) for each in seen(hub, runs=False).values()] == [[], [], []]
    assert "is free" in seen(hub, runs=False)["portal"].said
    assert [ids(seen(hub)[name]) for name in ("endpoint", "portal")] == [["DOCTOR-DOOR-01"]] * 2


def test_a_name_without_an_address_is_told(hub: Hub) -> None:
    terms = replace(hub.terms, endpoint="https://api.hub.invalid", portal="https://localhost")
    [endpoint, portal, *_] = network_steps(replace(hub, terms=terms), runs=False)
    assert (ids(endpoint), ids(portal)) == (["DOCTOR-DNS-01"], [])
    assert "127.0.0.1" in portal.said


def test_another_server_at_a_port_of_the_hub_is_told(oidc: tuple[Hub, Provider]) -> None:
    hub, provider = oidc
    port = int(urlsplit(provider.issuer).port or 0)
    taken = replace(hub, settings=replace(hub.settings, portal_address="0.0.0.0", portal_port=port))  # noqa: S104
    step = seen(taken, runs=False)["portal"]
    assert ids(step) == ["DOCTOR-DOOR-02"]
    assert "CERTIFICATE_VERIFY_FAILED" in step.findings[0].message


def test_a_listener_that_says_nothing_is_waited_for_and_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_SECONDS", 0.2)
    with create_server(("127.0.0.1", 0)) as silent:
        settings = replace(hub.settings, inbound_port=silent.getsockname()[1])
        assert ids(seen(replace(hub, settings=settings))["endpoint"]) == ["DOCTOR-DOOR-02"]


def test_the_mail_server_has_to_let_the_hub_in(mailing: Hub, mailbox: Mailbox) -> None:
    assert ids(seen(mailing, runs=False)["mail server"]) == []
    stranger = replace(mailing, settings=replace(mailing.settings, smtp_username="other"))
    assert ids(seen(stranger, runs=False)["mail server"]) == ["DOCTOR-MAIL-01"]
    assert mailbox.letters == []


def test_the_openid_provider_has_to_answer_as_itself(oidc: tuple[Hub, Provider]) -> None:
    hub, _ = oidc
    assert ids(seen(hub, runs=False)["OpenID provider"]) == []
    wrong = replace(hub, settings=replace(hub.settings, oidc_issuer=f"{hub.settings.oidc_issuer}/elsewhere"))
    assert ids(seen(wrong, runs=False)["OpenID provider"]) == ["DOCTOR-OIDC-01"]
