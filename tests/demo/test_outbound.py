from collections.abc import Callable
from pathlib import Path

import pytest
from tests.forked import ForkedProcess

from bothways.contract.document import Environment
from bothways.demo.customer_ca import ServerFiles, make_server_files
from bothways.demo.process import BothwaysProcess
from bothways.demo.stage import Party, Scene
from bothways.demo.step import StepResult

pytestmark = [pytest.mark.envoy, pytest.mark.timeout(300)]

Play = Callable[[str, Callable[[Scene], None]], list[StepResult]]
OnlyFailure = Callable[[list[StepResult]], tuple[str, str]]


@pytest.mark.parametrize("environment", [each.value for each in Environment])
@pytest.mark.parametrize("kind", ["issuer", "merchant"])
def test_what_each_step_saw_names_what_it_promises(seen: dict[str, str], environment: str, kind: str) -> None:
    host = f"{kind}.{environment.lower()}.localhost"
    saw = {name: seen[f"{environment} {kind}.{name}"] for name in ("chain", "probe", "callback")}
    assert saw["chain"].startswith(f"https://{host}:")
    assert saw["probe"].startswith("a call before answers 404; ")
    assert saw["probe"].endswith(f"TLSv1.3 with CN={host}, answered 200; outbound is established")
    assert f"knows us as CN={environment.lower()}.hub.localhost {environment} client" in saw["callback"]
    assert saw["callback"].endswith(f"we know it as CN={host}; 200 came back")


def test_rotation_changes_the_certificate_and_breaks_nothing(seen: dict[str, str]) -> None:
    for environment in Environment:
        words = seen[f"{environment.value} hub.rotate"].split()
        before, after = (words[words.index(end) - 1] for end in ("before,", "after,"))
        assert before != after
        assert words[-3:] == ["4", "calls", "answered"]


@pytest.mark.soak
def test_with_the_chain_of_another_ca_the_probe_fails_and_says_so(play: Play, only_failure: OnlyFailure) -> None:
    def submit_another_chain(scene: Scene) -> None:
        party = scene.parties[0]
        made = _other_files(party)
        (party.directory / "server-ca.crt").write_bytes(made.chain.read_bytes())

    failed, saw = only_failure(play("issuer.not-granted", submit_another_chain))
    assert failed == "PPR issuer.probe"
    assert "CERTIFICATE_VERIFY_FAILED" in saw


@pytest.mark.soak
def test_with_an_expired_server_certificate_the_probe_fails_and_says_so(play: Play, only_failure: OnlyFailure) -> None:
    def serve_an_expired_certificate(scene: Scene) -> None:
        party = scene.parties[0]
        party.listening.stop()
        made = _other_files(party, days=-1)
        (party.directory / "server-ca.crt").write_bytes(made.chain.read_bytes())
        party.receiver = _server(party, made)

    failed, saw = only_failure(play("issuer.not-granted", serve_an_expired_certificate))
    assert failed == "PPR issuer.probe"
    assert "certificate has expired" in saw.replace("_", " ")


@pytest.mark.soak
def test_with_a_dead_server_the_probe_fails_and_says_so(play: Play, only_failure: OnlyFailure) -> None:
    failed, saw = only_failure(play("issuer.chain", lambda scene: scene.parties[0].listening.stop()))
    assert failed == "PPR issuer.probe"
    assert "refused" in saw.lower()


def _other_files(party: Party, days: int = 30) -> ServerFiles:
    directory = party.directory / "other"
    directory.mkdir()
    return make_server_files(directory, party.organization, party.host, days=days)


def _server(party: Party, made: ServerFiles) -> BothwaysProcess:
    arguments = ["spoke", "listen", "--directory", str(party.directory), "--address", "127.0.0.1", "--port", "0"]
    arguments += ["--certificate", str(made.certificate), "--key", str(made.key)]
    return ForkedProcess(arguments, Path(party.directory) / "other" / "listen.log")
