"""Two control planes on one PostgreSQL, each with its Envoy: a change reaches both, one does the jobs of the clock."""

import os
import shutil
import signal
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import free_ports, local_settings
from tests.eventually import eventually
from tests.forked import ForkedProcess
from tests.postgresql import new_schema

from bothways.cli.opening import control
from bothways.contract.document import Environment
from bothways.operations.hub import Hub, initialise, new_terms, open_hub
from bothways.operations.services import add_service
from bothways.operations.settings import render_settings
from bothways.registry.service import Service

DONE, ELSEWHERE = "notices are done here", "notices are another control plane's"


def version(hub: Hub) -> str:
    status = control(hub, "GET", "/status")
    assert status
    return str(status["version"])


def planes_of_nodes(hub: Hub) -> set[str]:
    """Return the ports by which the control planes that have nodes are told apart."""
    status = control(hub, "GET", "/status")
    assert status
    return {each["control_plane"].rpartition(":")[2] for each in status["nodes"] if each["connected"]}


# It takes some seconds: what two control planes do to each other, no part of one shows.
@pytest.mark.envoy
@pytest.mark.timeout(300)
def test_a_change_reaches_both_and_who_is_left_takes_over_what_the_clock_asks() -> None:
    settings = replace(local_settings(), database=new_schema())
    # Short, for unix sockets have short names.
    stack = ExitStack()
    short = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hub-")))
    places = short / "a", short / "b"
    initialise(places[0], new_terms(Environment.PPR, "ppr.hub.localhost", settings), settings, "tester")
    shutil.copytree(*places)
    inbound, portal, egress = free_ports(3)
    other = replace(settings, inbound_port=inbound, portal_port=portal, egress_port=egress)
    (places[1] / "hub.toml").write_text(render_settings(other))

    def says(place: Path, words: str) -> bool:
        return words in place.with_suffix(".log").read_text()

    with stack:
        processes = {}
        for place in places:
            processes[place] = ForkedProcess(["hub", "run", "--directory", str(place)], place.with_suffix(".log"))
            stack.callback(processes[place].stop)
        assert [each.next_line(100)["ready"] for each in processes.values()] == [True, True]
        [holder] = [place for place in places if says(place, DONE)]
        [waiting] = [place for place in places if says(place, ELSEWHERE)]
        assert holder != waiting
        first, second = (stack.enter_context(open_hub(place, "tester")) for place in (holder, waiting))
        ports = {str(each.settings.portal_port) for each in (first, second)}
        eventually(lambda: planes_of_nodes(first) == planes_of_nodes(second) == ports, "the other's node is not known")
        before = version(second)
        add_service(first, Service("tokens", "/tokens", "http://127.0.0.1:9000"))
        assert control(first, "POST", "/apply")
        eventually(lambda: version(second) != before, "the other control plane did not hear of it")
        os.kill(processes[holder].pid, signal.SIGKILL)
        eventually(lambda: says(waiting, DONE), "nobody took over")
        add_service(second, Service("cards", "/cards", "http://127.0.0.1:9000"))
        applied = control(second, "POST", "/apply")
        assert applied
        assert applied["in_force"] is True
        # It was not waited for for ever, and its Envoy has gone with it.
        assert planes_of_nodes(second) == {str(second.settings.portal_port)}
