"""R13: a key and a request for one customer alone, its certificate matched, judged and shown to nobody else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from functools import partial
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.operations.conftest import Audit
from tests.outbound.signing import returned_by
from tests.stored_keys import key_names, without_key

from bothways.connectivity.facts import ProbeFact
from bothways.contract.document import KeyType
from bothways.errors import Conflict, NotFound, Refused
from bothways.operations.customer_credentials import (
    credential_document,
    install_credential,
    read_credential,
    remove_credential,
    request_credential,
    show_credentials,
)
from bothways.operations.customers import remove_customer, show_customer, suspend_customer
from bothways.operations.data_plane import DataPlane, hub_state
from bothways.operations.endpoints import record_probe
from bothways.operations.hub import Hub
from bothways.operations.rotation import held_customers, make_next, put_next_to_use, rotate_client_certificate
from bothways.pki.keys import spki_pin
from bothways.store import customer_credentials
from bothways.store.customer_credentials import CredentialState

Sign = Callable[..., bytes]
Endorse = Callable[[str, str], Any]


@pytest.fixture
def sign(make_ca: Callable[..., Any]) -> Sign:
    """Return the customer's CA: from a request of the hub's to what comes back, in PEM; `days` until it ends."""
    ca = make_ca("Bank Clients")
    return lambda credential, days=365: returned_by(ca, credential, days)


@pytest.fixture
def servers(issuer: str, merchant: str, endorse: Endorse) -> tuple[str, str]:
    """Two customers with servers."""
    endorse(issuer, "https://bank.example")
    endorse(merchant, "https://shop.example")
    return issuer, merchant


def shown(hub: Hub) -> dict[str, str]:
    """Return the fingerprint of what each customer is shown."""
    state = hub_state(hub)
    return {each.tsp_id: state.client_of(each).fingerprint for each in state.customers}


def states(hub: Hub, tsp_id: str) -> list[str]:
    return [each.state.value for each in show_credentials(hub, tsp_id)]


def test_the_request_is_signed_by_a_new_key_and_names_the_hub(hub: Hub, issuer: str, audited: Audit) -> None:
    made = request_credential(hub, issuer, {})
    request = x509.load_der_x509_csr(made.request)
    assert request.is_signature_valid
    assert isinstance(request.public_key(), ec.EllipticCurvePublicKey)
    assert request.subject.rfc4514_string() == "CN=ppr.hub.localhost PPR client,O=ppr.hub.localhost"
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["ppr.hub.localhost"]
    assert hub.keys.signer(made.key_name).public_key == request.public_key()
    assert audited()[-1] == ("outbound.csr", issuer)
    assert "BEGIN CERTIFICATE REQUEST" in credential_document(made)["request"]


def test_the_subject_is_what_the_customer_asks_for_in_the_usual_order(hub: Hub, issuer: str) -> None:
    asked = {"CN": "hub-at-bank", "C": "FR", "O": "Bank", "OU": "Partners"}
    made = request_credential(hub, issuer, asked, KeyType.RSA)
    request = x509.load_der_x509_csr(made.request)
    assert request.subject.rfc4514_string() == "CN=hub-at-bank,OU=Partners,O=Bank,C=FR"
    assert isinstance(key := request.public_key(), rsa.RSAPublicKey)
    assert key.key_size == 4096


def test_a_subject_that_no_certificate_can_have_makes_no_key(hub: Hub, issuer: str) -> None:
    before = key_names(hub)
    with pytest.raises(Refused) as refused:
        request_credential(hub, issuer, {"C": "France", "CN": " "})
    assert [each.id for each in refused.value.findings] == ["CSR-SUBJECT-02"] * len(refused.value.findings)
    assert len(refused.value.findings) >= 2
    assert key_names(hub) == before


def test_one_request_waits_at_a_time_and_another_one_takes_its_place_only_if_told_to(hub: Hub, issuer: str) -> None:
    first = request_credential(hub, issuer, {})
    with pytest.raises(Conflict, match="waits for its certificate"):
        request_credential(hub, issuer, {})
    second = request_credential(hub, issuer, {}, again=True)
    assert states(hub, issuer) == ["removed", "requested"]
    assert x509.load_der_x509_csr(first.request).public_key() != x509.load_der_x509_csr(second.request).public_key()


def test_a_customer_that_is_not_there_gets_no_key(hub: Hub) -> None:
    before = key_names(hub)
    for step in (lambda: request_credential(hub, "99999999", {}), lambda: show_credentials(hub, "99999999")):
        with pytest.raises(NotFound):
            step()
    assert key_names(hub) == before


def test_what_was_installed_is_shown_to_this_customer_and_to_no_other(
    hub: Hub, servers: tuple[str, str], sign: Sign, audited: Audit
) -> None:
    issuer, merchant = servers
    before = shown(hub)
    made = request_credential(hub, issuer, {})
    assert shown(hub) == before
    done = install_credential(hub, issuer, sign(made))
    after = shown(hub)
    assert after[merchant] == before[merchant]
    assert after[issuer] != before[issuer]
    [server] = [each for each in hub_state(hub).customers if each.tsp_id == issuer]
    assert server.client is not None
    certificate = x509.load_pem_x509_certificate(server.client.certificate_pem.encode())
    assert spki_pin(certificate.public_key()) == done.returned.spki_pin
    assert server.client.certificate_pem == done.credential.chain
    assert audited()[-1] == ("outbound.install", issuer)
    # The hub's own rotation does not touch it.
    rotate_client_certificate(hub)
    assert shown(hub)[issuer] == after[issuer]
    assert shown(hub)[merchant] != after[merchant]


def test_it_is_renewed_beside_the_one_in_use_and_switches_when_the_next_one_is_installed(
    hub: Hub, servers: tuple[str, str], sign: Sign
) -> None:
    issuer = servers[0]
    install_credential(hub, issuer, sign(request_credential(hub, issuer, {})))
    first = shown(hub)[issuer]
    following = request_credential(hub, issuer, {})
    assert (states(hub, issuer), shown(hub)[issuer]) == (["active", "requested"], first)
    install_credential(hub, issuer, sign(following))
    assert states(hub, issuer) == ["superseded", "active"]
    assert shown(hub)[issuer] != first


def test_a_certificate_for_the_key_in_use_replaces_its_chain(hub: Hub, servers: tuple[str, str], sign: Sign) -> None:
    issuer = servers[0]
    made = request_credential(hub, issuer, {})
    install_credential(hub, issuer, sign(made))
    request_credential(hub, issuer, {})
    again = install_credential(hub, issuer, sign(made, days=400))
    assert (again.credential.id, states(hub, issuer)) == (made.id, ["active", "requested"])


def test_one_customers_certificate_is_not_installed_for_another(hub: Hub, servers: tuple[str, str], sign: Sign) -> None:
    issuer, merchant = servers
    certificate = sign(request_credential(hub, issuer, {}))
    with pytest.raises(NotFound, match="bothways outbound csr"):
        install_credential(hub, merchant, certificate)
    request_credential(hub, merchant, {})
    with pytest.raises(Refused, match="CLIENT-KEY-01"):
        install_credential(hub, merchant, certificate)
    assert states(hub, merchant) == ["requested"]


def test_what_breaks_a_rule_changes_nothing(hub: Hub, servers: tuple[str, str], sign: Sign, audited: Audit) -> None:
    issuer = servers[0]
    made = request_credential(hub, issuer, {})
    before, lines = shown(hub), audited()
    for step in (read_credential, install_credential):
        with pytest.raises(Refused, match="CLIENT-DATE-01"):
            step(hub, issuer, sign(made, days=0))
    assert (shown(hub), states(hub, issuer), audited()) == (before, ["requested"], lines)
    assert read_credential(hub, issuer, sign(made)).credential == made
    assert (shown(hub), audited()) == (before, lines)


def test_only_a_decision_brings_back_the_hubs_own_certificate(
    hub: Hub, servers: tuple[str, str], sign: Sign, audited: Audit
) -> None:
    issuer, merchant = servers
    done = install_credential(hub, issuer, sign(request_credential(hub, issuer, {}), days=40))
    end = done.credential.not_after
    assert end is not None
    own = shown(hub)[issuer]
    # It has ended, and is shown all the same: calls fail, and the status says why.
    assert shown(replace(hub, now=lambda: end + timedelta(days=1)))[issuer] == own
    request_credential(hub, issuer, {})
    remove_credential(hub, issuer, "the bank trusts our Client CA now")
    assert states(hub, issuer) == ["removed", "removed"]
    assert shown(hub)[issuer] == shown(hub)[merchant]
    assert [line for line in audited() if line[0] == "outbound.remove"] == [("outbound.remove", issuer)] * 2
    with pytest.raises(NotFound):
        remove_credential(hub, issuer, "again")


def test_its_end_puts_the_flow_at_risk_and_then_breaks_it(hub: Hub, issuer: str, sign: Sign, endorse: Endorse) -> None:
    endorse(issuer, "https://bank.example")
    record_probe(hub, issuer, ProbeFact("bank.example:443", hub.now(), ok=True, seen="TLSv1.3"))
    done = install_credential(hub, issuer, sign(request_credential(hub, issuer, {}), days=100))
    end = done.credential.not_after
    assert end is not None
    states = []
    for days in (31, 29, 0):
        moment = end - timedelta(days=days)
        found = show_customer(replace(hub, now=partial(moment.astimezone, UTC)), issuer).assessment.outbound
        states.append(found.state.value)
    assert states == ["established", "at risk", "broken"]
    assert "the client certificate that the customer's CA signed for the hub ended on" in found.reason


def test_a_suspended_or_removed_customer_is_shown_nothing(hub: Hub, servers: tuple[str, str], sign: Sign) -> None:
    issuer = servers[0]
    install_credential(hub, issuer, sign(request_credential(hub, issuer, {})))
    request_credential(hub, issuer, {})
    suspend_customer(hub, issuer, "tested")
    assert issuer not in shown(hub)
    remove_customer(hub, issuer, "tested")
    with hub.read() as connection:
        found = customer_credentials.every(connection, issuer)
    assert {each.state for each in found} == {CredentialState.REMOVED}


def test_a_key_that_is_away_stops_the_calls_to_its_customer_and_nothing_else(
    hub: Hub, servers: tuple[str, str], sign: Sign
) -> None:
    issuer, merchant = servers
    done = install_credential(hub, issuer, sign(request_credential(hub, issuer, {})))
    with without_key(hub, done.credential.key_name) as opened:
        plane = DataPlane(opened)
        assert [each.tsp_id for each in plane.state().customers] == [merchant]
        [problem] = plane.problems
    assert problem.startswith(f"{issuer} is not called, for the key of its own client certificate cannot be used")


def test_who_was_held_at_a_certificate_of_the_hubs_is_so_no_more_with_one_of_its_own_or_when_it_is_removed(
    hub: Hub, servers: tuple[str, str], sign: Sign
) -> None:
    issuer, merchant = servers
    put_next_to_use(hub, make_next(hub), dict.fromkeys(servers, "answered 403"), ())
    assert held_customers(hub) == {issuer, merchant}
    install_credential(hub, issuer, sign(request_credential(hub, issuer, {})))
    assert held_customers(hub) == {merchant}
    remove_customer(hub, merchant, "tested")
    assert held_customers(hub) == set()
