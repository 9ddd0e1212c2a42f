import tempfile
from pathlib import Path

import pytest

from bothways.contract.document import Environment, KeyType
from bothways.demo.stage import Party, Stage, set_stage
from bothways.errors import Conflict
from bothways.registry.customer import CustomerKind


@pytest.fixture
def party(tmp_path: Path) -> Party:
    return Party(CustomerKind.ISSUER, "12345678", "First Bank", KeyType.ECDSA, tmp_path, "issuer.localhost")


def test_nothing_is_used_before_it_is_there(party: Party) -> None:
    with pytest.raises(RuntimeError, match="the contract was not read"):
        _ = party.opened
    with pytest.raises(RuntimeError, match="server was not started"):
        _ = party.listening


def test_a_party_requests_under_its_own_name(party: Party) -> None:
    assert party.subject.attributes()["O"] == "First Bank"


@pytest.mark.envoy
def test_both_environments_have_a_hub_of_their_own_and_share_nothing(stage: Stage) -> None:
    ppr, prd = (stage.scenes[each] for each in Environment)
    ports = [
        port
        for scene in (ppr, prd)
        for port in (
            scene.hub.settings.inbound_port,
            scene.hub.settings.portal_port,
            scene.hub.settings.egress_port,
            scene.echo_port,
        )
    ]
    assert len({*ports}) == 8
    assert ppr.process.pid != prd.process.pid
    assert ppr.hub.directory.parent != prd.hub.directory.parent
    assert {party.directory for party in ppr.parties}.isdisjoint({party.directory for party in prd.parties})
    for scene in (ppr, prd):
        assert scene.process.next_line(60)["environment"] == scene.environment.value
        assert [party.kind for party in scene.parties] == [CustomerKind.ISSUER, CustomerKind.MERCHANT]
    stage.end_processes()
    assert not ppr.process.running
    assert not prd.process.running


@pytest.mark.envoy
def test_if_the_second_hub_cannot_be_made_the_first_does_not_stay_behind() -> None:
    with tempfile.TemporaryDirectory(prefix="b-") as name:
        (Path(name) / "prd" / "hub").mkdir(parents=True)
        (Path(name) / "prd" / "hub" / "taken").touch()
        with pytest.raises(Conflict, match="is not empty"), set_stage(Path(name)):
            pytest.fail("the stage was set")
        assert (Path(name) / "ppr" / "hub" / "hub.toml").is_file()
        assert [each for each in _command_lines() if name.encode() in each] == []


def _command_lines() -> list[bytes]:
    lines = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            lines.append((place / "cmdline").read_bytes())
        except OSError:
            continue
    return lines
