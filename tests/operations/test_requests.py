"""Requests: one decision for each, one certificate for each decision, whatever happens in between."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.operations.conftest import Audit
from tests.stored_keys import without_key

from bothways.contract.document import KeyType
from bothways.errors import Conflict, NotFound, Refused, Unusable
from bothways.operations import issuing
from bothways.operations.certificates import certificate_chain, list_certificates, revoke_certificate
from bothways.operations.customers import remove_customer
from bothways.operations.hub import Hub
from bothways.operations.keys import every_known_key
from bothways.operations.requests import (
    approve_all,
    approve_request,
    list_requests,
    refuse_request,
    show_request,
    submit_request,
    waiting_requests,
)
from bothways.pki.keys import spki_pin
from bothways.pki.request import parse_request
from bothways.pki.revocation import RevocationReason
from bothways.store.authorities import Role, signing_authority
from bothways.store.certificates import StoredCertificate
from bothways.store.requests import RequestState

Csr = Callable[..., bytes]
MERCHANT_CN = "TLSMA-ECDSA/87654321/PPR"


def refused_ids(hub: Hub, tsp_id: str, data: bytes) -> list[str]:
    with pytest.raises(Refused) as refused:
        submit_request(hub, tsp_id, data)
    return [finding.id for finding in refused.value.findings]


def test_the_same_bytes_are_the_same_request(hub: Hub, issuer: str, make_csr: Csr, audited: Audit) -> None:
    csr = make_csr()
    first, again = submit_request(hub, issuer, csr), submit_request(hub, issuer, csr)
    assert first == again
    assert list_requests(hub) == (first,)
    assert [action for action, _ in audited()].count("request.submit") == 1


def test_the_same_bytes_submitted_at_once_are_one_request(hub: Hub, issuer: str, make_csr: Csr) -> None:
    csr = make_csr()
    with ThreadPoolExecutor(16) as pool:
        numbers = {stored.id for stored in pool.map(lambda _: submit_request(hub, issuer, csr), range(50))}
    assert len(numbers) == len(list_requests(hub)) == 1


def test_the_key_of_another_customer_is_refused(hub: Hub, issuer: str, merchant: str, make_csr: Csr) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    submit_request(hub, issuer, make_csr(key))
    assert refused_ids(hub, merchant, make_csr(key, CN=MERCHANT_CN, O="Corner Shop")) == ["CSR-KEY-03"]
    assert list_requests(hub, merchant) == ()


def test_a_key_of_the_other_environment_is_refused(hub: Hub, issuer: str, make_csr: Csr) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    (hub.directory / "ppr.keys").write_text(f"{'0' * 64}\n{spki_pin(key.public_key())}\n")
    told = replace(hub, settings=replace(hub.settings, used_elsewhere="ppr.keys"))
    assert refused_ids(told, issuer, make_csr(key)) == ["CSR-KEY-03"]
    stored = submit_request(told, issuer, make_csr())
    assert every_known_key(hub) == (stored.request.spki_pin,)
    # What came in before the other environment told of its keys is not approved either.
    early = submit_request(hub, issuer, make_csr(key))
    with pytest.raises(Refused, match="CSR-KEY-03"):
        approve_request(told, early.id)


@pytest.mark.parametrize("content", [None, "not a pin"])
def test_without_the_keys_of_the_other_environment_nothing_is_accepted(
    hub: Hub, issuer: str, make_csr: Csr, content: str | None
) -> None:
    if content is not None:
        (hub.directory / "ppr.keys").write_text(content)
    told = replace(hub, settings=replace(hub.settings, used_elsewhere="ppr.keys"))
    with pytest.raises(Unusable, match=r"ppr\.keys"):
        submit_request(told, issuer, make_csr())
    assert list_requests(hub) == ()


def test_the_key_of_a_revoked_certificate_is_refused(hub: Hub, issuer: str, make_csr: Csr) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = approve_request(hub, submit_request(hub, issuer, make_csr(key)).id)
    revoke_certificate(hub, certificate.serial, RevocationReason.KEY_COMPROMISE)
    assert refused_ids(hub, issuer, make_csr(key)) == ["CSR-KEY-10", "CSR-KEY-03"]


def test_the_key_of_the_hubs_own_ca_is_refused(hub: Hub, issuer: str, make_csr: Csr) -> None:
    with hub.read() as connection:
        authority = signing_authority(connection, Role.ISSUING)
    key = load_pem_private_key(hub.keys.private_pem(authority.key_name).encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert spki_pin(key.public_key()) == spki_pin(authority.certificate.public_key())
    assert refused_ids(hub, issuer, make_csr(key)) == ["CSR-KEY-03"]


def test_all_findings_come_at_once_and_nothing_is_stored(hub: Hub, issuer: str, make_csr: Csr) -> None:
    assert refused_ids(hub, issuer, make_csr(ec.generate_private_key(ec.SECP384R1()), CN=MERCHANT_CN, OU=None)) == [
        "CSR-KEY-01",
        "CSR-SUBJECT-01",
        "CSR-CN-01",
    ]
    assert list_requests(hub) == ()


def test_a_broken_signature_hides_no_other_mistake(hub: Hub, issuer: str, make_csr: Csr) -> None:
    der = parse_request(make_csr(CN=MERCHANT_CN, OU=None)).der
    broken = der[:-1] + bytes([der[-1] ^ 1])
    assert refused_ids(hub, issuer, broken) == ["CSR-POP-01", "CSR-SUBJECT-01", "CSR-CN-01"]


def test_an_unknown_customer_is_not_found(hub: Hub, make_csr: Csr) -> None:
    with pytest.raises(NotFound):
        submit_request(hub, "12345678", make_csr())


def test_approval_issues_a_certificate_of_the_issuing_ca(
    hub: Hub, issuer: str, make_csr: Csr, ecdsa_key: ec.EllipticCurvePrivateKey, audited: Audit
) -> None:
    stored = submit_request(hub, issuer, make_csr(ecdsa_key))
    record = approve_request(hub, stored.id)
    leaf, ca = x509.load_pem_x509_certificates(certificate_chain(hub, record).encode())
    leaf.verify_directly_issued_by(ca)
    assert leaf.public_key() == ecdsa_key.public_key()
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.UniformResourceIdentifier(f"urn:bothways:PPR:12345678:{leaf.serial_number:x}")]
    assert (record.serial, record.unsigned.der) == (f"{leaf.serial_number:x}", leaf.tbs_certificate_bytes)
    decided, _ = show_request(hub, stored.id)
    assert (decided.state, decided.decided_by) == (RequestState.APPROVED, "tester")
    assert audited()[-3:] == [
        ("request.submit", str(stored.id)),
        ("request.approve", str(stored.id)),
        ("certificate.issue", record.serial),
    ]


def test_serial_and_bytes_are_stored_before_the_key_signs(hub: Hub, issuer: str, make_csr: Csr) -> None:
    number = submit_request(hub, issuer, make_csr()).id
    with without_key(hub) as opened, pytest.raises(Unusable, match="issuing-ca-1 is not in the database"):
        approve_request(opened, number)
    (record,) = list_certificates(hub)
    assert (record.request_id, record.der, record.state(hub.now())) == (number, None, "being signed")
    assert record.unsigned.der
    assert show_request(hub, number)[0].state is RequestState.APPROVED


def test_a_request_is_decided_once(hub: Hub, issuer: str, make_csr: Csr, audited: Audit) -> None:
    number = submit_request(hub, issuer, make_csr()).id
    approve_request(hub, number)
    before = audited()
    with pytest.raises(Conflict, match="approved already"):
        approve_request(hub, number)
    with pytest.raises(Conflict, match="approved already"):
        refuse_request(hub, number, "too late")
    assert len(list_certificates(hub)) == 1
    assert audited() == before


def test_operators_at_once_make_one_certificate(hub: Hub, issuer: str, make_csr: Csr, audited: Audit) -> None:
    number = submit_request(hub, issuer, make_csr()).id

    def approve(_: int) -> str:
        try:
            return approve_request(hub, number).serial
        except Conflict:
            return "conflict"

    with ThreadPoolExecutor(8) as pool:
        outcomes = set(pool.map(approve, range(8)))
    (record,) = list_certificates(hub)
    # Whoever comes between decision and signature helps to finish the one certificate.
    assert record.serial in outcomes <= {"conflict", record.serial}
    assert [action for action, _ in audited()].count("request.approve") == 1
    assert [action for action, _ in audited()].count("certificate.issue") == 1


def test_an_approval_that_was_cut_off_is_finished_by_the_next(hub: Hub, issuer: str, make_csr: Csr) -> None:
    number = submit_request(hub, issuer, make_csr()).id
    with pytest.raises(Unusable), without_key(hub) as opened:
        approve_request(opened, number)
    (left,) = list_certificates(hub)
    assert waiting_requests(hub) == (number,)
    finished = approve_request(hub, number)
    assert (finished.serial, finished.unsigned) == (left.serial, left.unsigned)
    assert (finished,) == list_certificates(hub)
    assert waiting_requests(hub) == ()
    with pytest.raises(Conflict, match="approved already"):
        approve_request(hub, number)


def test_many_are_approved_in_groups_and_each_as_if_it_were_alone(
    hub: Hub, issuer: str, merchant: str, make_csr: Csr, audited: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuing, "GROUP", 2)
    numbers = [submit_request(hub, issuer, make_csr()).id for _ in range(3)]
    numbers += [submit_request(hub, merchant, make_csr(CN=MERCHANT_CN)).id for _ in range(2)]
    assert waiting_requests(hub) == tuple(numbers)
    assert waiting_requests(hub, merchant) == tuple(numbers[3:])
    approvals = list(approve_all(hub, [*numbers, numbers[0]]))
    stored = {each.request_id: each for each in list_certificates(hub)}
    assert [(each.number, each.outcome) for each in approvals] == [(number, stored[number]) for number in numbers]
    assert len({each.serial for each in stored.values()}) == len(numbers)
    for record in stored.values():
        leaf, ca = x509.load_pem_x509_certificates(certificate_chain(hub, record).encode())
        leaf.verify_directly_issued_by(ca)
        assert f"{leaf.serial_number:x}" == record.serial
    first, second = numbers[:2]
    assert audited()[-10:-6] == [
        ("request.approve", str(first)),
        ("request.approve", str(second)),
        ("certificate.issue", stored[first].serial),
        ("certificate.issue", stored[second].serial),
    ]
    assert waiting_requests(hub) == ()


def test_one_that_cannot_be_approved_does_not_keep_the_others_from_it(
    hub: Hub, issuer: str, merchant: str, make_csr: Csr, rsa_key: rsa.RSAPrivateKey, audited: Audit
) -> None:
    good, refused, done = (submit_request(hub, issuer, make_csr()).id for _ in range(3))
    other_key = submit_request(hub, issuer, make_csr(rsa_key, CN="TLSMA-RSA/12345678/PPR")).id
    orphan = submit_request(hub, merchant, make_csr(CN=MERCHANT_CN)).id
    refuse_request(hub, refused, "not agreed")
    approve_request(hub, done)
    remove_customer(hub, merchant, "tested")
    narrow = replace(hub, terms=replace(hub.terms, request=replace(hub.terms.request, keys=(KeyType.ECDSA,))))
    outcomes = {each.number: each.outcome for each in approve_all(narrow, (99, refused, done, other_key, orphan, good))}
    kinds = {number: type(outcome) for number, outcome in outcomes.items()}
    assert kinds == {
        99: NotFound,
        refused: Conflict,
        done: Conflict,
        other_key: Refused,
        orphan: NotFound,
        good: StoredCertificate,
    }
    rejection = outcomes[other_key]
    assert isinstance(rejection, Refused)
    assert [finding.id for finding in rejection.findings] == ["CSR-KEY-01"]
    assert show_request(hub, other_key)[0].state is RequestState.SUBMITTED
    assert [subject for action, subject in audited() if action == "request.approve"] == [str(done), str(good)]


def test_what_the_rules_warn_of_is_left_to_a_person_where_nobody_looked(hub: Hub, issuer: str, make_csr: Csr) -> None:
    number = submit_request(hub, issuer, make_csr(O="Another Bank")).id
    [left] = approve_all(hub, (number,), strict=True)
    assert isinstance(left.outcome, Refused)
    assert [finding.id for finding in left.outcome.findings] == ["CSR-SUBJECT-03"]
    assert list_certificates(hub) == ()
    [approved] = approve_all(hub, (number,))
    assert [finding.id for finding in approved.warnings] == ["CSR-SUBJECT-03"]
    assert list_certificates(hub) == (approved.outcome,)


def test_a_refused_request_keeps_its_reason_and_frees_its_key(hub: Hub, issuer: str, make_csr: Csr) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    csr = make_csr(key)
    number = submit_request(hub, issuer, csr).id
    refuse_request(hub, number, "the phone number does not answer")
    stored, _ = show_request(hub, number)
    assert (stored.state, stored.reason) == (RequestState.REFUSED, "the phone number does not answer")
    with pytest.raises(Conflict, match="the phone number does not answer"):
        submit_request(hub, issuer, csr)
    assert submit_request(hub, issuer, make_csr(key, L="Lyon")).state is RequestState.SUBMITTED


def test_an_organization_that_differs_is_for_a_person_to_judge(hub: Hub, issuer: str, make_csr: Csr) -> None:
    number = submit_request(hub, issuer, make_csr(O="Another Bank")).id
    assert [finding.id for finding in show_request(hub, number)[1]] == ["CSR-SUBJECT-03"]


def test_the_revocation_list_of_the_settings_is_named_in_the_certificate(hub: Hub, issuer: str, make_csr: Csr) -> None:
    told = replace(hub, settings=replace(hub.settings, crl_url="http://pki.hub.example/crl/"))
    record = approve_request(told, submit_request(told, issuer, make_csr()).id)
    leaf = x509.load_der_x509_certificate(record.der or b"")
    [point] = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert point.full_name == [x509.UniformResourceIdentifier(f"http://pki.hub.example/crl/{record.authority_id}.crl")]


def test_a_ca_that_ends_early_is_warned_of_before_approval_and_caps(hub: Hub, issuer: str, make_csr: Csr) -> None:
    with hub.read() as connection:
        end = signing_authority(connection, Role.ISSUING).certificate.not_valid_after_utc
    late = replace(hub, now=lambda: end - timedelta(days=100))
    number = submit_request(late, issuer, make_csr()).id
    assert [finding.id for finding in show_request(late, number)[1]] == ["CERT-END-01"]
    record = approve_request(late, number)
    assert x509.load_der_x509_certificate(record.der or b"").not_valid_after_utc == record.not_after == end


def test_the_request_of_a_removed_customer_cannot_be_approved(hub: Hub, issuer: str, make_csr: Csr) -> None:
    number = submit_request(hub, issuer, make_csr()).id
    remove_customer(hub, issuer, "tested")
    with pytest.raises(NotFound):
        approve_request(hub, number)
    assert list_certificates(hub) == ()
