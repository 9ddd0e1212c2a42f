import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bothways.contract.document import (
    CertificateTerms,
    Contract,
    Environment,
    KeyType,
    OutboundTerms,
    RequestTerms,
    Terms,
    Trust,
)
from bothways.contract.parse import parse_contract, parse_terms
from bothways.contract.render import render_contract, render_terms
from bothways.pki.chain import certificate_pem

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
DOMAIN = st.lists(LABEL, min_size=1, max_size=3).map(".".join)
PORT = st.integers(1, 65535)
ADDRESS = st.builds("https://{}:{}".format, DOMAIN, PORT) | DOMAIN.map("https://{}".format)
WORDS = st.text("ab\"'\\/#,{}", max_size=5)
PATTERN = st.builds("{}{{algorithm}}{}{{tspId}}{}{{environment}}".format, WORDS, WORDS, WORDS)
TERMS = st.builds(
    Terms,
    st.sampled_from(Environment),
    DOMAIN,
    ADDRESS,
    ADDRESS,
    st.builds(
        RequestTerms, PATTERN, st.lists(st.sampled_from(KeyType), min_size=1, max_size=2, unique=True).map(tuple)
    ),
    st.builds(CertificateTerms, st.integers(1, 825)),
    st.builds(
        OutboundTerms,
        st.lists(PORT, min_size=1, max_size=4).map(tuple),
        st.text(st.characters(min_codepoint=33, max_codepoint=126)).map("/{}".format),
    ),
)
EXPLANATION = st.text(st.sampled_from("ab #\"'\\\r\n\t"), max_size=20)


@pytest.fixture
def terms() -> Terms:
    return Terms(Environment.PPR, "hub.example", "https://api.hub.example", "https://portal.hub.example")


@settings(deadline=None)
@given(TERMS)
def test_terms_come_back_as_they_were(terms: Terms) -> None:
    assert parse_terms(render_terms(terms)) == terms


@settings(deadline=None)
@given(TERMS, st.tuples(EXPLANATION, EXPLANATION, EXPLANATION))
def test_a_contract_comes_back_as_it_was(ca_pem: str, terms: Terms, said: tuple[str, str, str]) -> None:
    contract = Contract(terms, Trust(*(f"{each}\n{ca_pem}" for each in said)))
    assert parse_contract(render_contract(contract)) == contract


def test_line_ends_of_windows_come_back_as_they_were(ca_pem: str, terms: Terms) -> None:
    windows = ca_pem.replace("\n", "\r\n")
    contract = Contract(terms, Trust(windows, ca_pem, windows))
    assert parse_contract(render_contract(contract)) == contract


def test_a_published_contract_shows_its_certificates_as_pem_that_can_be_copied(
    make_ca: Callable[..., Any], terms: Terms
) -> None:
    pem = certificate_pem(make_ca("Issuing CA")[1])
    assert f'issuing_ca = """\n{pem}"""' in render_contract(Contract(terms, Trust(pem, pem, pem)))


def test_rendered_terms_are_toml_with_every_value_written_out(terms: Terms) -> None:
    assert tomllib.loads(render_terms(terms)) == {
        "format": 1,
        "hub": {
            "environment": "PPR",
            "domain": "hub.example",
            "endpoint": "https://api.hub.example",
            "portal": "https://portal.hub.example",
        },
        "request": {
            "common_name": "TLSMA-{algorithm}/{tspId}/{environment}",
            "keys": ["ecdsa", "rsa"],
            "digest": "sha256",
            "subject": ["C", "ST", "L", "O", "OU", "CN"],
        },
        "certificate": {"validity_days": 397, "overlap_days": 30},
        "outbound": {"ports": [443, 8443], "probe_path": "/"},
        "tls": {"versions": ["1.2", "1.3"]},
    }
