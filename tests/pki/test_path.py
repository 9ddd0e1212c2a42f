from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from bothways.errors import Refused
from bothways.pki.path import CertificationPath, certification_path

Make = Callable[..., tuple[Any, x509.Certificate]]
HOST = "calls.bank.example"


def names(*hosts: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.DNSName(each) for each in hosts])


class Pki:
    """A root, an intermediate, and the certificate of a server under it."""

    def __init__(self, make: Make, **leaf: Any) -> None:
        self.root_key = make("Root")
        self.low_key = make("Low", self.root_key)
        self.root, self.low = self.root_key[1], self.low_key[1]
        self.leaf = make("server", self.low_key, **{"ca": False, "extensions": [names(HOST)], **leaf})[1]

    def path(
        self, now: datetime, sent: Sequence[x509.Certificate] | None = None, host: str = HOST
    ) -> CertificationPath:
        given = (self.leaf, self.low) if sent is None else sent
        return certification_path(given, (self.low, self.root), host, now, "bank")

    def refusal(self, now: datetime, *sent: x509.Certificate, host: str = HOST) -> list[str]:
        with pytest.raises(Refused) as refused:
            self.path(now, sent or None, host)
        return [each.id for each in refused.value.findings]


@pytest.fixture
def pki(make_certificate: Make) -> Pki:
    return Pki(make_certificate)


def test_a_path_leads_from_the_server_to_an_endorsed_root(pki: Pki, now: datetime) -> None:
    assert pki.path(now) == CertificationPath((pki.leaf, pki.low, pki.root))


def test_what_was_not_sent_is_lent_by_the_endorsed_chain_and_said(pki: Pki, now: datetime) -> None:
    path = pki.path(now, (pki.leaf,))
    assert path.certificates == (pki.leaf, pki.low, pki.root)
    assert [each.id for each in path.notes] == ["PATH-SENT-03"]


def test_certificates_that_are_sent_in_disorder_make_a_path_and_are_said(
    pki: Pki, now: datetime, make_certificate: Make
) -> None:
    path = pki.path(now, (pki.leaf, pki.root, pki.low, make_certificate("Stranger")[1]))
    assert path.certificates == (pki.leaf, pki.low, pki.root)
    assert "PATH-SENT-02" in [each.id for each in path.notes]


def test_a_missing_intermediate_is_named(make_certificate: Make, now: datetime) -> None:
    pki = Pki(make_certificate)
    with pytest.raises(Refused, match="PATH-ANCHOR-01: the issuer CN=Low of CN=server was neither sent nor endorsed"):
        certification_path((pki.leaf,), (pki.root,), HOST, now, "bank")


def test_a_root_that_is_not_endorsed_is_named_also_if_its_name_is(
    pki: Pki, now: datetime, make_certificate: Make
) -> None:
    twin = Pki(make_certificate)
    with pytest.raises(Refused, match="leads to CN=Root, and that root is not endorsed for this customer"):
        pki.path(now, (twin.leaf, twin.low, twin.root))
    assert pki.refusal(now, twin.leaf, twin.low) == ["PATH-ANCHOR-01"]


def test_without_anchors_nobody_is_believed(pki: Pki, now: datetime) -> None:
    with pytest.raises(Refused, match="PATH-ANCHOR-01"):
        certification_path((pki.leaf, pki.low, pki.root), (), HOST, now, "bank")
    with pytest.raises(Refused, match="PATH-ANCHOR-01"):
        certification_path((pki.leaf, pki.low, pki.root), (pki.low,), HOST, now, "bank")


@pytest.mark.parametrize("extensions", [[], [names("*.bank.example")], [names("other.example", "bank.example")]])
def test_another_name_than_the_host_is_told_with_the_one_to_request(
    make_certificate: Make, now: datetime, extensions: list[x509.ExtensionType]
) -> None:
    pki = Pki(make_certificate, extensions=extensions)
    with pytest.raises(Refused, match=f"subjectAltName = DNS:{HOST}"):
        pki.path(now)
    assert pki.refusal(now) == ["PATH-NAME-01"]


@pytest.mark.parametrize("days", [(-9, -1), (1, 9)])
def test_a_certificate_of_another_time_is_refused(make_certificate: Make, now: datetime, days: tuple[int, int]) -> None:
    assert Pki(make_certificate, days=days).refusal(now) == ["PATH-DATE-01"]


def test_a_certificate_for_other_uses_is_refused(make_certificate: Make, now: datetime) -> None:
    uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    assert Pki(make_certificate, extensions=[names(HOST), uses]).refusal(now) == ["PATH-USE-01"]
    both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
    assert Pki(make_certificate, extensions=[names(HOST), both]).path(now).notes == ()


def test_what_an_end_entity_signed_is_refused(pki: Pki, now: datetime, make_certificate: Make) -> None:
    key, middle = make_certificate("Server Of Somebody", pki.low_key, ca=False)
    leaf = make_certificate("server", (key, middle), ca=False, extensions=[names(HOST)])[1]
    assert pki.refusal(now, leaf, middle) == ["PATH-CA-01", "PATH-SENT-03"]


@pytest.mark.parametrize("how", ["path_length", "constraints"])
def test_what_only_the_library_sees_is_refused_too(make_certificate: Make, now: datetime, how: str) -> None:
    root = make_certificate("Root", path_length=0 if how == "path_length" else None)
    excluded = x509.NameConstraints(None, [x509.DNSName("bank.example")])
    low = make_certificate("Low", root, critical=[] if how == "path_length" else [excluded])
    leaf = make_certificate("server", low, ca=False, extensions=[names(HOST)])[1]
    with pytest.raises(Refused) as refused:
        certification_path((leaf, low[1]), (root[1],), HOST, now, "bank")
    assert [each.id for each in refused.value.findings] == ["PATH-VERIFY-01"]


def test_everything_that_is_wrong_is_said_at_once(make_certificate: Make, now: datetime) -> None:
    leaf = make_certificate("server", make_certificate("Foreign"), ca=False, days=(-9, -1))[1]
    found = ["PATH-ANCHOR-01", "PATH-DATE-01", "PATH-NAME-01"]
    assert Pki(make_certificate).refusal(now, leaf) == found


def test_nothing_is_no_path(pki: Pki, now: datetime) -> None:
    with pytest.raises(Refused, match="PATH-SENT-01"):
        certification_path((), (pki.root,), HOST, now, "bank")
