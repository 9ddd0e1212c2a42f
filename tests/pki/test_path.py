"""Paths that hold, and one vector for each way in which the library, Envoy too, refuses what looks like one."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from bothways.errors import Refused
from bothways.pki.path import WAYS_MOST, CertificationPath, certification_path

Make = Callable[..., tuple[Any, x509.Certificate]]
HOST = "calls.bank.example"


def names(*hosts: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.DNSName(each) for each in hosts])


def key_usage(*, cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(True, False, False, False, False, cert_sign, False, False, False)


class Pki:
    """A root, an intermediate, and the certificate of a server under it."""

    def __init__(self, make: Make, root: dict[str, Any] | None = None, **low: Any) -> None:
        root_key = make("Root", **(root or {}))
        low_key = make("Low", root_key, **low)
        self.root, self.low, self.low_key = root_key[1], low_key[1], low_key
        self.leaf = make("server", low_key, ca=False, extensions=[names(HOST)])[1]

    def path(self, now: datetime, *sent: x509.Certificate, host: str = HOST) -> CertificationPath:
        return certification_path(sent or (self.leaf, self.low), (self.low, self.root), host, now)


def refusal(
    sent: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], now: datetime, host: str = HOST
) -> list[str]:
    with pytest.raises(Refused) as refused:
        certification_path(sent, anchors, host, now)
    return [each.id for each in refused.value.findings]


@pytest.fixture
def pki(make_certificate: Make) -> Pki:
    return Pki(make_certificate)


def test_a_path_leads_from_the_server_to_an_endorsed_anchor(pki: Pki, now: datetime) -> None:
    assert certification_path((pki.leaf, pki.low), (pki.root,), HOST, now) == CertificationPath(
        (pki.leaf, pki.low, pki.root)
    )
    # An endorsed intermediate is an anchor: Envoy stops there as well.
    assert pki.path(now) == CertificationPath((pki.leaf, pki.low))


def test_what_was_not_sent_is_lent_by_the_endorsed_chain_and_said(pki: Pki, now: datetime) -> None:
    path = pki.path(now, pki.leaf)
    assert path.certificates == (pki.leaf, pki.low)
    assert [each.id for each in path.notes] == ["PROBE-CHAIN-03"]


def test_certificates_that_are_sent_in_disorder_make_a_path_and_are_said(
    pki: Pki, now: datetime, make_certificate: Make
) -> None:
    sent = (pki.leaf, pki.root, pki.low, make_certificate("Stranger")[1])
    path = certification_path(sent, (pki.root,), HOST, now)
    assert path.certificates == (pki.leaf, pki.low, pki.root)
    assert [each.id for each in path.notes] == ["PROBE-CHAIN-04"]


def test_nothing_leads_to_an_anchor_of_the_same_name_or_to_none(
    pki: Pki, now: datetime, make_certificate: Make
) -> None:
    twin = Pki(make_certificate)
    for sent in ((twin.leaf, twin.low, twin.root), (twin.leaf, twin.low)):
        assert refusal(sent, (pki.low, pki.root), now) == ["PROBE-CHAIN-02"]
    assert refusal((pki.leaf, pki.low, pki.root), (), now) == ["PROBE-CHAIN-02"]


@pytest.mark.parametrize(
    ("low", "said"),
    [
        ({"ca": False}, "CN=Low, which issued CN=server: basicConstraints"),
        ({"critical": [x509.NameConstraints(None, [x509.DNSName("bank.example")])]}, "excluded name constraint"),
        ({"critical": [x509.NameConstraints([x509.DNSName("b.example")], None)]}, "no permitted name constraints"),
        ({"extensions": [key_usage(cert_sign=False)]}, "CN=Low, which issued CN=server: its key usage has no keyC"),
        ({"extensions": [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])]}, "its extended key usage has no"),
        ({"critical": [x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0")]}, "1.2.3.4"),
        ({"key": rsa.generate_private_key(65537, 1024)}, "RSA key is too weak"),  # noqa: S505 - which is the point
    ],
    ids=["no CA", "excluded", "not permitted", "may not sign", "for clients", "critical", "weak"],
)
def test_a_ca_that_does_not_vouch_for_this_server_is_named_with_the_reason(
    make_certificate: Make, now: datetime, low: dict[str, Any], said: str
) -> None:
    pki = Pki(make_certificate, **low)
    with pytest.raises(Refused, match=f"PROBE-CHAIN-06: the path does not hold over .*{said}") as refused:
        certification_path((pki.leaf, pki.low), (pki.root,), HOST, now)
    assert [each.id for each in refused.value.findings] == ["PROBE-CHAIN-06"]


def test_a_root_that_allows_no_ca_below_it_is_named(make_certificate: Make, now: datetime) -> None:
    pki = Pki(make_certificate, root={"path_length": 0})
    with pytest.raises(Refused, match="over CN=Root, which issued CN=Low: path length constraint violated"):
        certification_path((pki.leaf, pki.low), (pki.root,), HOST, now)


@pytest.mark.parametrize("days", [(-9, -1), (1, 9)])
@pytest.mark.parametrize("sent", [True, False])
def test_a_ca_of_another_time_is_on_no_path(
    make_certificate: Make, now: datetime, days: tuple[int, int], *, sent: bool
) -> None:
    pki = Pki(make_certificate, days=days)
    found = "PROBE-DATE-01" if days[0] < 0 else "PROBE-DATE-02"
    given = (pki.leaf, pki.low) if sent else (pki.leaf,)
    assert found in refusal(given, (pki.root,) if sent else (pki.low,), now)


def test_of_two_ways_the_one_that_holds_is_taken_and_the_other_is_a_remark(
    make_certificate: Make, now: datetime
) -> None:
    root = make_certificate("Root")
    low = make_certificate("Low", root)
    ended = make_certificate("Low", root, key=low[0], days=(-9, -1))[1]
    leaf = make_certificate("server", low, ca=False, extensions=[names(HOST)])[1]
    path = certification_path((leaf, ended), (low[1], root[1]), HOST, now)
    assert path.certificates == (leaf, low[1])
    assert [(each.id, each.level.value) for each in path.notes] == [
        ("PROBE-CHAIN-03", "warning"),
        ("PROBE-DATE-01", "warning"),
    ]


def test_cas_that_all_issued_each_other_are_gone_through_once(make_certificate: Make, now: datetime) -> None:
    # One name and one key: each of these is an issuer of each, and the ways through them are without number.
    first = make_certificate("Loop")
    loop = [first[1], *(make_certificate("Loop", first, key=first[0])[1] for _ in range(15))]
    leaf = make_certificate("server", first, ca=False, extensions=[names(HOST)])[1]
    assert refusal((leaf, *loop), (make_certificate("Root")[1],), now) == ["PROBE-CHAIN-02"]
    assert certification_path((leaf, *loop), (loop[7],), HOST, now).certificates == (leaf, loop[7])


def test_ways_are_tried_up_to_a_bound_the_shortest_first(make_certificate: Make, now: datetime) -> None:
    first = make_certificate("Loop", path_length=0)
    useless = [make_certificate("Loop", key=first[0], days=(-9, -1))[1] for _ in range(WAYS_MOST)]
    leaf = make_certificate("server", first, ca=False, extensions=[names(HOST)])[1]
    assert certification_path((leaf,), (*useless[1:], first[1]), HOST, now).certificates == (leaf, first[1])
    assert "PROBE-DATE-01" in refusal((leaf,), (*useless, first[1]), now)


def test_everything_that_is_wrong_is_said_at_once(make_certificate: Make, pki: Pki, now: datetime) -> None:
    leaf = make_certificate("server", make_certificate("Foreign"), ca=False, days=(-9, -1))[1]
    assert refusal((leaf,), (pki.low, pki.root), now) == ["PROBE-CHAIN-01", "PROBE-NAME-04", "PROBE-DATE-01"]


def test_another_name_is_no_path(pki: Pki, now: datetime) -> None:
    assert refusal((pki.leaf, pki.low), (pki.root,), now, "other.example") == ["PROBE-NAME-04"]
