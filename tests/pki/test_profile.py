from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bothways.contract.document import Environment
from bothways.pki.profile import (
    AUTHORITY_VALIDITY,
    HUB_CLIENT_VALIDITY,
    NODE_VALIDITY,
    PROBER_VALIDITY,
    SERVER_VALIDITY,
    Profile,
    authority,
    customer_client,
    hub_client,
    link,
    node,
    node_uri_id,
    prober,
    prober_uri_id,
    read_uri_id,
    server,
    uri_id,
)
from bothways.pki.request import parse_request

FIVE_MINUTES = timedelta(minutes=5)


def name(*pairs: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in pairs])


def test_an_authority_is_a_ca_without_usage_or_names(ecdsa_key: ec.EllipticCurvePrivateKey, now: datetime) -> None:
    subject = name((NameOID.ORGANIZATION_NAME, "Hub"), (NameOID.COMMON_NAME, "Issuing CA"))
    key, end = ecdsa_key.public_key(), now + AUTHORITY_VALIDITY
    wanted = Profile(subject, key, now - FIVE_MINUTES, end, authority=True)
    assert authority("Issuing CA", "Hub", key, now) == wanted
    assert authority("Issuing CA", "Hub", key, now, 1) == replace(wanted, path_length=1)


def test_a_link_has_the_name_key_and_end_of_the_ca_and_no_ca_below_it(
    make_ca: Callable[..., tuple[object, x509.Certificate]], now: datetime
) -> None:
    _, added = make_ca("Server CA G2")
    key, end = added.public_key(), added.not_valid_after_utc
    assert link(added, now) == Profile(added.subject, key, now - FIVE_MINUTES, end, authority=True, path_length=0)


def test_a_customers_certificate_takes_key_and_subject_from_the_request_and_nothing_else(
    strange_csr: Callable[..., bytes], ecdsa_key: ec.EllipticCurvePrivateKey, now: datetime
) -> None:
    wanted = [
        x509.BasicConstraints(ca=True, path_length=None),
        x509.SubjectAlternativeName([x509.DNSName("evil.example")]),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
    ]
    request = parse_request(strange_csr([("CN", "name", "UTF8String")], extensions=wanted))
    assert customer_client(request, Environment.PPR, "12345678", 0xABC, now, timedelta(days=397)) == Profile(
        request.subject,
        ecdsa_key.public_key(),
        now - FIVE_MINUTES,
        now + timedelta(days=397),
        authority=False,
        usage=ExtendedKeyUsageOID.CLIENT_AUTH,
        names=(x509.UniformResourceIdentifier("urn:bothways:PPR:12345678:abc"),),
    )


def test_a_customers_subject_stands_in_the_agreed_order(strange_csr: Callable[..., bytes], now: datetime) -> None:
    backwards = parse_request(strange_csr([("CN", "name", "UTF8String")], [("C", "FR", "UTF8String")], without="C"))
    profile = customer_client(backwards, Environment.PRD, "1", 1, now, timedelta(days=1))
    assert [each.rfc4514_attribute_name for each in profile.subject] == ["C", "ST", "L", "O", "OU", "CN"]


def test_the_hubs_client_certificate_is_for_clients_and_names_the_domain(
    ecdsa_key: ec.EllipticCurvePrivateKey, now: datetime
) -> None:
    key = ecdsa_key.public_key()
    assert hub_client("hub.example", Environment.PRD, key, now) == Profile(
        name((NameOID.ORGANIZATION_NAME, "hub.example"), (NameOID.COMMON_NAME, "hub.example PRD client")),
        key,
        now - FIVE_MINUTES,
        now + HUB_CLIENT_VALIDITY,
        usage=ExtendedKeyUsageOID.CLIENT_AUTH,
        names=(x509.DNSName("hub.example"),),
    )


def test_a_server_certificate_is_for_servers_and_names_exactly_its_hosts(
    ecdsa_key: ec.EllipticCurvePrivateKey, now: datetime
) -> None:
    key = ecdsa_key.public_key()
    assert server(("api.hub.example", "portal.hub.example"), key, now) == Profile(
        name((NameOID.COMMON_NAME, "api.hub.example")),
        key,
        now - FIVE_MINUTES,
        now + SERVER_VALIDITY,
        usage=ExtendedKeyUsageOID.SERVER_AUTH,
        names=(x509.DNSName("api.hub.example"), x509.DNSName("portal.hub.example")),
    )


def test_the_uri_id_differs_by_environment_customer_and_serial() -> None:
    identities = [
        uri_id(environment, tsp_id, serial)
        for environment in Environment
        for tsp_id in ("1", "2")
        for serial in (10, 2**159 - 1)
    ]
    assert identities[:2] == ["urn:bothways:PPR:1:a", f"urn:bothways:PPR:1:7{'f' * 39}"]
    assert len(set(identities)) == 8


def test_a_profile_is_capped_at_an_earlier_end_alone(ecdsa_key: ec.EllipticCurvePrivateKey, now: datetime) -> None:
    profile = server(("api.hub.example",), ecdsa_key.public_key(), now)
    assert profile.capped(profile.not_after + timedelta(days=1)) == profile
    assert profile.capped(now).not_after == now


def test_the_place_of_the_revocation_list_is_in_a_customers_profile(
    make_csr: Callable[..., bytes], now: datetime
) -> None:
    url = "http://crl.hub.example/ca.crl"
    request = parse_request(make_csr())
    assert customer_client(request, Environment.PPR, "1", 1, now, timedelta(days=1), url).crl_url == url


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("urn:bothways:PPR:12345678:1a", (Environment.PPR, "12345678")),
        ("urn:bothways:PRD:Bank1:0", (Environment.PRD, "Bank1")),
        ("urn:bothways:DEV:12345678:1a", None),
        ("urn:bothways:PPR:12345678:1A", None),
        ("urn:bothways:PPR:1234 5678:1a", None),
        ("urn:bothways:PPR:12345678:1a\n", None),
        ("urn:bothways:PPR:12345678:1a,urn:bothways:PPR:87654321:1a", None),
        ("", None),
    ],
)
def test_a_uri_id_is_read_in_one_way_only(text: str, wanted: object) -> None:
    assert read_uri_id(text) == wanted


def test_a_nodes_certificate_is_for_clients_and_names_the_node(
    ecdsa_key: ec.EllipticCurvePrivateKey, now: datetime
) -> None:
    assert node("eu-1", "hub.example", Environment.PPR, ecdsa_key.public_key(), now) == Profile(
        name((NameOID.ORGANIZATION_NAME, "hub.example"), (NameOID.COMMON_NAME, "eu-1")),
        ecdsa_key.public_key(),
        now - FIVE_MINUTES,
        now + NODE_VALIDITY,
        usage=ExtendedKeyUsageOID.CLIENT_AUTH,
        names=(x509.UniformResourceIdentifier("urn:bothways-node:PPR:eu-1"),),
    )


def test_a_probers_certificate_is_for_clients_lasts_an_hour_and_has_the_uri_id_of_no_node(
    ecdsa_key: ec.EllipticCurvePrivateKey, now: datetime
) -> None:
    made = prober("hub.example", Environment.PPR, ecdsa_key.public_key(), now)
    assert (made.usage, made.not_after - now) == (ExtendedKeyUsageOID.CLIENT_AUTH, PROBER_VALIDITY)
    assert made.names == (x509.UniformResourceIdentifier("urn:bothways-probes:PPR"),)
    assert not prober_uri_id(Environment.PPR).startswith(node_uri_id(Environment.PPR, ""))
    assert prober_uri_id(Environment.PPR) != prober_uri_id(Environment.PRD)


def test_no_customer_has_the_uri_id_of_a_node() -> None:
    # "node" and "eu1" are tspIds that somebody may have, "1" is a serial number.
    assert node_uri_id(Environment.PPR, "1") not in {uri_id(Environment.PPR, each, 1) for each in ("node", "eu1", "")}
    assert uri_id(Environment.PPR, "x", 1).split(":")[1] != node_uri_id(Environment.PPR, "x").split(":")[1]
