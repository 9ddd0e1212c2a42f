"""Two control planes on one PostgreSQL, and nodes that are told of both: what dies loses nothing, and delays little."""

import os
import shutil
import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from bench.failover import LATE, killed
from bench.planes import node_of, plane_settings
from tests.eventually import eventually
from tests.forked import ForkedProcess
from tests.postgresql import new_schema
from tests.wire.witnesses import Python

from bothways.cli.opening import control
from bothways.contract.document import Environment
from bothways.demo.customer_ca import make_server_files
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer
from bothways.operations.endpoints import set_endpoint
from bothways.operations.hub import Hub, contract, initialise, new_terms, open_hub
from bothways.operations.services import add_service
from bothways.operations.settings import render_settings
from bothways.outbound.probe import probe_customer
from bothways.registry.customer import CustomerKind
from bothways.registry.service import Service

DONE, ELSEWHERE = "notices are done here", "notices are another control plane's"


def version(hub: Hub) -> str:
    status = control(hub, "GET", "/status")
    assert status
    return str(status["version"])


def told(hub: Hub) -> set[tuple[str, str]]:
    """Return which nodes have all, each with the port by which its control plane is told apart."""
    status = control(hub, "GET", "/status")
    assert status
    there = [each for each in status["nodes"] if each["connected"] and each["settled"]]
    return {(each["node"], each["control_plane"].rpartition(":")[2]) for each in there}


def all_that_a_probe_asks(hub: Hub, place: Path) -> list[tuple[str, str]]:
    """Register a customer with a server, and return by which nodes it is reached."""
    files = make_server_files(place, "Bank", "bank.localhost")
    server = Python(files, contract(hub).trust.client_ca)
    with server.running():
        add_customer(hub, "12345678", CustomerKind.ISSUER, "Bank")
        set_endpoint(hub, "12345678", f"https://bank.localhost:{server.port}")
        endorse_chain(hub, submit_chain(hub, "12345678", files.chain.read_bytes()).id)
        probe = probe_customer(hub, "12345678")
    assert probe.findings == ()
    return [(each["node"], each["outcome"]) for each in probe.document()["evidence"]["calls"]]


# It takes some seconds: what two control planes do to each other, no part of one shows.
@pytest.mark.envoy
@pytest.mark.timeout(300)
def test_a_change_reaches_both_and_who_is_left_takes_over_the_nodes_and_what_the_clock_asks() -> None:
    settings = plane_settings(new_schema())
    # Short, for unix sockets have short names.
    stack = ExitStack()
    short = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hub-")))
    places = short / "a", short / "b"
    initialise(places[0], new_terms(Environment.PPR, "ppr.hub.localhost", settings), settings, "tester")
    shutil.copytree(*places)
    (places[1] / "hub.toml").write_text(render_settings(plane_settings(settings.database)))

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
        ports = [str(each.settings.portal_port) for each in (first, second)]
        node = node_of((first, second), short / "eu-1", agent=True)
        assert control(first, "POST", "/apply")
        node.start()
        stack.callback(node.stop)
        own = {("ppr-embedded", each) for each in ports}
        # The node goes to the first, and past it if that one lags.
        eventually(lambda: told(first) == told(second) in [own | {("eu-1", each)} for each in ports], "not known")
        other = second if ("eu-1", ports[0]) in told(second) else first
        before = version(second)
        add_service(first, Service("tokens", "/tokens", "http://127.0.0.1:9000"))
        assert control(first, "POST", "/apply")
        eventually(lambda: version(second) != before, "the other control plane did not hear of it")
        # Its own Envoy, and the node that hangs on the other control plane.
        assert all_that_a_probe_asks(other, short) == [("ppr-embedded", "answered"), ("eu-1", "answered")]
        os.kill(processes[holder].pid, signal.SIGKILL)
        eventually(lambda: says(waiting, DONE), "nobody took over")
        add_service(second, Service("cards", "/cards", "http://127.0.0.1:9000"))
        applied = control(second, "POST", "/apply")
        assert applied
        assert applied["in_force"] is True
        # Nobody here knows whether the Envoy beside the one that was killed goes on.
        assert [each for each in applied["away"] if each.endswith(f":{ports[0]}")]
        # It was not waited for for ever, and its Envoy has gone with it; the node has come over, and has the change.
        eventually(lambda: told(second) == {("ppr-embedded", ports[1]), ("eu-1", ports[1])}, "the node did not come")


@pytest.mark.soak
@pytest.mark.envoy
@pytest.mark.timeout(900)
def test_whatever_is_killed_no_call_at_another_node_and_no_change_is_lost_or_late() -> None:
    found = killed()
    assert (found.calls, found.missing) == ([], [])
    assert len(found.kills) == 6
    assert max(found.late()) <= LATE
