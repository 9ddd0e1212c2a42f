"""What is promised about DNS, files and connections, by each of the four clients, over real DNS and mutual TLS."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from cryptography import x509
from tests.eventually import eventually
from tests.spoke.hubs import HOST, Caller, Hubs, calling

from bothways import files
from bothways.contract.document import KeyType
from bothways.contract.subject import Subject
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke
from bothways.spoke.events import (
    Closed,
    Connected,
    ConnectFailed,
    Event,
    FilesRefused,
    FilesUsed,
    LookupFailed,
    Retired,
)
from bothways.spoke.install import install_certificate
from bothways.spoke.lease import Reason

KINDS = ["Client", "AsyncClient", "requests", "aiohttp"]
PACE = 0.02
"""Seconds between calls of a steady load: what goes wrong at a change shows, and the rest of the tests goes on."""


@pytest.fixture(params=KINDS)
def caller(request: pytest.FixtureRequest, hubs: Hubs) -> Iterator[Caller]:
    with calling(request.param, hubs) as opened:
        yield opened


def told(caller: Caller, kind: type[Event]) -> list[Event]:
    return [each for each in caller.events if isinstance(each, kind)]


def test_a_new_address_is_used_under_steady_load_and_no_request_is_lost(caller: Caller, hubs: Hubs) -> None:
    assert caller.get("/") == "127.0.0.1"
    hubs.at("127.0.0.2")
    changed = time.monotonic()
    while caller.get("/") == "127.0.0.1":
        time.sleep(PACE)
    # The promise is a TTL and a second, 2 s here; what the rest of this machine does meanwhile is not ours.
    assert time.monotonic() - changed < 20
    assert {caller.get("/") for _ in range(20)} == {"127.0.0.2"}
    assert caller.metrics.value("bothways_spoke_address_changes_total", host=HOST) == 1
    assert [str(each) for each in told(caller, Retired)] == [
        f"the connection to {HOST} at 127.0.0.1 is retired: DNS no longer gives its address"
    ]


def test_an_idle_connection_to_an_old_address_is_closed_by_itself(caller: Caller, hubs: Hubs) -> None:
    caller.get("/")
    assert len(hubs.first.open) == 1
    hubs.at("127.0.0.2")
    eventually(lambda: not hubs.first.open)
    # The hub may know of the end before the client has counted it.
    eventually(lambda: caller.metrics.value("bothways_spoke_connections_open", host=HOST) == 0)
    assert hubs.second.accepted == 0


def test_a_request_that_is_under_way_goes_to_its_end(caller: Caller, hubs: Hubs) -> None:
    slow = caller.slow()
    hubs.at("127.0.0.2")
    while caller.get("/") == "127.0.0.1":
        time.sleep(PACE)
    eventually(lambda: told(caller, Retired))
    assert len(hubs.first.open) == 1
    hubs.first.go.set()
    assert slow.text() == "127.0.0.1"
    eventually(lambda: not hubs.first.open)
    assert caller.get("/") == "127.0.0.2"


def test_while_nothing_changes_one_connection_serves_through_many_ttls(
    caller: Caller, hubs: Hubs, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow this machine is, DNS answers within it.
    monkeypatch.setattr("bothways.spoke.addresses.GRACE_SECONDS", 60.0)
    while len(hubs.dns.questions) < 6:
        assert caller.get("/") == "127.0.0.1"
        time.sleep(PACE)
    assert hubs.first.accepted == 1


def test_when_dns_fails_calls_go_on_and_it_is_told(caller: Caller, hubs: Hubs) -> None:
    caller.get("/")
    hubs.dns.mode = "SERVFAIL"
    while len(told(caller, LookupFailed)) < 2:
        assert caller.get("/") == "127.0.0.1"
        time.sleep(PACE)
    last = told(caller, LookupFailed)[-1]
    assert isinstance(last, LookupFailed)
    assert (last.host, last.stale) == (HOST, ("127.0.0.1",))
    assert caller.metrics.value("bothways_spoke_dns_answers_total", host=HOST, outcome="failed") >= 2


def test_a_name_that_is_gone_fails_at_once(caller: Caller, hubs: Hubs) -> None:
    caller.get("/")
    hubs.dns.records = {}
    with pytest.raises(caller.failure, match="does not exist"):  # noqa: PT012 - until it is noticed
        while True:
            caller.get("/")
            time.sleep(PACE)


def test_a_silent_dns_server_takes_no_longer_than_a_question(
    caller: Caller, hubs: Hubs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bothways.spoke.resolver.LIFETIME_SECONDS", 0.3)
    hubs.dns.mode = "silent"
    started = time.monotonic()
    with pytest.raises(caller.failure, match="has no address"):
        caller.get("/")
    assert time.monotonic() - started < 30
    assert [type(each) for each in told(caller, ConnectFailed)] == [ConnectFailed]


def test_the_second_of_two_addresses_is_taken_if_the_first_refuses(caller: Caller, hubs: Hubs) -> None:
    hubs.at("127.0.0.3", "127.0.0.2", ttl=60)
    assert [caller.get("/") for _ in range(3)] == ["127.0.0.2"] * 3
    assert hubs.second.accepted == 1


def test_an_address_that_refuses_is_said(caller: Caller, hubs: Hubs) -> None:
    hubs.at("127.0.0.3")
    with pytest.raises(caller.failure, match=r"refused|Connect call failed"):
        caller.get("/")


def test_an_old_connection_is_retired_by_its_age(caller: Caller, hubs: Hubs, monkeypatch: pytest.MonkeyPatch) -> None:
    hubs.at("127.0.0.1", ttl=60)
    monkeypatch.setattr("bothways.spoke.lease.AGE_MOST", 0.0)
    for _ in range(3):
        caller.get("/")
    assert hubs.first.accepted == 3
    assert hubs.first.requests == 3


def serial_number(spoke: Spoke) -> str:
    return str(x509.load_pem_x509_certificates(spoke.certificate_file.read_bytes())[0].serial_number)


def test_a_renewed_certificate_is_used_and_the_old_connections_end(
    caller: Caller, hubs: Hubs, subject: Subject, renewed: Callable[[Spoke], bytes]
) -> None:
    hubs.at("127.0.0.1", ttl=60)
    before = serial_number(hubs.spoke)
    slow = caller.slow()
    # Of the two connections, one is idle.
    assert (caller.get("/who"), caller.get("/who")) == (before, before)
    make_request(hubs.spoke, KeyType.ECDSA, subject)
    install_certificate(hubs.spoke, renewed(hubs.spoke))
    eventually(lambda: caller.get("/who") == serial_number(hubs.spoke) != before)
    hubs.first.go.set()
    # What was under way has gone to its end on the old connection.
    assert slow.text() == "127.0.0.1"
    eventually(lambda: len(hubs.first.open) == 1)
    assert hubs.first.accepted == 3
    assert told(caller, FilesUsed) == [FilesUsed()]
    assert {each.reason for each in told(caller, Retired) if isinstance(each, Retired)} == {Reason.FILES}
    ends = x509.load_pem_x509_certificates(hubs.spoke.certificate_file.read_bytes())[0].not_valid_after_utc
    name = "bothways_spoke_certificate_expiration_timestamp_seconds"
    assert caller.metrics.value(name) == ends.timestamp()


def test_damaged_files_keep_no_open_client_from_calling(caller: Caller, hubs: Hubs) -> None:
    before = caller.get("/who")
    files.replace(hubs.spoke.certificate_file, b"damaged")
    eventually(lambda: caller.get("/who") != before or told(caller, FilesRefused))
    assert caller.get("/who") == before
    [refused] = told(caller, FilesRefused)
    assert "cannot be used, so it goes on as before" in str(refused)


def test_what_is_not_idempotent_is_not_sent_a_second_time(caller: Caller, hubs: Hubs) -> None:
    with pytest.raises(caller.failure):
        caller.get("/cut", "POST")
    assert hubs.first.requests == 1


def test_what_is_closed_asks_no_more_and_has_no_connection(caller: Caller, hubs: Hubs) -> None:
    caller.get("/")
    caller.close()
    eventually(lambda: not hubs.first.open)
    eventually(lambda: told(caller, Closed))
    eventually(lambda: not [each for each in threading.enumerate() if each.name == "bothways-dns"])
    assert [type(each) for each in caller.events if isinstance(each, Connected | Closed)] == [Connected, Closed]


def test_an_observer_that_raises_stops_no_call(hubs: Hubs, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Event) -> None:
        raise KeyError("a mistake")

    with caplog.at_level(logging.DEBUG, "bothways.spoke"), calling("Client", hubs, on_event=fail) as caller:
        assert caller.get("/") == "127.0.0.1"
    assert "on_event failed at" in caplog.text
    assert f"{HOST} is at 127.0.0.1 for 1 s" in caplog.text
