"""A key that others can have: banned whichever way it is found out, for everybody, with what was certified under it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from sqlalchemy import select
from tests.operations.conftest import Audit
from tests.stored_keys import without_key
from tests.vectors import keys as vectors
from tests.vectors.shape import RSA_CN, content, good_rsa, signed, spki_of, subject

from bothways.errors import BothwaysError, Conflict, NotFound, Refused
from bothways.operations.authorities import add_issuing_authority
from bothways.operations.certificates import finish_certificate, list_certificates, revoke_certificate
from bothways.operations.chains import endorse_chain, list_chains, submit_chain
from bothways.operations.enrolment import enroll, enrolment_password, reenroll
from bothways.operations.hub import Hub
from bothways.operations.keys import (
    ban_keys,
    compare_key,
    endangered,
    every_known_key,
    list_banned_keys,
)
from bothways.operations.requests import approve_all, approve_request, list_requests, show_request, submit_request
from bothways.operations.upkeep import upkeep
from bothways.pki.chain import certificate_pem
from bothways.pki.keys import spki_pin
from bothways.pki.request import parse_request
from bothways.pki.revocation import RevocationReason
from bothways.store import authorities, keys, requests
from bothways.store.authorities import Role
from bothways.store.chains import ChainState
from bothways.store.schema import audit, metadata

Csr = Callable[..., bytes]
Key = ec.EllipticCurvePrivateKey


@pytest.fixture
def key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def pem_of(key: Key | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def refusal(work: Callable[[], object]) -> list[str]:
    with pytest.raises(Refused) as refused:
        work()
    return [each.id for each in refused.value.findings]


def bans(hub: Hub) -> dict[str, str]:
    return {each.spki_pin: each.cause.value for each in list_banned_keys(hub)}


def everything_stored(hub: Hub) -> str:
    with hub.read() as connection:
        rows = [tuple(row) for table in metadata.sorted_tables for row in connection.execute(select(table))]
    return repr(rows)


def secret(key: Key) -> int:
    return key.private_numbers().private_value


@pytest.mark.parametrize("with_request", [True, False])
def test_a_private_key_in_place_of_a_request_or_beside_it_is_banned_for_everybody_and_stored_nowhere(
    hub: Hub, issuer: str, merchant: str, make_csr: Csr, key: Key, audited: Audit, *, with_request: bool
) -> None:
    data = pem_of(key) + (make_csr(key) if with_request else b"")
    with pytest.raises(Refused) as refused:
        submit_request(hub, issuer, data, "tls.csr")
    pin = spki_pin(key.public_key())
    told = [str(each) for each in refused.value.findings]
    assert told[0].startswith("CSR-FILE-02: a private key was given")
    assert " ".join(told[1:]) == (
        f"CSR-KEY-10: the key {pin} is banned for good, and what was certified under it is revoked (tls.csr). "
        "Make a new key, and a request for it; replace the key wherever else it is used."
    )
    assert bans(hub) == {pin: "disclosed"}
    assert audited()[-1] == ("key.ban", pin)
    with hub.read() as connection:
        line = connection.execute(select(audit).order_by(audit.c.sequence.desc()).limit(1)).one()
    assert (line.actor, json.loads(line.detail)) == (
        "tester",
        {"cause": "disclosed", "customer": issuer, "reason": f"its private key was handed in for {issuer}"},
    )
    assert refusal(lambda: submit_request(hub, issuer, make_csr(key))) == ["CSR-KEY-10"]
    other = make_csr(key, CN="TLSMA-ECDSA/87654321/PPR", O="Corner Shop")
    assert refusal(lambda: submit_request(hub, merchant, other)) == ["CSR-KEY-10"]
    assert list_requests(hub) == ()
    assert pin in every_known_key(hub)
    kept = everything_stored(hub) + "".join(told)
    lines = pem_of(key).decode().splitlines()[1:-1]
    assert not any(each in kept for each in (*lines, str(secret(key)), f"{secret(key):x}"))
    files = b"".join(path.read_bytes() for path in hub.directory.rglob("*") if path.is_file())
    assert not any(each.encode() in files for each in lines)
    assert secret(key).to_bytes(32) not in files


def test_a_private_key_for_a_customer_that_is_not_there_is_banned_too(hub: Hub, key: Key) -> None:
    with pytest.raises(NotFound):
        submit_request(hub, "99999999", pem_of(key))
    assert bans(hub) == {spki_pin(key.public_key()): "disclosed"}


def test_a_private_key_in_a_store_that_no_password_protects_is_banned_too(hub: Hub, issuer: str, key: Key) -> None:
    store = pkcs12.serialize_key_and_certificates(None, key, None, None, NoEncryption())
    assert refusal(lambda: submit_request(hub, issuer, store)) == ["CSR-FILE-02", "CSR-KEY-10"]
    assert bans(hub) == {spki_pin(key.public_key()): "disclosed"}


def test_a_request_without_a_private_key_bans_nothing(hub: Hub, issuer: str, make_csr: Csr, audited: Audit) -> None:
    before = audited()
    for data in (b"", b"hello", make_csr(C=None), make_csr() * 2, b"-----BEGIN PRIVATE KEY-----\n"):
        with pytest.raises(Refused):
            submit_request(hub, issuer, data)
    assert (bans(hub), audited()) == ({}, before)


def test_whoever_hands_in_a_certified_key_revokes_its_certificate_and_nobody_else_can(
    hub: Hub, issuer: str, merchant: str, make_csr: Csr, key: Key, audited: Audit
) -> None:
    record = approve_request(hub, submit_request(hub, issuer, make_csr(key)).id)
    own = ec.generate_private_key(ec.SECP256R1())
    # Somebody else has the request and the certificate, as everybody can, and a private key: but another one.
    with pytest.raises(Refused):
        submit_request(hub, merchant, pem_of(own) + make_csr(key))
    assert list_certificates(hub)[0].revoked_at is None
    with pytest.raises(Refused):
        submit_request(hub, merchant, pem_of(key))
    [revoked] = list_certificates(hub)
    assert (revoked.serial, revoked.revoked_reason) == (record.serial, RevocationReason.KEY_COMPROMISE)
    assert audited()[-2:] == [("key.ban", spki_pin(key.public_key())), ("certificate.revoke", record.serial)]
    # Once more changes nothing.
    before = audited()
    with pytest.raises(Refused):
        submit_request(hub, issuer, pem_of(key))
    assert audited() == before
    assert refusal(lambda: submit_request(hub, issuer, make_csr(key))) == ["CSR-KEY-10", "CSR-KEY-03"]


def test_what_waits_for_review_or_for_its_signature_gets_no_certificate(
    hub: Hub, issuer: str, make_csr: Csr, key: Key
) -> None:
    waiting = submit_request(hub, issuer, make_csr(key))
    other = ec.generate_private_key(ec.SECP256R1())
    unsigned = submit_request(hub, issuer, make_csr(other))
    with without_key(hub) as crippled, pytest.raises(BothwaysError):
        approve_request(crippled, unsigned.id)
    for each in (key, other):
        with pytest.raises(Refused):
            submit_request(hub, issuer, pem_of(each))
    assert [each.id for each in show_request(hub, waiting.id)[1]] == ["CSR-KEY-10"]
    assert refusal(lambda: approve_request(hub, waiting.id)) == ["CSR-KEY-10"]
    [record] = list_certificates(hub)
    assert finish_certificate(hub, record.serial).der is None
    assert upkeep(hub).problems == ()
    assert list_certificates(hub)[0].der is None


def test_enrolment_by_est_bans_what_it_is_given_and_takes_no_banned_key(
    hub: Hub, issuer: str, make_csr: Csr, key: Key
) -> None:
    password = enrolment_password(hub, issuer)
    assert refusal(lambda: enroll(hub, issuer, password, pem_of(key) + make_csr(key))) == ["CSR-FILE-02", "CSR-KEY-10"]
    assert bans(hub) == {spki_pin(key.public_key()): "disclosed"}
    assert refusal(lambda: enroll(hub, issuer, password, make_csr(key))) == ["CSR-KEY-10"]
    record = approve_request(hub, enroll(hub, issuer, password, make_csr()).request)
    other = ec.generate_private_key(ec.SECP256R1())
    shown = record.fingerprint or ""
    assert refusal(lambda: reenroll(hub, issuer, shown, pem_of(other))) == ["CSR-FILE-02", "CSR-KEY-10"]
    assert refusal(lambda: reenroll(hub, issuer, shown, make_csr(other))) == ["CSR-KEY-10"]


def test_a_renewal_by_est_with_the_same_key_is_refused_before_and_after_it_was_disclosed(
    hub: Hub, issuer: str, make_csr: Csr, key: Key
) -> None:
    csr = make_csr(key)
    record = approve_request(hub, submit_request(hub, issuer, csr).id)
    shown = record.fingerprint or ""
    assert refusal(lambda: reenroll(hub, issuer, shown, make_csr(key))) == ["CSR-KEY-03"]
    with pytest.raises(Conflict, match="does not renew itself"):
        reenroll(hub, issuer, shown, csr)
    with pytest.raises(Refused):
        submit_request(hub, issuer, pem_of(key))
    with pytest.raises(BothwaysError):
        reenroll(hub, issuer, shown, make_csr(key))
    assert refusal(lambda: submit_request(hub, issuer, csr)) == ["CSR-KEY-10"]


def test_a_certificate_that_is_revoked_for_key_compromise_bans_its_key_in_words_and_no_other_reason_does(
    hub: Hub, issuer: str, make_csr: Csr, key: Key
) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    for each, reason in ((key, RevocationReason.KEY_COMPROMISE), (other, RevocationReason.SUPERSEDED)):
        record = approve_request(hub, submit_request(hub, issuer, make_csr(each)).id)
        revoke_certificate(hub, record.serial, reason)
    assert bans(hub) == {spki_pin(key.public_key()): "compromised"}
    with pytest.raises(Refused) as refused:
        submit_request(hub, issuer, make_csr(key))
    assert refused.value.findings[0].message == (
        "the key is banned for good: a certificate of it was revoked because others can have its private key"
    )


def test_a_ca_whose_private_key_was_in_the_chain_vouches_for_nothing(
    hub: Hub, issuer: str, merchant: str, make_ca: Callable[..., tuple[Any, x509.Certificate]], audited: Audit
) -> None:
    ca_key, root = make_ca("First Bank Root")
    pem = certificate_pem(root).encode()
    endorsed = endorse_chain(hub, submit_chain(hub, issuer, pem).id)
    kept = endorse_chain(hub, submit_chain(hub, issuer, certificate_pem(make_ca("Other Root")[1]).encode()).id)
    waiting = submit_chain(hub, merchant, pem)
    assert refusal(lambda: submit_chain(hub, issuer, pem + pem_of(ca_key))) == ["CSR-FILE-02", "CSR-KEY-10"]
    states = {each.id: each.state for each in list_chains(hub)}
    assert states == {
        endorsed.id: ChainState.WITHDRAWN,
        kept.id: ChainState.ENDORSED,
        waiting.id: ChainState.SUBMITTED,
    }
    assert audited()[-1] == ("chain.withdraw", str(endorsed.id))
    assert refusal(lambda: submit_chain(hub, issuer, pem)) == ["CHAIN-KEY-03"]
    assert refusal(lambda: endorse_chain(hub, waiting.id)) == ["CHAIN-KEY-03"]


def test_the_operator_bans_a_key_with_all_that_it_stands_for(
    hub: Hub, issuer: str, merchant: str, make_csr: Csr, key: Key, make_ca: Callable[..., Any], audited: Audit
) -> None:
    record = approve_request(hub, submit_request(hub, issuer, make_csr(key)).id)
    root = certificate_pem(make_ca("Root", key=key)[1]).encode()
    chain = endorse_chain(hub, submit_chain(hub, merchant, root).id)
    pin = spki_pin(key.public_key())
    done = ban_keys(hub, {pin}, "reported by mail")
    assert (done.spki_pins, done.revoked) == ((pin,), (record.serial,))
    assert audited()[-3:] == [
        ("key.ban", pin),
        ("certificate.revoke", record.serial),
        ("chain.withdraw", str(chain.id)),
    ]
    again = ban_keys(hub, {pin}, "again")
    assert (again.spki_pins, again.revoked) == ((), ())
    [ban] = list_banned_keys(hub)
    assert (ban.reason, ban.banned_by) == ("reported by mail", "tester")


def pin_of(name: str) -> str:
    return parse_request(good_rsa(name)).spki_pin


def test_two_keys_with_a_prime_in_common_are_both_refused_for_good(hub: Hub, issuer: str, audited: Audit) -> None:
    first = submit_request(hub, issuer, good_rsa("shared"))
    submit_request(hub, issuer, good_rsa("good"))
    for _ in range(2):
        assert refusal(lambda: submit_request(hub, issuer, good_rsa("sharing"))) == ["CSR-KEY-09"]
    assert bans(hub) == {pin_of("shared"): "shared prime", pin_of("sharing"): "shared prime"}
    assert sorted(audited()[-2:]) == sorted(("key.ban", pin_of(name)) for name in ("shared", "sharing"))
    # The first one waits for review already, and is in the list of moduli itself.
    [shared, good] = approve_all(hub, (first.id, first.id + 1))
    assert isinstance(shared.outcome, Refused)
    assert [each.id for each in shared.outcome.findings] == ["CSR-KEY-09"]
    assert not isinstance(good.outcome, BothwaysError)


def test_two_that_wait_in_one_group_are_both_refused(hub: Hub, issuer: str) -> None:
    numbers = []
    for name in ("shared", "sharing", "good"):
        parsed = parse_request(good_rsa(name))
        with hub.write() as transaction:
            numbers.append(requests.add(transaction, issuer, parsed))
        compare_key(hub, issuer, parsed)
    outcomes = [each.outcome for each in approve_all(hub, numbers)]
    found = [[f.id for f in each.findings] if isinstance(each, Refused) else [] for each in outcomes]
    assert found == [["CSR-KEY-09"], ["CSR-KEY-09"], []]


def test_a_key_shares_no_prime_with_itself(hub: Hub, issuer: str) -> None:
    csr = good_rsa("good")
    first = submit_request(hub, issuer, csr)
    assert submit_request(hub, issuer, csr) == first
    key = vectors.rsa("good")
    again = signed(content(subject(CN=RSA_CN, OU="Settlement"), spki_of(key)), key)
    assert refusal(lambda: submit_request(hub, issuer, again)) == ["CSR-KEY-03"]
    approve_request(hub, first.id)
    assert refusal(lambda: submit_request(hub, issuer, again)) == ["CSR-KEY-03"]
    assert bans(hub) == {}


def test_a_modulus_of_a_request_that_breaks_rules_is_not_kept(hub: Hub, issuer: str) -> None:
    key = vectors.rsa("shared")
    wrong = signed(content(subject(CN="wrong"), spki_of(key)), key)
    assert refusal(lambda: submit_request(hub, issuer, wrong)) == ["CSR-CN-01"]
    assert refusal(lambda: submit_request(hub, issuer, good_rsa("2048"))) == ["CSR-KEY-01"]
    with hub.read() as connection:
        assert keys.last_modulus(connection) == 0


def test_a_certificate_whose_key_turns_out_to_share_a_prime_is_a_problem_until_it_is_revoked(
    hub: Hub, issuer: str
) -> None:
    record = approve_request(hub, submit_request(hub, issuer, good_rsa("shared")).id)
    assert upkeep(hub).problems == ()
    with pytest.raises(Refused):
        submit_request(hub, issuer, good_rsa("sharing"))
    [problem] = upkeep(hub).problems
    assert problem == (
        f"certificate {record.serial} of {issuer} has a key that shares a prime with another one, so that its private "
        "key can be computed. Have it renewed with a new key, and revoke it: "
        f"bothways certificate revoke {record.serial} --reason keyCompromise"
    )
    assert list_certificates(hub)[0].revoked_at is None
    revoke_certificate(hub, record.serial, RevocationReason.KEY_COMPROMISE)
    assert upkeep(hub).problems == ()


def test_keys_are_compared_with_those_of_the_hubs_cas_and_the_other_way_round(
    hub: Hub, issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub.write() as transaction:
        ca = authorities.signing_authority(transaction.connection, Role.ISSUING)
        keys.add_modulus(transaction, spki_pin(ca.certificate.public_key()), vectors.rsa("shared").n)
    assert refusal(lambda: submit_request(hub, issuer, good_rsa("sharing"))) == ["CSR-KEY-09"]
    [problem] = endangered(hub)
    assert problem == (
        f"the key of the hub's issuing CA {ca.id} is banned: it shares a prime with another key. "
        "Replace it now: bothways hub authority list"
    )
    public = parse_request(good_rsa("shared")).public_key
    provided = type("Provided", (), {"name": "issuing-ca-2", "public_key": public, "stored": None})()
    monkeypatch.setattr(hub.keys, "provide_issuing_key", lambda *_: provided)
    with pytest.raises(Conflict, match="shares a prime"):
        add_issuing_authority(hub)
