from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from bothways.pki.chain import certificate_pem
from bothways.xds.state import Address, Anchors, HubState, KeyPair


@pytest.mark.parametrize(
    "pem", ["", "\n", "no certificate", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"]
)
def test_there_are_no_anchors_without_a_certificate(pem: str) -> None:
    with pytest.raises(ValueError, match=r"PEM|parsing"):
        Anchors(pem)


def test_one_damaged_certificate_among_good_ones_spoils_the_anchors(anchors: Anchors) -> None:
    body = anchors.pem.splitlines()
    damaged = "\n".join([body[0], "AAAA" + body[1][4:], *body[2:], ""])
    with pytest.raises(ValueError, match="parsing"):
        Anchors(anchors.pem + damaged)


def test_a_private_key_is_no_anchor(state: HubState) -> None:
    with pytest.raises(ValueError, match="PEM"):
        Anchors(state.client.key_pem)


def test_several_anchors_stand_one_after_the_other(anchors: Anchors) -> None:
    assert Anchors(anchors.pem * 2).pem == anchors.pem * 2


def test_the_whole_state_can_be_printed_without_showing_a_key(state: HubState) -> None:
    text = repr(state)
    assert "PRIVATE KEY" not in text
    assert state.server.key_pem.splitlines()[1] not in text
    assert state.server.fingerprint in text


def test_loopback_is_closed_unless_a_knob_named_danger_opens_it(state: HubState) -> None:
    assert state.danger_outbound_loopback is False


def make_list(ca: tuple[Any, x509.Certificate]) -> str:
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca[1].subject)
    begin = ca[1].not_valid_before_utc
    signed = builder.last_update(begin).next_update(begin + timedelta(days=30)).sign(ca[0], SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


def test_each_anchor_has_its_revocation_list_or_none_has(make_ca: Callable[..., Any]) -> None:
    one, two = make_ca("One"), make_ca("Two")
    both = certificate_pem(one[1]) + certificate_pem(two[1])
    lists = tuple(make_list(each) for each in (two, one))
    assert Anchors(both, lists).lists == lists
    for pem, wrong in ((both, lists[:1]), (certificate_pem(one[1]), lists), (certificate_pem(one[1]), lists[:1])):
        with pytest.raises(ValueError, match="not those of the trust anchors"):
            Anchors(pem, wrong)


def test_the_opening_is_counted_by_closures_and_lasts_until_the_endpoint_is_open_again(state: HubState) -> None:
    openings = [replace(state, shut=shut, closures=times).opening for times in (1, 2) for shut in ("let in", "")]
    assert [state.opening, *openings] == [0, 0, 1, 1, 2]


def test_an_address_is_written_as_in_a_url() -> None:
    assert [str(Address(host, 443)) for host in ("192.0.2.7", "2001:db8::7")] == ["192.0.2.7:443", "[2001:db8::7]:443"]


HALF = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("field", ["certificate_pem", "key_pem"])
@pytest.mark.parametrize("pem", ["", "garbage", "# a comment\n", HALF, HALF.replace("CERTIFICATE", "PRIVATE KEY")])
def test_no_pair_is_made_of_what_envoy_would_refuse(make_pair: Callable[[str], KeyPair], field: str, pem: str) -> None:
    with pytest.raises(ValueError, match=r"PEM|parsing|deserialize|Unable to load"):
        replace(make_pair("server"), **{field: pem})


def test_one_half_broken_certificate_in_the_chain_spoils_the_pair(make_pair: Callable[[str], KeyPair]) -> None:
    pair = make_pair("server")
    with pytest.raises(ValueError, match="parsing"):
        replace(pair, certificate_pem=pair.certificate_pem + HALF)


def test_a_key_of_another_certificate_is_no_pair(make_pair: Callable[[str], KeyPair]) -> None:
    with pytest.raises(ValueError, match="not the certificate's"):
        replace(make_pair("server"), key_pem=make_pair("other").key_pem)


@pytest.mark.parametrize("pem", ["", "garbage", "# a comment\n", HALF])
def test_no_revocation_list_is_made_of_what_envoy_would_refuse(anchors: Anchors, pem: str) -> None:
    with pytest.raises(ValueError, match=r"PEM|parsing"):
        Anchors(anchors.pem, (pem,))
