import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bothways.errors import Refused
from bothways.registry.endpoint import Endpoint, EndpointRules, parse_endpoint

PORTS = (443, 8443)
RULES = EndpointRules(PORTS, "hub.example", ("api.elsewhere.example",))
ANY_PORT = EndpointRules(())


def refusal(url: str, rules: EndpointRules = RULES) -> list[str]:
    with pytest.raises(Refused) as refused:
        parse_endpoint(url, rules)
    assert {each.subject for each in refused.value.findings} == {url}
    return [each.id for each in refused.value.findings]


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://bank.example", Endpoint("bank.example", 443, "")),
        ("https://bank.example/", Endpoint("bank.example", 443, "")),
        ("https://bank.example:443/hub/", Endpoint("bank.example", 443, "/hub")),
        ("https://Bank.Example:8443/Hub/v1", Endpoint("bank.example", 8443, "/Hub/v1")),
        ("HTTPS://bank.example", Endpoint("bank.example", 443, "")),
        ("https://bank.example.:8443", Endpoint("bank.example", 8443, "")),
        ("https://xn--bnk-qla.example", Endpoint("xn--bnk-qla.example", 443, "")),
        (f"https://{'a' * 63}.example", Endpoint(f"{'a' * 63}.example", 443, "")),
        ("https://7.bank.example", Endpoint("7.bank.example", 443, "")),
    ],
)
def test_a_base_url_names_host_port_and_path(url: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(url, RULES) == endpoint


@pytest.mark.parametrize("url", ["https://bank.example", "https://bank.example:8443/hub"])
def test_a_url_is_printed_as_short_as_it_was(url: str) -> None:
    assert parse_endpoint(url, RULES).url == url


@pytest.mark.parametrize("url", ["http://bank.example:443", "ftp://bank.example", "//bank.example"])
def test_endpoint_01_wants_https(url: str) -> None:
    assert refusal(url) == ["ENDPOINT-01"]


@pytest.mark.parametrize(
    "host",
    [
        "",
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "127.1",
        "0x7f.1",
        "0177.0.0.0x1",
        "127.0.0.1.",
        "bank..example",
        ".bank.example",
        "-bank.example",
        "bank-.example",
        "bank_1.example",
        "*.bank.example",
        f"{'a' * 64}.example",
        ".".join(["a" * 63] * 4),
        "[::1",
        "bank.example..",
    ],
)
def test_endpoint_02_wants_a_dns_name_and_no_address(host: str) -> None:
    assert refusal(f"https://{host}") == ["ENDPOINT-02"]


@pytest.mark.parametrize("port", ["0", "80", "8080", "65536", "-1", "https", "4_43"])
def test_endpoint_03_wants_an_agreed_port(port: str) -> None:
    assert refusal(f"https://bank.example:{port}") == ["ENDPOINT-03"]


def test_endpoint_03_lets_any_port_pass_where_none_is_listed_but_zero() -> None:
    assert parse_endpoint("https://bank.example:10443", ANY_PORT).port == 10443
    assert refusal("https://bank.example:0", ANY_PORT) == ["ENDPOINT-03"]


@pytest.mark.parametrize(
    "url",
    [
        "https://user@bank.example",
        "https://user:secret@bank.example",
        "https://@bank.example",
        "https://bank.example/?a=b",
        "https://bank.example/#a",
        "https://bank.example/a b",
        "https://bank.example//a",
        "https://bank.example/a;b",
        "https://bank.example/ä",
        "https://bank.example/\\a",
        "https://ba\nnk.example",
        "https://bank.example\t",
        " https://bank.example",
        "https://bank.example/\x00",
        f"https://bank.example/{'a' * 1024}",
    ],
)
def test_endpoint_04_wants_nothing_else_in_the_address(url: str) -> None:
    assert refusal(url) == ["ENDPOINT-04"]


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("b\u00e4nk.example", "write it in A-labels: xn--bnk-qla.example"),
        ("fa\u00df.example", "write it in A-labels: xn--fa-hia.example"),
        ("ban\u212a.example", "write it in A-labels: bank.example"),
        ("bank\u3002example", "write it in A-labels: bank.example"),
        ("\uff11\uff12\uff17.0.0.1", "a DNS name of A-labels is wanted"),
        ("\u2460.example", "write it in A-labels: 1.example"),
        ("\U0001f4b6.example", "a DNS name of A-labels is wanted"),
        ("\ud800.example", "a DNS name of A-labels is wanted"),
        ("\u00e4" * 100_000, "a DNS name of A-labels is wanted"),
    ],
    ids=ascii,
)
def test_endpoint_06_wants_a_labels_and_shows_them(host: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_endpoint(f"https://{host}", RULES)
    [finding] = [each for each in refused.value.findings if each.id == "ENDPOINT-06"]
    assert finding.message.endswith(said)


@pytest.mark.parametrize("host", ["xn--zzzzzz.example", "ab--c.example", "xn--a.example", "xn--bank-.example"])
def test_endpoint_06_wants_no_label_that_only_looks_like_one(host: str) -> None:
    assert set(refusal(f"https://{host}")) & {"ENDPOINT-02", "ENDPOINT-06"}


@pytest.mark.parametrize(
    "host", ["localhost", "bank", "a.localhost", "bank.local", "vault.internal", "10.in-addr.arpa"]
)
def test_endpoint_07_wants_a_name_of_the_public_dns(host: str) -> None:
    assert refusal(f"https://{host}") == ["ENDPOINT-07"]
    assert parse_endpoint(f"https://{host}", EndpointRules(PORTS, danger_local=True)).host == host


@pytest.mark.parametrize("host", ["hub.example", "api.hub.example", "API.hub.example.", "api.elsewhere.example"])
def test_endpoint_08_wants_no_name_of_the_hub_itself(host: str) -> None:
    assert refusal(f"https://{host}") == ["ENDPOINT-08"]
    assert refusal(f"https://{host}", EndpointRules(PORTS, "hub.example", RULES.own, danger_local=True)) == [
        "ENDPOINT-08"
    ]


def test_a_name_that_ends_like_the_hubs_is_another_name() -> None:
    assert parse_endpoint("https://nothub.example", RULES).host == "nothub.example"


def test_all_mistakes_are_found_at_once() -> None:
    found = ["ENDPOINT-01", "ENDPOINT-02", "ENDPOINT-03", "ENDPOINT-04"]
    assert refusal("http://user@127.0.0.1:80/?a") == found


PIECES = st.sampled_from(
    ["https", "http", "://", "//", "bank.example", "127.0.0.1", "[", "]", "::1", "@", ":", "443", "0", "/", "?", "#"]
)


@settings(deadline=None)
@given(st.text() | st.lists(PIECES | st.text(max_size=2)).map("".join))
def test_a_text_is_a_safe_endpoint_or_refused(url: str) -> None:
    try:
        endpoint = parse_endpoint(url, ANY_PORT)
    except Refused:
        return
    assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z-][a-z0-9-]*", endpoint.host)
    assert 0 < endpoint.port < 65536
    assert parse_endpoint(endpoint.url, ANY_PORT) == endpoint
