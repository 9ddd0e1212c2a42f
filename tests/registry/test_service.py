import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bothways.registry.flow import Flow
from bothways.registry.service import Service, service_findings

TOKENS = Service("tokens", "/tokens", "http://127.0.0.1:9000")


def ids(service: Service, *others: Service) -> list[str]:
    return [each.id for each in service_findings(service, others)]


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
        "https://127.0.0.1:9000",
        "http://127.0.0.1",
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
def test_service_05_wants_plain_http_with_host_and_port_alone(upstream: str) -> None:
    assert ids(Service("tokens", "/tokens", upstream)) == ["SERVICE-05"]


def test_all_mistakes_are_found_at_once_with_the_service() -> None:
    findings = service_findings(Service("Tokens", "tokens", "", frozenset()), ())
    assert [each.id for each in findings] == ["SERVICE-01", "SERVICE-02", "SERVICE-04", "SERVICE-05"]
    assert {each.subject for each in findings} == {"Tokens"}


TEXT = st.text("abz09/.:[]@-_ %", max_size=12) | st.text()


@settings(deadline=None)
@given(st.builds(Service, TEXT, TEXT, TEXT | TEXT.map("http://{}".format), st.frozensets(st.sampled_from(Flow))))
def test_every_service_is_judged(service: Service) -> None:
    assert set(ids(service, TOKENS)) <= {f"SERVICE-0{number}" for number in range(1, 6)}
