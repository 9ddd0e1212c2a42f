"""A second CA beside the first: both trusted, the new one signs, the old one goes when nobody needs it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from sqlalchemy import update
from tests.operations.conftest import Audit
from tests.postgresql import another
from tests.stored_keys import key_names

from bothways.contract.document import KeyType
from bothways.errors import Conflict, NotFound
from bothways.operations.authorities import (
    add_client_authority,
    add_issuing_authority,
    list_authorities,
    retirable,
    retire_authority,
)
from bothways.operations.certificates import revoke_certificate
from bothways.operations.customers import add_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract, initialise, new_terms, open_hub
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.revocation import current_list
from bothways.operations.rotation import make_next, put_next_to_use, release_customer, rotate_client_certificate
from bothways.operations.upkeep import upkeep
from bothways.pki.chain import certificate_pem
from bothways.pki.keys import described
from bothways.pki.revocation import RevocationReason
from bothways.registry.customer import CustomerKind
from bothways.store import authorities, schema
from bothways.store.authorities import Role
from bothways.store.certificates import StoredCertificate

Certify = Callable[[str], StoredCertificate]


def at(hub: Hub, moment: datetime) -> Hub:
    """Return the hub at another moment."""
    return replace(hub, now=lambda: moment)


def issuing(hub: Hub) -> list[x509.Certificate]:
    """Return the issuing CAs that the contract names, newest first."""
    return x509.load_pem_x509_certificates(contract(hub).trust.issuing_ca.encode())


def states(hub: Hub) -> dict[int, str]:
    return {each["id"]: each["state"] for each in list_authorities(hub) if each["role"] == "issuing"}


def test_the_new_ca_signs_and_both_are_trusted_and_published(
    hub: Hub, issuer: str, certify: Certify, audited: Audit
) -> None:
    upkeep(hub)
    old = certify(issuer)
    added = add_issuing_authority(hub)
    new = certify(issuer)
    first, second = (x509.load_der_x509_certificate(each.der or b"") for each in (old, new))
    newer, older = issuing(hub)
    first.verify_directly_issued_by(older)
    second.verify_directly_issued_by(newer)
    assert newer.subject != older.subject
    assert states(hub) == {1: "trusted", added.id: "signing"}
    trust = hub_state(hub).trust
    assert x509.load_pem_x509_certificates(trust.pem.encode()) == [newer, older]
    assert {x509.load_pem_x509_crl(each.encode()).issuer for each in trust.lists} == {newer.subject, older.subject}
    assert {each.uri_id for each in hub_state(hub).identities} == {old.uri_id, new.uri_id}
    assert ("authority.add", str(added.id)) in audited()


def test_each_ca_has_a_list_of_its_own_with_its_own_revocations(hub: Hub, issuer: str, certify: Certify) -> None:
    old = certify(issuer)
    added = add_issuing_authority(hub)
    new = certify(issuer)
    for each in (old, new):
        revoke_certificate(hub, each.serial, RevocationReason.KEY_COMPROMISE)
    upkeep(hub)
    for number, record in ((1, old), (added.id, new)):
        [entry] = x509.load_der_x509_crl(current_list(hub, number).der)
        assert f"{entry.serial_number:x}" == record.serial


def test_the_key_is_as_the_one_before_or_as_asked(hub: Hub) -> None:
    assert described(add_issuing_authority(hub).certificate.public_key()) == "ECDSA P-256"
    for _ in range(2):
        kind = KeyType.RSA if len(issuing(hub)) == 2 else None
        assert "RSA with 4096" in described(add_issuing_authority(hub, kind).certificate.public_key())
    assert len({each.subject for each in issuing(hub)}) == 4


def test_the_longest_domain_has_room_for_a_generation(hub: Hub) -> None:
    longest = replace(hub, terms=replace(hub.terms, hub="a" * 48))
    for generation in (2, 3):
        assert f"issuing G{generation}" in add_issuing_authority(longest).certificate.subject.rfc4514_string()


def test_a_ca_whose_certificates_live_is_not_retired(hub: Hub, issuer: str, certify: Certify) -> None:
    old = certify(issuer)
    add_issuing_authority(hub)
    with pytest.raises(Conflict, match="1 certificates of the CA 1 are in force"):
        retire_authority(hub, 1, "tested")
    assert upkeep(hub).problems == ()
    assert states(hub)[1] == "trusted"
    revoke_certificate(hub, old.serial, RevocationReason.SUPERSEDED)
    upkeep(hub)
    # By itself not before what was revoked has expired: until then its list is somebody's only word on it.
    assert states(hub)[1] == "trusted"
    retire_authority(hub, 1, "tested")
    assert states(hub)[1] == "retired"
    assert len(issuing(hub)) == len(hub_state(hub).trust.lists) == 1


def test_it_retires_by_itself_when_its_last_certificate_is_gone(
    hub: Hub, issuer: str, certify: Certify, audited: Audit
) -> None:
    old = certify(issuer)
    add_issuing_authority(hub)
    for days, wanted in ((-1, "trusted"), (1, "retired")):
        later = at(hub, old.not_after + timedelta(days=days))
        assert upkeep(later).problems == ()
        assert states(later)[1] == wanted
    assert ("authority.retire", "1") in audited()
    assert retirable(hub) == ()
    with pytest.raises(Conflict, match="was retired"):
        retire_authority(hub, 1, "tested")


def test_a_ca_that_signed_nothing_goes_at_once_and_the_one_that_signs_never(hub: Hub) -> None:
    assert retirable(hub) == ()
    added = add_issuing_authority(hub)
    assert retirable(hub) == (1,)
    for number in (added.id, 2, 3):
        with pytest.raises(Conflict, match="signs"):
            retire_authority(hub, number, "tested")
    with pytest.raises(NotFound):
        retire_authority(hub, 99, "tested")


def test_whose_key_cannot_be_stored_is_not_added(hub: Hub, audited: Audit) -> None:
    before, keys = audited(), key_names(hub)
    with hub.write() as transaction:
        transaction.connection.execute(update(schema.hub).values(passphrase=2))
    with pytest.raises(Conflict, match="passphrase was changed meanwhile: version 2 is wanted, and this has version 1"):
        add_issuing_authority(hub)
    assert (audited(), key_names(hub)) == (before, keys)
    assert len(issuing(hub)) == 1


def test_in_a_token_the_next_ca_has_a_key_of_its_own(hub: Hub, make_csr: Callable[..., bytes], token_uri: str) -> None:
    settings = replace(another(hub.settings), signer=token_uri)
    place = hub.directory.parent / "in-token"
    initialise(place, new_terms(hub.environment, hub.terms.hub, settings), settings, "tester")
    with open_hub(place, "tester") as opened:
        added = add_issuing_authority(opened)
        assert added.key_name == "pkcs11:object=issuing-ca-2"
        add_customer(opened, "12345678", CustomerKind.ISSUER, "First Bank")
        record = approve_request(opened, submit_request(opened, "12345678", make_csr()).id)
        x509.load_der_x509_certificate(record.der or b"").verify_directly_issued_by(added.certificate)
        assert upkeep(opened).problems == ()


def test_the_next_client_ca_is_announced_at_once_and_signs_from_the_next_rotation_on(hub: Hub, audited: Audit) -> None:
    before, agreed = hub_state(hub).client, contract(hub)
    added = add_client_authority(hub)
    assert hub_state(hub).client == before
    assert contract(hub).trust.client_ca == certificate_pem(added.certificate) + agreed.trust.client_ca
    assert replace(contract(hub).trust, client_ca=agreed.trust.client_ca) == agreed.trust
    assert audited()[-1] == ("authority.add", str(added.id))
    rotate_client_certificate(hub)
    current = x509.load_pem_x509_certificate(hub_state(hub).client.certificate_pem.encode())
    current.verify_directly_issued_by(added.certificate)


def test_a_next_certificate_of_the_old_client_ca_is_made_again_under_the_new_one(hub: Hub) -> None:
    old = make_next(hub)
    added = add_client_authority(hub)
    following = make_next(hub)
    assert (old.authority_id != added.id, following.authority_id) == (True, added.id)
    following.certificate.verify_directly_issued_by(added.certificate)
    assert not put_next_to_use(hub, old, {}, ())


def test_an_old_client_ca_stays_while_somebody_is_shown_a_certificate_of_it(hub: Hub, issuer: str) -> None:
    with hub.read() as connection:
        old = authorities.signing_authority(connection, Role.CLIENT)
    with pytest.raises(Conflict, match=rf"the CA {old.id} signs"):
        retire_authority(hub, old.id, "tested")
    add_client_authority(hub)
    with pytest.raises(Conflict, match=rf"1 certificates of the Client CA {old.id} are shown to customers"):
        retire_authority(hub, old.id, "tested")
    put_next_to_use(hub, make_next(hub), {issuer: "unknown ca"}, ())
    assert retirable(hub) == ()
    with pytest.raises(Conflict, match="bothways rotate"):
        retire_authority(hub, old.id, "tested")
    release_customer(hub, issuer, "it trusts the new one")
    assert retirable(hub) == (old.id,)
    retire_authority(hub, old.id, "tested")
    assert certificate_pem(old.certificate) not in contract(hub).trust.client_ca
    listed = {each["id"]: (each["state"], each["certificates"]) for each in list_authorities(hub)}
    assert listed[old.id] == ("retired", 0)
