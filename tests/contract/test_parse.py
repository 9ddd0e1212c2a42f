from collections.abc import Callable
from typing import Any

import pytest

from bothways.contract.document import (
    PUBLIC,
    CertificateTerms,
    Environment,
    KeyType,
    OutboundTerms,
    RequestTerms,
    Terms,
    Trust,
)
from bothways.contract.parse import parse_contract, parse_terms
from bothways.contract.render import render_contract
from bothways.errors import Refused
from bothways.pki.chain import certificate_pem

HUB = """
format = 1
[hub]
environment = "PRD"
domain = "hub.example"
endpoint = "https://api.hub.example:8443"
portal = "https://portal.hub.example"
"""
TERMS = f"""{HUB}
[request]
common_name = "X-{{algorithm}}.{{tspId}}.{{environment}}"
keys = ["rsa"]
[certificate]
validity_days = 90
[outbound]
ports = [443]
probe_path = "/health?deep=1"
"""


def ids(error: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [each.id for each in error.value.findings]


def test_every_value_of_the_terms_is_read() -> None:
    assert parse_terms(TERMS) == Terms(
        Environment.PRD,
        "hub.example",
        "https://api.hub.example:8443",
        "https://portal.hub.example",
        RequestTerms("X-{algorithm}.{tspId}.{environment}", (KeyType.RSA,)),
        CertificateTerms(90),
        OutboundTerms((443,), "/health?deep=1"),
    )


def test_what_is_not_said_has_its_default() -> None:
    assert parse_terms(HUB) == Terms(
        Environment.PRD, "hub.example", "https://api.hub.example:8443", "https://portal.hub.example"
    )


@pytest.mark.parametrize(
    ("line", "instead", "expected"),
    [
        ("format = 1", "format = 2", "CONTRACT-FORMAT"),
        ("format = 1", "format = true", "CONTRACT-TYPE CONTRACT-FORMAT"),
        ('environment = "PRD"', "", "CONTRACT-MISSING"),
        ('environment = "PRD"', 'environment = ""', "CONTRACT-MISSING"),
        ('environment = "PRD"', 'environment = "prd"', "CONTRACT-CHOICE"),
        ('domain = "hub.example"', 'domain = ""', "CONTRACT-MISSING"),
        ('domain = "hub.example"', "domain = 7", "CONTRACT-TYPE"),
        ('domain = "hub.example"', r'domain = "hub.example\nrm -rf ~"', "CONTRACT-DOMAIN"),
        ('portal = "https://portal.hub.example"', 'portal = "http://portal.hub.example"', "CONTRACT-URL"),
        ('keys = ["rsa"]', 'keys = ["rsa", "dsa"]', "CONTRACT-CHOICE"),
        ('keys = ["rsa"]', "keys = []", "CONTRACT-CHOICE"),
        ('keys = ["rsa"]', 'keys = ["rsa", "rsa"]', "CONTRACT-CHOICE"),
        ('keys = ["rsa"]', 'digest = "sha1"', "CONTRACT-CHOICE"),
        ('keys = ["rsa"]', "digest = 256", "CONTRACT-TYPE"),
        ('keys = ["rsa"]', 'subject = ["C", "O", "CN"]', "CONTRACT-CHOICE"),
        ("ports = [443]", "ports = [443]\n[tls]\nversions = ['1.1', '1.2', '1.3']", "CONTRACT-CHOICE CONTRACT-UNKNOWN"),
        (".{tspId}", ".{tspId}\\n", "CONTRACT-PATTERN"),
        (".{tspId}", ".{tspId}\u0410", "CONTRACT-PATTERN"),
        ('"X-', '" X-', "CONTRACT-PATTERN"),
        ('"X-', '"XXXXXXXXXXXXXXXXXXXXXXXX-', "CONTRACT-PATTERN"),
        (".{tspId}", "", "CONTRACT-PATTERN"),
        (".{tspId}", ".{tspId}.{tspId}", "CONTRACT-PATTERN"),
        ("validity_days = 90", "validity_days = 0", "CONTRACT-RANGE"),
        ("validity_days = 90", "validity_days = 826", "CONTRACT-RANGE"),
        ("validity_days = 90", "overlap_days = 0", "CONTRACT-RANGE"),
        ("validity_days = 90", "overlap_days = 398", "CONTRACT-RANGE"),
        ("ports = [443]", "ports = [0]", "CONTRACT-RANGE"),
        ("ports = [443]", "ports = []", "CONTRACT-RANGE"),
        ('probe_path = "/health?deep=1"', 'probe_path = "health"', "CONTRACT-PATH"),
        ("validity_days = 90", "validity_day = 90", "CONTRACT-UNKNOWN"),
        ("[hub]", "[hub", "CONTRACT-TOML"),
    ],
)
def test_each_mistake_is_refused_by_its_own_id(line: str, instead: str, expected: str) -> None:
    assert TERMS.count(line) == 1
    with pytest.raises(Refused) as refused:
        parse_terms(TERMS.replace(line, instead))
    assert ids(refused) == expected.split()


def test_a_pattern_may_fill_a_common_name_with_the_longest_tspid() -> None:
    terms = parse_terms(TERMS.replace('"X-', f'"{"X" * 21}-'))
    assert len(terms.request.expected_common_name(KeyType.ECDSA, "1" * 32, terms.environment)) == 64


def test_all_mistakes_are_named_at_once_with_the_file() -> None:
    text = TERMS.replace("PRD", "TEST").replace("[443]", '["443"]').replace("https://api", "ftp://api")
    with pytest.raises(Refused) as refused:
        parse_terms(text, "hub/contract.toml")
    assert ids(refused) == ["CONTRACT-CHOICE", "CONTRACT-URL", "CONTRACT-RANGE"]
    assert {each.subject for each in refused.value.findings} == {"hub/contract.toml"}


def trust_table(**certificates: str) -> str:
    return "[trust]\n" + "".join(f'{name} = """\n{text}"""\n' for name, text in certificates.items())


def test_a_contract_adds_the_trust(make_ca: Callable[..., Any]) -> None:
    one, two, three = (certificate_pem(make_ca(name)[1]) for name in ("Issuing", "Client", "Server"))
    contract = parse_contract(TERMS + trust_table(issuing_ca=one, client_ca=two + one, server_ca=three))
    assert (contract.terms, contract.trust) == (parse_terms(TERMS), Trust(one, two + one, three))


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        ("", "CONTRACT-MISSING"),
        ("no PEM\n", "CONTRACT-CA"),
        ("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", "CONTRACT-CA CONTRACT-CA"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "CONTRACT-CA"),
        ("# a comment alone\n", "CONTRACT-CA"),
    ],
)
@pytest.mark.parametrize("place", ["issuing_ca", "client_ca", "server_ca"])
def test_trust_without_a_certificate_is_refused(
    make_ca: Callable[..., Any], place: str, bad: str, expected: str
) -> None:
    good = certificate_pem(make_ca("CA")[1])
    trust = {"issuing_ca": good, "client_ca": good, "server_ca": good} | {place: bad}
    with pytest.raises(Refused) as refused:
        parse_contract(TERMS + trust_table(**trust))
    assert ids(refused) == expected.split()


def test_a_contract_without_trust_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        parse_contract(TERMS)
    assert ids(refused) == ["CONTRACT-MISSING"] * 3


def test_the_terms_of_a_hub_hold_no_trust(make_ca: Callable[..., Any]) -> None:
    with pytest.raises(Refused) as refused:
        parse_terms(TERMS + trust_table(issuing_ca=certificate_pem(make_ca("CA")[1])))
    assert ids(refused) == ["CONTRACT-UNKNOWN"]


OTHER = """
format = 1
[hub]
software = "other"
environment = "PRD"
endpoint = "https://api.hub.example"
[request]
ecdsa_marker = "EC"
[trust]
server_ca = "public"
"""


def test_of_a_hub_with_other_software_only_what_is_known_is_needed() -> None:
    contract = parse_contract(OTHER)
    assert (contract.terms.hub, contract.terms.portal) == ("", "")
    assert contract.trust == Trust("", "", PUBLIC)
    assert contract.terms.request.expected_common_name(KeyType.ECDSA, "1", Environment.PRD) == "TLSMA-EC/1/PRD"
    assert parse_contract(render_contract(contract)) == contract


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ('software = "bothways"', ["CONTRACT-MISSING"] * 4 + ["CONTRACT-CA"]),
        ('software = "mine"', ["CONTRACT-CHOICE"]),
    ],
)
def test_a_hub_of_ours_publishes_all_and_trusts_no_public_ca(changed: str, wanted: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        parse_contract(OTHER.replace('software = "other"', changed))
    assert [each for each in ids(refused) if each in wanted][: len(wanted)] == wanted


def test_no_hub_of_ours_says_that_it_runs_something_else() -> None:
    with pytest.raises(Refused) as refused:
        parse_terms(HUB + 'software = "other"')
    assert ids(refused) == ["CONTRACT-UNKNOWN"]


@pytest.mark.parametrize("marker", ["", "A-B", "ECDSA2", "É"])
def test_a_marker_is_of_letters_and_digits(marker: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_contract(OTHER.replace('"EC"', f'"{marker}"'))
    assert ids(refused) == ["CONTRACT-PATTERN"]
