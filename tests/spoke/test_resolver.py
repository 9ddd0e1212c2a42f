import threading
from pathlib import Path
from typing import Any

import anyio
import pytest

from bothways.spoke.addresses import STALE_SECONDS, TTL_MOST, Answer, Failed, Found, Missing
from bothways.spoke.events import AddressesFound, Event
from bothways.spoke.resolver import Question, Resolver


@pytest.fixture
def question(dns_server: Any, tmp_path: Path) -> Question:
    return Question(("127.0.0.1",), dns_server.port, tmp_path / "hosts")


class Clock:
    """A clock that goes on when it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_addresses_of_both_families_come_with_the_least_ttl_of_the_chain(question: Question, dns_server: Any) -> None:
    dns_server.records = {
        ("api.hub.test", "CNAME"): ["30 edge.test"],
        ("edge.test", "CNAME"): ["20 node.test"],
        ("node.test", "A"): ["300 192.0.2.1", "300 192.0.2.2"],
        ("node.test", "AAAA"): ["10 2001:db8::1"],
    }
    answer = question.ask("api.hub.test")
    assert answer == Found({"2001:db8::1": 10, "192.0.2.1": 20, "192.0.2.2": 20})
    assert sorted(dns_server.questions) == ["api.hub.test. A", "api.hub.test. AAAA"]


def test_one_family_is_enough(question: Question, dns_server: Any) -> None:
    dns_server.records = {("api.hub.test", "A"): ["60 192.0.2.1"]}
    assert question.ask("api.hub.test") == Found({"192.0.2.1": 60})


def test_what_does_not_exist_is_missing_for_as_long_as_the_soa_says(question: Question, dns_server: Any) -> None:
    assert question.ask("api.hub.test") == Missing(7)
    dns_server.records = {("api.hub.test", "TXT"): []}
    assert question.ask("api.hub.test") == Missing(7)


@pytest.mark.parametrize("mode", ["SERVFAIL", "REFUSED", "silent"])
def test_failures_are_failures_and_not_missing(question: Question, dns_server: Any, mode: str) -> None:
    dns_server.mode = mode
    answer = question.ask("api.hub.test")
    assert isinstance(answer, Failed)
    assert "api.hub.test" in answer.reason or "lifetime" in answer.reason


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".test", "\udcff.test"], ids=ascii)
def test_a_name_that_dns_cannot_have_fails(question: Question, host: str) -> None:
    assert isinstance(question.ask(host), Failed)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("localhost", "127.0.0.1"),
        ("api.ppr.LOCALHOST.", "127.0.0.1"),
        ("192.0.2.7", "192.0.2.7"),
        ("[2001:db8::7]", "2001:db8::7"),
    ],
)
def test_what_needs_no_dns_asks_nobody(question: Question, dns_server: Any, host: str, address: str) -> None:
    assert question.ask(host) == Found({address: TTL_MOST})
    assert dns_server.questions == []


@pytest.mark.parametrize("host", ["notlocalhost", "localhost.test"])
def test_names_that_only_look_like_localhost_go_to_the_resolver(question: Question, dns_server: Any, host: str) -> None:
    assert not isinstance(question.ask(host), Found)
    assert dns_server.questions


def test_the_hosts_file_comes_first(question: Question, dns_server: Any) -> None:
    question.hosts.write_text(
        "# comment\n192.0.2.9 other API.hub.test # the hub\nnonsense api.hub.test\n::9 api.hub.test\n"
    )
    answer = question.ask("api.hub.test")
    assert isinstance(answer, Found)
    assert list(answer.ttls) == ["192.0.2.9", "::9"]
    assert dns_server.questions == []


def test_an_answer_is_kept_for_its_ttl_and_asked_for_again_then(question: Question, dns_server: Any) -> None:
    dns_server.records = {("api.hub.test", "A"): ["60 192.0.2.1"]}
    clock = Clock()
    resolver = Resolver(question.ask, clock)
    assert resolver.addresses("api.hub.test") == ("192.0.2.1",)
    dns_server.records = {("api.hub.test", "A"): ["60 192.0.2.2"]}
    clock.now = 59.9
    assert resolver.addresses("api.hub.test") == ("192.0.2.1",)
    assert len(dns_server.questions) == 2
    clock.now = 60
    assert resolver.addresses("api.hub.test") == ("192.0.2.2",)
    assert "192.0.2.1" not in resolver.known("api.hub.test").until
    dns_server.records = {}
    clock.now = 120
    with pytest.raises(OSError, match="does not exist"):
        resolver.addresses("api.hub.test")


def test_when_dns_fails_the_last_answer_serves_for_a_bounded_time(question: Question, dns_server: Any) -> None:
    dns_server.records = {("api.hub.test", "A"): ["60 192.0.2.1"]}
    clock = Clock()
    answered = threading.Semaphore(0)
    resolver = Resolver(question.ask, clock, answered.release)
    resolver.addresses("api.hub.test")
    assert answered.acquire(timeout=30)
    dns_server.mode = "SERVFAIL"
    for clock.now in (60, 100, 200, 60 + STALE_SECONDS - 1):
        assert resolver.addresses("api.hub.test") == ("192.0.2.1",)
        assert answered.acquire(timeout=30)
    assert len(dns_server.questions) == 10
    clock.now = 60 + STALE_SECONDS + 100
    with pytest.raises(OSError, match="has no address"):
        resolver.addresses("api.hub.test")


def test_many_threads_ask_once() -> None:
    asked, go = [], threading.Event()

    def ask(host: str) -> Answer:
        asked.append(host)
        go.wait(30)
        return Found({"192.0.2.1": 60})

    resolver, seen = Resolver(ask), []
    threads = [threading.Thread(target=lambda: seen.append(resolver.addresses("api.hub.test"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(30)
    assert (asked, seen) == (["api.hub.test"], [("192.0.2.1",)] * 8)


def test_a_question_that_raises_leaves_nobody_waiting(caplog: pytest.LogCaptureFixture) -> None:
    def ask(_: str) -> Answer:
        raise KeyError("a mistake")

    resolver = Resolver(ask)
    for _ in range(2):
        with pytest.raises(OSError, match="KeyError: 'a mistake'"):
            resolver.addresses("api.hub.test")
    assert "asking for api.hub.test" in caplog.text


def test_who_waits_waits_no_longer_than_the_time_out() -> None:
    go = threading.Event()

    def ask(_: str) -> Answer:
        go.wait(60)
        return Found({"192.0.2.1": 60})

    resolver = Resolver(ask)
    with pytest.raises(TimeoutError, match=r"DNS has not answered for api\.hub\.test within 0\.05 s"):
        resolver.addresses("api.hub.test", 0.05)
    go.set()
    assert resolver.addresses("api.hub.test", 60) == ("192.0.2.1",)


def test_in_an_event_loop_it_waits_in_a_thread_and_only_if_it_has_to() -> None:
    threads: list[str] = []

    def ask(_: str) -> Answer:
        threads.append(threading.current_thread().name)
        return Found({"192.0.2.1": 60})

    resolver = Resolver(ask)
    for _ in range(2):
        assert anyio.run(resolver.addresses_async, "api.hub.test", 60) == ("192.0.2.1",)
    assert threads == ["bothways-question"]


def test_what_an_answer_means_is_told(question: Question, dns_server: Any) -> None:
    clock, events = Clock(), list[Event]()
    answered = threading.Semaphore(0)
    resolver = Resolver(question.ask, clock, answered.release, events.append)
    dns_server.records = {("api.hub.test", "A"): ["60 192.0.2.1"]}
    resolver.addresses("api.hub.test")
    assert answered.acquire(timeout=30)
    clock.now, dns_server.records = 60, {("api.hub.test", "A"): ["60 192.0.2.2"]}
    resolver.addresses("api.hub.test")
    assert answered.acquire(timeout=30)
    assert events == [
        AddressesFound("api.hub.test", ("192.0.2.1",), 60, changed=False),
        AddressesFound("api.hub.test", ("192.0.2.2",), 60, changed=True),
    ]


def test_what_is_watched_is_asked_for_again_by_itself(question: Question, dns_server: Any) -> None:
    dns_server.records = {("api.hub.test", "A"): ["1 192.0.2.1"]}
    changed = threading.Event()
    resolver = Resolver(question.ask)
    resolver.on_answer = lambda: changed.set() if "192.0.2.2" in resolver.known("api.hub.test").until else None
    assert resolver.addresses("api.hub.test") == ("192.0.2.1",)
    resolver.watch("api.hub.test")
    dns_server.records = {("api.hub.test", "A"): ["1 192.0.2.2"]}
    assert changed.wait(60)
    assert "192.0.2.1" not in resolver.known("api.hub.test").until
    resolver.unwatch("api.hub.test")
    resolver.close()
