from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bothways.pki.chain import certificate_pem
from bothways.registry.flow import Flow
from bothways.registry.service import STREAMING_MOST, TIMEOUT_MOST, Service, service_findings

TOKENS = Service("tokens", "/tokens", "http://127.0.0.1:9000")


def ids(service: Service, *others: Service) -> list[str]:
    return [each.id for each in service_findings(service, others, datetime.now(UTC))]


def test_a_good_service_has_no_findings_beside_others() -> None:
    assert ids(TOKENS, Service("cards", "/cards", "http://cards:9000"), Service("v2", "/tokens2", "http://v:1")) == []


@pytest.mark.parametrize("name", ["", "Tokens", "1tokens", "-tokens", "to kens", "tokens\n", "tökens", "x" * 64, "a/b"])
def test_service_01_wants_a_plain_name(name: str) -> None:
    assert ids(Service(name, "/tokens", "http://127.0.0.1:9000")) == ["SERVICE-01"]


@pytest.mark.parametrize(
    "prefix",
    ["/", "tokens", "/tokens/", "//tokens", "/../tokens", "/tokens/..", "/.tokens", "/to kens", "/t%6fkens", "/t\n"],
)
def test_service_02_wants_a_plain_path(prefix: str) -> None:
    assert ids(Service("tokens", prefix, "http://127.0.0.1:9000")) == ["SERVICE-02"]


def test_service_02_and_03_refuse_the_prefix_of_everything() -> None:
    assert ids(Service("tokens", "", "http://127.0.0.1:9000")) == ["SERVICE-02", "SERVICE-03"]


@pytest.mark.parametrize("prefix", ["/connectivity", "/connectivity/tokens", "/cards", "/cards/v1", "/a"])
def test_service_03_wants_a_path_of_its_own(prefix: str) -> None:
    others = Service("cards", "/cards", "http://c:1"), Service("ab", "/a/b", "http://c:1")
    assert ids(Service("tokens", prefix, "http://127.0.0.1:9000"), *others) == ["SERVICE-03"]


@pytest.mark.parametrize("prefix", ["/connectivity2", "/cards2", "/card", "/a/c"])
def test_service_03_compares_whole_parts_of_paths(prefix: str) -> None:
    others = Service("cards", "/cards", "http://c:1"), Service("ab", "/a/b", "http://c:1")
    assert ids(Service("tokens", prefix, "http://127.0.0.1:9000"), *others) == []


def test_service_03_names_each_overlap() -> None:
    others = Service("one", "/a/b", "http://c:1"), Service("two", "/a/c", "http://c:1")
    assert ids(Service("tokens", "/a", "http://c:1"), *others) == ["SERVICE-03", "SERVICE-03"]


def test_service_04_wants_a_flow() -> None:
    assert ids(Service("tokens", "/tokens", "http://127.0.0.1:9000", frozenset())) == ["SERVICE-04"]


@pytest.mark.parametrize("needs", [{Flow.INBOUND}, {Flow.OUTBOUND}, set(Flow)])
def test_service_04_takes_any_flow(needs: set[Flow]) -> None:
    assert ids(Service("tokens", "/tokens", "http://127.0.0.1:9000", frozenset(needs))) == []


@pytest.mark.parametrize(
    ("upstream", "host", "port"),
    [
        ("http://127.0.0.1:9000", "127.0.0.1", 9000),
        ("http://tokens.svc.local:80/", "tokens.svc.local", 80),
        ("http://[::1]:9000", "::1", 9000),
        ("http://my_service:1", "my_service", 1),
    ],
)
def test_an_upstream_is_a_host_and_a_port(upstream: str, host: str, port: int) -> None:
    service = Service("tokens", "/tokens", upstream)
    assert (ids(service), service.upstream_host, service.upstream_port) == ([], host, port)


@pytest.mark.parametrize(
    "upstream",
    [
        "",
        "127.0.0.1:9000",
        "http://127.0.0.1",
        "https://tokens.internal",
        "h2c://127.0.0.1:9000",
        "HTTPS//tokens:1",
        "http://:9000",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:http",
        "http://127.0.0.1:9000/tokens",
        "http://127.0.0.1:9000?a",
        "http://127.0.0.1:9000#a",
        "http://user@127.0.0.1:9000",
        "http://[::1",
        "http://to kens:9000",
        "http://tökens:9000",
        "http://to;kens:9000",
    ],
)
def test_service_05_wants_host_and_port_alone(upstream: str) -> None:
    assert ids(Service("tokens", "/tokens", upstream)) == ["SERVICE-05"]


@pytest.fixture
def ca_pem(make_ca: Callable[..., Any]) -> str:
    return certificate_pem(make_ca("Service CA")[1])


@pytest.mark.parametrize("upstream", ["https://tokens.internal:8443", "https://localhost:1", "https://t1:443/"])
def test_an_https_upstream_has_a_name_and_the_cas_that_vouch_for_it(upstream: str, ca_pem: str) -> None:
    service = Service("tokens", "/tokens", upstream, upstream_ca=ca_pem)
    assert (ids(service), service.upstream_tls) == ([], True)


def test_two_cas_can_vouch_for_a_service_so_that_one_can_follow_the_other(
    make_ca: Callable[..., Any], ca_pem: str
) -> None:
    both = ca_pem + certificate_pem(make_ca("Next service CA")[1])
    assert ids(Service("tokens", "/tokens", "https://tokens.internal:8443", upstream_ca=both)) == []


@pytest.mark.parametrize(
    "upstream", ["https://10.1.2.3:8443", "https://[::1]:8443", "https://1.2:443", "https://.internal:1"]
)
def test_service_06_wants_a_name_that_a_certificate_can_have(upstream: str, ca_pem: str) -> None:
    assert ids(Service("tokens", "/tokens", upstream, upstream_ca=ca_pem)) == ["SERVICE-06"]


def test_service_06_wants_cas_with_tls_and_none_without(ca_pem: str) -> None:
    assert ids(Service("tokens", "/tokens", "https://tokens.internal:8443")) == ["SERVICE-06"]
    assert ids(Service("tokens", "/tokens", "http://tokens.internal:8080", upstream_ca=ca_pem)) == ["SERVICE-06"]


def test_the_cas_of_a_service_keep_the_rules_for_trust_anchors(make_ca: Callable[..., Any]) -> None:
    def found(pem: str) -> list[str]:
        return ids(Service("tokens", "/tokens", "https://tokens.internal:8443", upstream_ca=pem))

    assert found(certificate_pem(make_ca("Old", days=-1)[1])) == ["CHAIN-DATE-01"]
    assert found(certificate_pem(make_ca("End entity", ca=False)[1])) == ["CHAIN-CA-01"]
    assert found("nothing") != []


@pytest.mark.parametrize("timeout", [0, -1, TIMEOUT_MOST + 1])
def test_service_07_wants_a_time_out_that_ends(timeout: int) -> None:
    assert ids(replace(TOKENS, timeout=timeout)) == ["SERVICE-07"]


@pytest.mark.parametrize("streaming", [-1, STREAMING_MOST + 1])
def test_service_08_wants_a_stream_that_ends(streaming: int) -> None:
    assert ids(replace(TOKENS, streaming=streaming)) == ["SERVICE-08"]


@pytest.mark.parametrize("timeout", [1, TIMEOUT_MOST])
@pytest.mark.parametrize("streaming", [0, 1, STREAMING_MOST])
def test_the_ends_of_the_ranges_are_taken(timeout: int, streaming: int) -> None:
    assert ids(replace(TOKENS, timeout=timeout, streaming=streaming)) == []


@pytest.mark.parametrize("path", ["health", " /health", "/health\n", "/he alth", "/#a", "/" + "a" * 255, "/\u00e9"])
def test_service_09_wants_a_plain_path_to_ask_for_health(path: str) -> None:
    assert ids(replace(TOKENS, health_path=path)) == ["SERVICE-09"]


@pytest.mark.parametrize("path", ["/", "/health", "/actuator/health?probe=ready"])
def test_service_09_takes_a_path_with_a_query(path: str) -> None:
    assert ids(replace(TOKENS, health_path=path)) == []


def test_all_mistakes_are_found_at_once_with_the_service() -> None:
    findings = service_findings(Service("Tokens", "tokens", "", frozenset()), (), datetime.now(UTC))
    assert [each.id for each in findings] == ["SERVICE-01", "SERVICE-02", "SERVICE-04", "SERVICE-05"]
    assert {each.subject for each in findings} == {"Tokens"}


TEXT = st.text("abz09/.:[]@-_ %", max_size=12) | st.text()


@settings(deadline=None)
@given(
    st.builds(
        Service,
        TEXT,
        TEXT,
        TEXT | TEXT.map("http://{}".format) | TEXT.map("https://{}".format),
        st.frozensets(st.sampled_from(Flow)),
        st.just(""),
        st.booleans(),
        st.integers(),
        st.integers(),
        TEXT,
    )
)
def test_every_service_is_judged(service: Service) -> None:
    assert set(ids(service, TOKENS)) <= {f"SERVICE-0{number}" for number in range(1, 10)}
