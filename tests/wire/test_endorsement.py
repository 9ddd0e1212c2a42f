"""What an endorsement opens, and what it ends, at the real Envoy: for one customer, one host, and while it is there."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from tests.wire.conftest import World
from tests.wire.test_outbound import Serve, egress, endorse, established, serving

from bothways.demo.customer_ca import make_server_files
from bothways.operations.chains import endorse_chain, submit_chain, withdraw_chain
from bothways.operations.customers import show_customer
from bothways.operations.endpoints import approve_endpoint, set_endpoint, submit_endpoint
from bothways.outbound.probe import probe_customer
from bothways.pki.keys import spki_pin
from bothways.store.submitted_endpoints import SubmittedEndpoint

pytestmark = pytest.mark.envoy


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with serving(tmp_path) as make:
        yield make


def another(place: Path, host: str) -> bytes:
    """Return the chain of another PKI for the same host."""
    place.mkdir()
    return make_server_files(place, "Another Bank", host).chain.read_bytes()


def pin_of(file: Path) -> str:
    return spki_pin(x509.load_pem_x509_certificates(file.read_bytes())[0].public_key())


def test_a_ca_of_two_customers_opens_for_each_its_own_host_alone(world: World, serve: Serve) -> None:
    mine, theirs = serve(world, "E1", "e1.localhost"), serve(world, "E2", "e2.localhost")
    established(world, mine)
    # What is endorsed for E2 is the CA of E1, whose server answers at E2's host.
    set_endpoint(world.hub, "E2", theirs.url.replace(theirs.url.rpartition(":")[2], mine.url.rpartition(":")[2]))
    endorse_chain(world.hub, submit_chain(world.hub, "E2", mine.pem).id)
    world.apply()
    fact = probe_customer(world.hub, "E2").fact
    assert (fact.ok, "SAN_matcher" in fact.seen) == (False, True)
    assert mine.calls.empty()


def test_a_withdrawn_chain_is_not_believed_on_pooled_connections_though_the_flow_stays_open(
    world: World, serve: Serve, tmp_path: Path
) -> None:
    server = serve(world, "E3", "e3.localhost")
    number = endorse(world, server)
    endorse(world, server, another(tmp_path / "other", "e3.localhost"))
    assert probe_customer(world.hub, "E3").fact.ok
    world.apply()
    assert egress(world, "E3").status_code == 200
    while not server.calls.empty():
        server.calls.get()
    withdraw_chain(world.hub, number, "the CA was replaced")
    world.apply()
    assert show_customer(world.hub, "E3").assessment.outbound.open
    answer = egress(world, "E3")
    assert (answer.status_code, "CERTIFICATE_VERIFY_FAILED" in answer.text) == (502, True)
    assert server.calls.empty()


def test_a_change_of_ca_with_both_endorsed_loses_no_call(world: World, serve: Serve, tmp_path: Path) -> None:
    server = serve(world, "E4", "e4.localhost")
    first = established(world, server)
    (tmp_path / "next").mkdir()
    successor = make_server_files(tmp_path / "next", "Next Bank", "e4.localhost")
    statuses = [egress(world, "E4").status_code]
    second = endorse_chain(world.hub, submit_chain(world.hub, "E4", successor.chain.read_bytes()).id)
    world.apply()
    statuses += [egress(world, "E4").status_code for _ in range(3)]
    # The certificate first: the receiver goes on with the old pair until the key is there too.
    successor.certificate.rename(server.files.certificate)
    statuses.append(egress(world, "E4").status_code)
    successor.key.rename(server.files.key)
    statuses += [egress(world, "E4").status_code for _ in range(3)]
    assert probe_customer(world.hub, "E4").fact.ok
    withdraw_chain(world.hub, first, "the CA was replaced")
    world.apply()
    statuses += [egress(world, "E4").status_code for _ in range(3)]
    assert statuses == [200] * len(statuses)
    assert show_customer(world.hub, "E4").assessment.outbound.open
    withdraw_chain(world.hub, second.id, "and that one too")
    world.apply()
    assert egress(world, "E4").status_code == 404


def test_another_customers_endorsement_and_withdrawal_lose_no_call(world: World, serve: Serve, tmp_path: Path) -> None:
    bystander, other = serve(world, "E5", "e5.localhost"), serve(world, "E6", "e6.localhost")
    established(world, bystander)
    statuses, stop = [], threading.Event()

    def call() -> None:
        while not stop.is_set():
            statuses.append(egress(world, "E5").status_code)

    thread = threading.Thread(target=call)
    thread.start()
    try:
        for turn in range(3):
            number = established(world, other)
            endorse(world, other, another(tmp_path / str(turn), "e6.localhost"))
            withdraw_chain(world.hub, number, "in turns")
            world.apply()
    finally:
        stop.set()
        thread.join()
    assert statuses == [200] * len(statuses) != []


def test_a_pinned_server_is_believed_with_its_key_alone_and_only_under_its_ca(
    world: World, serve: Serve, tmp_path: Path
) -> None:
    server = serve(world, "E7", "e7.localhost")
    set_endpoint(world.hub, "E7", server.url)
    right, wrong = pin_of(server.files.certificate), "ab" * 32

    def probed(pem: bytes, *pins: str) -> tuple[bool, str]:
        chain = endorse_chain(world.hub, submit_chain(world.hub, "E7", pem).id, pins=pins)
        world.apply()
        fact = probe_customer(world.hub, "E7").fact
        withdraw_chain(world.hub, chain.id, "the next one")
        return fact.ok, fact.seen

    assert probed(server.pem, right, wrong)[0]
    refused = probed(server.pem, wrong)
    assert refused[0] is False
    assert "verify" in refused[1].lower()
    # The right key under a CA that is not endorsed is nobody.
    refused = probed(another(tmp_path / "other", "e7.localhost"), right)
    assert (refused[0], "CERTIFICATE_VERIFY_FAILED" in refused[1]) == (False, True)


def test_another_host_is_called_only_once_it_is_approved_and_proved(world: World, serve: Serve) -> None:
    server = serve(world, "E8", "e8.localhost")
    established(world, server)
    moved = submit_endpoint(world.hub, "E8", server.url.replace("e8.", "moved.e8."))
    assert isinstance(moved, SubmittedEndpoint)
    world.apply()
    assert egress(world, "E8").status_code == 200
    server.calls.get(timeout=5)
    submit_endpoint(world.hub, "E8", f"{server.url}/hub")
    world.apply()
    assert egress(world, "E8", "/notify").status_code == 200
    assert server.calls.get(timeout=5).path == "/hub/notify"
    again = submit_endpoint(world.hub, "E8", server.url.replace("e8.", "moved.e8."))
    assert isinstance(again, SubmittedEndpoint)
    approve_endpoint(world.hub, again.id)
    world.apply()
    assert egress(world, "E8").status_code == 404
    assert not probe_customer(world.hub, "E8").fact.ok
    assert server.calls.empty()
