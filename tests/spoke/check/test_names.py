from dataclasses import replace
from pathlib import Path

import pytest
from tests.dns_server import DnsServer

from bothways.spoke.addresses import Found
from bothways.spoke.check.names import Stack, name_steps, this_machine
from bothways.spoke.resolver import Question

HOST = "api.hub.test"


@pytest.fixture
def question(dns_server: DnsServer, tmp_path: Path) -> Question:
    dns_server.records[HOST, "A"] = ["60 192.0.2.1"]
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n")
    return Question(("127.0.0.1",), dns_server.port, tmp_path / "hosts")


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    (tmp_path / "resolv.conf").write_text("# mine\nnameserver 127.0.0.53\nnameserver 192.0.2.53\n")
    return Stack(tmp_path / "resolv.conf", tmp_path / "nscd", tmp_path / "java.security")


def ids(question: Question, stack: Stack, host: str = HOST) -> list[str]:
    _, steps = name_steps(host, question, stack)
    # What the lookup of this very machine says of an invented name is not the matter here.
    return [each.id for step in steps for each in step.findings if each.id != "CHECK-DNS-06"]


def test_a_name_is_told_with_its_addresses_and_for_how_long(question: Question, stack: Stack) -> None:
    answer, steps = name_steps(HOST, question, stack)
    assert isinstance(answer, Found)
    assert steps[0].said == f"{HOST} is 192.0.2.1 for 60 s"
    assert "127.0.0.53 (systemd-resolved, which keeps to the TTL), 192.0.2.53" in steps[1].said
    assert ids(question, stack) == []


def test_a_name_that_is_not_there_and_a_resolver_that_fails(
    question: Question, stack: Stack, dns_server: DnsServer
) -> None:
    assert ids(question, stack, "other.test") == ["CHECK-DNS-01"]
    dns_server.mode = "SERVFAIL"
    assert ids(question, stack) == ["CHECK-DNS-02"]


def test_an_address_that_was_written_down_is_an_error(question: Question, stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(f"192.0.2.9 other {HOST.upper()}\n")
    assert ids(question, stack) == ["CHECK-DNS-03"]


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ("networkaddress.cache.ttl=-1", ["CHECK-DNS-05"]),
        ("networkaddress.cache.ttl = 3600", ["CHECK-DNS-05"]),
        ("#networkaddress.cache.ttl=-1", []),
        ("networkaddress.cache.ttl=30", []),
    ],
)
def test_caches_that_do_not_keep_to_the_ttl_are_found(
    question: Question, stack: Stack, tmp_path: Path, setting: str, found: list[str]
) -> None:
    (tmp_path / "java.security").write_text(f"# a file\n{setting}\n")
    assert ids(question, stack) == found
    (tmp_path / "nscd").touch()
    assert "CHECK-DNS-04" in ids(question, stack)


@pytest.mark.parametrize(
    ("proxies", "found"),
    [
        ({"https": "http://user:secret@proxy.bank.example:3128"}, ["CHECK-PROXY-01"]),
        ({"all": "socks5://proxy", "no": "other.test,.bank.example"}, ["CHECK-PROXY-01"]),
        ({"http": "http://proxy:3128"}, []),
        ({"https": "http://proxy:3128", "no": "localhost, .hub.test"}, []),
        ({"https": "http://proxy:3128", "no": HOST}, []),
        ({"https": "http://proxy:3128", "no": "*"}, []),
    ],
)
def test_a_proxy_of_the_environment_is_told_without_its_password(
    question: Question, stack: Stack, proxies: dict[str, str], found: list[str]
) -> None:
    _, steps = name_steps(HOST, question, replace(stack, proxies=proxies))
    told = [each for step in steps for each in step.findings if each.id == "CHECK-PROXY-01"]
    assert ([each.id for each in told], "secret" in str(told)) == (found, False)


def test_the_proxies_of_this_machine_are_those_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.bank.example:3128")
    assert this_machine().proxies["https"] == "http://proxy.bank.example:3128"


def test_the_lookup_of_this_machine_is_compared(question: Question, stack: Stack) -> None:
    _, steps = name_steps(HOST, question, stack)
    # The machine's own resolver does not know a name of `.test` (RFC 6761 section 6.2).
    assert [each.id for each in steps[0].findings] == ["CHECK-DNS-06"]


def test_this_machine_has_its_resolvers_where_they_are_looked_for() -> None:
    assert this_machine().resolvers == Path("/etc/resolv.conf")
