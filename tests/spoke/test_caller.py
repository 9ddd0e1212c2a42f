from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from bothways.contract.document import Terms
from bothways.errors import Refused
from bothways.pki.chain import fingerprint
from bothways.spoke.caller import Caller, proved_caller, trusted_headers

HUB = Caller("hub.example", "PPR", "CN=hub", "ab" * 32)


def shown(make_ca: Callable[..., Any], *hosts: str, uses: tuple[x509.ObjectIdentifier, ...] = ()) -> x509.Certificate:
    extensions: list[x509.ExtensionType] = [x509.SubjectAlternativeName([x509.DNSName(each) for each in hosts])]
    extensions += [x509.ExtendedKeyUsage(uses)] if uses else []
    certificate: x509.Certificate = make_ca("hub", make_ca("Client CA"), ca=False, extensions=extensions)[1]
    return certificate


def test_the_caller_is_the_hub_of_the_contract_with_its_certificate(terms: Terms, make_ca: Callable[..., Any]) -> None:
    certificate = shown(make_ca, terms.hub, uses=(ExtendedKeyUsageOID.CLIENT_AUTH,))
    found = proved_caller(certificate, terms)
    assert found == Caller(terms.hub, terms.environment.value, "CN=hub", fingerprint(certificate))


@pytest.mark.parametrize(
    ("host", "uses", "ids"),
    [
        ("other.example", (ExtendedKeyUsageOID.CLIENT_AUTH,), ["RECEIVE-01"]),
        ("", (ExtendedKeyUsageOID.SERVER_AUTH,), ["RECEIVE-02"]),
        ("", (), ["RECEIVE-02"]),
        ("other.example", (ExtendedKeyUsageOID.SERVER_AUTH,), ["RECEIVE-01", "RECEIVE-02"]),
    ],
    ids=["other name", "for servers", "for anything", "both"],
)
def test_another_name_and_another_use_are_refused(
    terms: Terms, make_ca: Callable[..., Any], host: str, uses: tuple[x509.ObjectIdentifier, ...], ids: list[str]
) -> None:
    with pytest.raises(Refused) as refused:
        proved_caller(shown(make_ca, host or terms.hub, uses=uses), terms)
    assert [each.id for each in refused.value.findings] == ids


@pytest.mark.parametrize(
    "name",
    [
        "Bothways-Hub",
        "BOTHWAYS-CERTIFICATE",
        "Bothways_Hub",
        "Client-Cert",
        "X-Forwarded-For",
        "X-SSL-Cert",
        "Forwarded",
    ],
)
def test_what_could_be_mistaken_for_ours_is_taken_away(name: str) -> None:
    told = [
        ("bothways-hub", "hub.example"),
        ("bothways-environment", "PPR"),
        ("bothways-certificate", "ab" * 32),
    ]
    assert trusted_headers([(name, "evil"), ("Accept", "*/*")], HUB) == [("Accept", "*/*"), *told]
