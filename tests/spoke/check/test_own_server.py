"""Our own server without a hub: what is told of it where no anchors are known. With one, in tests/wire."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from tests.wire import servers

from bothways.pki.chain import issued_by
from bothways.spoke.check.own_server import OwnServer, foreign_certificate, look_at_own_server
from bothways.spoke.check.report import Step
from bothways.spoke.directory import Spoke
from bothways.spoke.resolver import Question


def looked(spoke: Spoke, server: OwnServer) -> list[Step]:
    steps: list[Step] = []
    asyncio.run(look_at_own_server(spoke, server, Question(), datetime.now(UTC), steps.append))
    return steps


def test_without_a_hub_name_versions_and_callers_are_judged_all_the_same(spoke: Spoke, tmp_path: Path) -> None:
    pki = servers.make_pki(tmp_path, spoke.contract.trust.client_ca, "bank.localhost")
    with servers.python(pki) as port:
        steps = looked(spoke, OwnServer("bank.localhost", port, "/"))
        other = looked(spoke, OwnServer("other.localhost", port, "/"))
    assert {each.level for each in steps} == {"ok"}
    assert next(each.said for each in steps if each.name == "who gets in").startswith("no certificate: refused")
    assert [each.id for step in other for each in step.findings] == ["PROBE-NAME-04"]


def test_a_server_that_wants_no_certificate_is_told_so_once(spoke: Spoke, tmp_path: Path) -> None:
    pki = servers.make_pki(tmp_path, spoke.contract.trust.client_ca, "bank.localhost")

    def open_door(context: object) -> None:
        context.verify_mode = 0  # type: ignore[attr-defined]

    with servers.python(pki, open_door) as port:
        steps = looked(spoke, OwnServer("bank.localhost", port, "/"))
    assert [each.id for step in steps for each in step.findings] == ["CHECK-SERVER-03"]


def test_a_server_that_is_not_reached_from_here_is_no_error(spoke: Spoke) -> None:
    with servers.accepting(lambda _: None) as port:
        pass
    steps = looked(spoke, OwnServer("bank.localhost", port, "/"))
    assert [(each.id, each.level.value) for step in steps for each in step.findings] == [("CHECK-SERVER-06", "info")]


def test_the_strangers_certificate_has_the_client_cas_name_and_not_its_signature(spoke: Spoke) -> None:
    [authority] = x509.load_pem_x509_certificates(spoke.contract.trust.client_ca.encode())
    [stranger] = x509.load_pem_x509_certificates(foreign_certificate(spoke, datetime.now(UTC)))
    assert stranger.issuer == authority.subject
    assert not issued_by(stranger, authority)
