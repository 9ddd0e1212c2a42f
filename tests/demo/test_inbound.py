import os
import select
import signal
from collections.abc import Callable

import pytest

from bothways.cli.opening import control
from bothways.contract.document import Environment
from bothways.demo.inbound import prove_inbound
from bothways.demo.stage import Scene, Stage
from bothways.demo.step import StepResult

pytestmark = [pytest.mark.envoy, pytest.mark.timeout(300)]

Play = Callable[[str, Callable[[Scene], None]], list[StepResult]]
OnlyFailure = Callable[[list[StepResult]], tuple[str, str]]


@pytest.mark.parametrize("environment", [each.value for each in Environment])
@pytest.mark.parametrize("kind", ["issuer", "merchant"])
def test_what_each_step_saw_names_what_it_promises(seen: dict[str, str], environment: str, kind: str) -> None:
    tsp_id, marker = {"issuer": ("12345678", "ECDSA"), "merchant": ("87654321", "RSA")}[kind]
    saw = {name: seen[f"{environment} {kind}.{name}"] for name in ("contract", "csr", "approval", "gate", "call")}
    assert saw["contract"].startswith(f"{environment} contract from https://portal.{environment.lower()}.hub.localhost")
    assert f"TLSMA-{marker}/{tsp_id}/{environment}" in saw["csr"]
    alone = "demo operator alone is refused, " if environment == "PRD" else ""
    issued = f"issued urn:bothways:{environment}:{tsp_id}:"
    assert f"nothing found; {alone}demo reviewer approved; {issued}" in saw["approval"]
    assert saw["gate"] == "TLSv1.3, /tokens answers 403 while inbound is 'in progress'"
    assert f"the service knows us as {tsp_id} ({environment})" in saw["call"]
    assert "/vault answers 403" in seen[f"{environment} {kind}.not-granted"]


def test_a_certificate_of_ppr_is_refused_by_prd_at_the_handshake(seen: dict[str, str]) -> None:
    for kind in ("issuer", "merchant"):
        assert "refused our certificate" in seen[f"PRD {kind}.isolation"]
        assert "api.prd.hub.localhost" in seen[f"PRD {kind}.isolation"]


def test_revocation_reaches_an_open_connection(seen: dict[str, str]) -> None:
    for environment in Environment:
        saw = seen[f"{environment.value} issuer.revoke"]
        assert saw.startswith("200, revoked, in force after ")
        assert saw.endswith("then 403 on the same connection")


@pytest.mark.soak
def test_with_a_dead_envoy_the_next_call_fails_and_says_so(stage: Stage, play: Play, only_failure: OnlyFailure) -> None:
    def kill_envoy_for_good(scene: Scene) -> None:
        status = control(scene.hub, "GET", "/status")
        assert status
        # A stopped hub starts no other Envoy.
        os.kill(scene.process.pid, signal.SIGSTOP)
        descriptor = os.pidfd_open(status["envoy"]["pid"])
        try:
            os.kill(status["envoy"]["pid"], signal.SIGKILL)
            assert select.select([descriptor], [], [], 30)[0]
        finally:
            os.close(descriptor)

    try:
        failed, saw = only_failure(play("issuer.install", kill_envoy_for_good))
    finally:
        os.kill(stage.scenes[Environment.PPR].process.pid, signal.SIGCONT)
    assert failed == "PPR issuer.gate"
    assert "does not answer: [Errno 111] Connection refused" in saw


@pytest.mark.soak
def test_a_gate_that_stands_open_fails(play: Play, only_failure: OnlyFailure) -> None:
    def establish_too_early(scene: Scene) -> None:
        prove_inbound(scene, scene.parties[0])

    failed, saw = only_failure(play("issuer.install", establish_too_early))
    assert (failed, saw) == ("PPR issuer.gate", "/tokens answered 200, and must answer 403")
