import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from tests.operations.conftest import Audit
from tests.outbound.signing import returned_by

from bothways.bundle import seal
from bothways.bundle.archive import write_archive
from bothways.bundle.seal import About, Bundle, Kind, make_bundle, open_bundle
from bothways.contract.document import Environment
from bothways.contract.parse import parse_contract
from bothways.errors import Conflict, NotFound, Refused
from bothways.operations.bundles import Imported, export_bundle, import_bundle
from bothways.operations.certificates import list_certificates, revoke_certificate
from bothways.operations.chains import list_chains
from bothways.operations.customer_credentials import request_credential, show_credentials
from bothways.operations.customers import add_customer
from bothways.operations.endpoints import waiting_endpoints
from bothways.operations.hub import Hub
from bothways.operations.keys import list_banned_keys
from bothways.operations.requests import approve_request, list_requests, submit_request
from bothways.pki.keys import spki_pin
from bothways.pki.revocation import RevocationReason
from bothways.pki.statement import sign_statement
from bothways.registry.customer import CustomerKind
from bothways.store import bundles

URL = b"https://shop.example.com/hub\n"
MakeCa = Callable[..., tuple[ec.EllipticCurvePrivateKey, x509.Certificate]]


@pytest.fixture
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def offered(hub: Hub, issuer: str) -> Bundle:
    """What the customer has been sent."""
    return open_bundle(export_bundle(hub, issuer, {}).data, Kind.HUB, "hub.zip")


def answer(key: Any, about: About, **members: bytes) -> bytes:
    return make_bundle(
        Kind.CUSTOMER,
        replace(about, made_at=datetime.now(UTC)),
        members,
        key.public_key(),
        lambda statement: sign_statement(key, statement),
    )


def ids(hub: Hub, data: bytes) -> list[str]:
    with pytest.raises(Refused) as refused:
        import_bundle(hub, data, "answer.zip")
    return [each.id for each in refused.value.findings]


def untouched(hub: Hub) -> bool:
    return not (list_requests(hub) or list_chains(hub) or waiting_endpoints(hub))


@pytest.fixture
def full(
    offered: Bundle, key: ec.EllipticCurvePrivateKey, make_csr: Callable[..., bytes], make_ca: MakeCa
) -> dict[str, bytes]:
    """The members of a good answer."""
    assert offered
    chain = make_ca("shop CA")[1].public_bytes(Encoding.PEM)
    return {seal.REQUEST: make_csr(key), seal.SERVER_CHAIN: chain, seal.ENDPOINT: URL}


def test_a_bundle_has_all_that_the_customer_needs_and_the_contract_names_its_key(hub: Hub, issuer: str) -> None:
    made = export_bundle(hub, issuer, {})
    opened = open_bundle(made.data, Kind.HUB, "hub.zip")
    published = parse_contract(opened.text(seal.CONTRACT))
    assert published.trust.bundle_pin == made.spki_pin == opened.spki_pin
    assert opened.text(seal.CLIENT_CA) == published.trust.client_ca
    assert f'CN = "TLSMA-RSA/{issuer}/PPR"' in opened.text("tls-rsa.sh")
    assert {*opened.members} == {seal.CONTRACT, seal.CLIENT_CA, seal.SERVER_CA, *seal.RECIPES}


def test_texts_for_people_go_along_as_they_are(hub: Hub, issuer: str) -> None:
    made = export_bundle(hub, issuer, {seal.NGINX: b"server {}"})
    assert seal.NGINX in made.members
    assert open_bundle(made.data, Kind.HUB, "hub.zip").members[seal.NGINX] == b"server {}"


def test_the_key_of_bundles_is_no_cas(hub: Hub, offered: Bundle) -> None:
    with hub.read() as connection:
        rows = connection.exec_driver_sql("SELECT certificate FROM authority").scalars().all()
    cas = [x509.load_der_x509_certificate(each).public_key() for each in rows]
    assert len(cas) == 4
    assert offered.signer not in cas


def test_an_answer_waits_for_review_and_is_on_record(
    hub: Hub, issuer: str, offered: Bundle, key: Any, full: dict[str, bytes]
) -> None:
    done = import_bundle(hub, answer(key, offered.about, **full))
    assert [each.id for each in list_requests(hub)] == [done.request and done.request.id]
    assert [each.id for each in list_chains(hub)] == [done.chain]
    assert [each.endpoint.url for each in waiting_endpoints(hub)] == [done.url] == [URL.decode().strip()]
    with hub.read() as connection:
        found = bundles.find(connection, offered.about.id)
    assert found is not None
    assert (found.tsp_id, found.answer) == (issuer, done.bundle.fingerprint)


def test_a_replay_changes_nothing(hub: Hub, offered: Bundle, key: Any, full: dict[str, bytes]) -> None:
    data = answer(key, offered.about, **full)
    import_bundle(hub, data)
    with pytest.raises(Conflict, match="by this very file"):
        import_bundle(hub, data)
    with pytest.raises(Conflict, match="by another file"):
        import_bundle(hub, answer(key, offered.about, **{seal.REQUEST: full[seal.REQUEST]}))
    assert (len(list_requests(hub)), len(list_chains(hub)), len(waiting_endpoints(hub))) == (1, 1, 1)


def test_an_answer_to_nothing_or_to_another_customers_bundle_is_refused(
    hub: Hub, offered: Bundle, key: Any, full: dict[str, bytes]
) -> None:
    add_customer(hub, "87654321", CustomerKind.MERCHANT, "Corner Shop")
    assert ids(hub, answer(key, replace(offered.about, id="0" * 32), **full)) == ["BUNDLE-05"]
    assert ids(hub, answer(key, replace(offered.about, customer="87654321"), **full)) == ["BUNDLE-05"]
    with pytest.raises(NotFound):
        import_bundle(hub, answer(key, replace(offered.about, customer="999"), **full))
    assert untouched(hub)


def test_another_environment_or_hub_is_refused(hub: Hub, offered: Bundle, key: Any, full: dict[str, bytes]) -> None:
    assert ids(hub, answer(key, replace(offered.about, environment=Environment.PRD), **full)) == ["BUNDLE-04"]
    assert ids(hub, answer(key, replace(offered.about, hub="other.example"), **full)) == ["BUNDLE-04"]
    assert untouched(hub)


def test_who_does_not_hold_the_key_of_the_request_cannot_send_it(
    hub: Hub, offered: Bundle, full: dict[str, bytes]
) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    assert ids(hub, answer(other, offered.about, **full)) == ["BUNDLE-06"]
    assert untouched(hub)


def test_without_a_request_the_key_in_use_signs(
    hub: Hub, issuer: str, offered: Bundle, key: Any, full: dict[str, bytes]
) -> None:
    request = full.pop(seal.REQUEST)
    assert ids(hub, answer(key, offered.about, **full)) == ["BUNDLE-06"]
    assert untouched(hub)
    approve_request(hub, submit_request(hub, issuer, request).id)
    done = import_bundle(hub, answer(key, offered.about, **full))
    assert (done.request, done.chain) == (None, 1)


def test_the_key_of_a_certificate_that_was_revoked_signs_nothing_any_more(
    hub: Hub, issuer: str, offered: Bundle, key: Any, full: dict[str, bytes]
) -> None:
    approve_request(hub, submit_request(hub, issuer, full.pop(seal.REQUEST)).id)
    [certificate] = list_certificates(hub, issuer)
    revoke_certificate(hub, certificate.serial, RevocationReason.SUPERSEDED)
    assert ids(hub, answer(key, offered.about, **full)) == ["BUNDLE-06"]
    assert (list_chains(hub), waiting_endpoints(hub)) == ((), ())


def test_all_that_is_wrong_is_said_at_once_and_a_mended_answer_is_taken(
    hub: Hub, offered: Bundle, key: Any, full: dict[str, bytes], make_csr: Callable[..., bytes], make_ca: MakeCa
) -> None:
    chain = make_ca("no CA", ca=False)[1].public_bytes(Encoding.PEM)
    wrong = {seal.REQUEST: make_csr(key, O=None), seal.SERVER_CHAIN: chain, seal.ENDPOINT: b"http://shop.example.com"}
    found = ids(hub, answer(key, offered.about, **wrong))
    assert {each.partition("-")[0] for each in found} == {"CSR", "CHAIN", "ENDPOINT"}
    assert untouched(hub)
    assert import_bundle(hub, answer(key, offered.about, **full)).request


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_private_key_beside_the_members_is_banned_and_one_that_is_encrypted_is_said_to_be_lost(
    hub: Hub, key: ec.EllipticCurvePrivateKey, encoding: Encoding
) -> None:
    plain = key.private_bytes(encoding, PrivateFormat.PKCS8, NoEncryption())
    assert ids(hub, write_archive({"notes.txt": plain})) == ["BUNDLE-02", "CSR-KEY-10"]
    assert [each.spki_pin for each in list_banned_keys(hub)] == [spki_pin(key.public_key())]
    locked = key.private_bytes(encoding, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    with pytest.raises(Refused, match="counts as disclosed from now on") as refused:
        import_bundle(hub, write_archive({"tls.key": locked}), "answer.zip", tsp_id="12345678")
    assert [each.id for each in refused.value.findings] == ["BUNDLE-02"]
    assert len(list_banned_keys(hub)) == 1
    assert untouched(hub)


def test_a_private_key_in_place_of_a_request_is_refused_and_banned_with_nothing_stored(
    hub: Hub, offered: Bundle, key: ec.EllipticCurvePrivateKey, full: dict[str, bytes]
) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    lost = full | {seal.REQUEST: full[seal.REQUEST] + pem}
    assert {"CSR-FILE-02", "CSR-KEY-10"} <= {*ids(hub, answer(key, offered.about, **lost))}
    assert untouched(hub)


def test_the_certificate_goes_out_with_the_next_bundle(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> None:
    approve_request(hub, submit_request(hub, issuer, make_csr()).id)
    opened = open_bundle(export_bundle(hub, issuer, {}).data, Kind.HUB, "x")
    assert opened.text(seal.CERTIFICATE).count("BEGIN CERTIFICATE") == 2


def test_a_certificate_of_the_customers_own_ca_travels_the_same_way(
    hub: Hub, issuer: str, key: Any, make_csr: Callable[..., bytes], make_ca: MakeCa
) -> None:
    approve_request(hub, submit_request(hub, issuer, make_csr(key)).id)
    waiting = request_credential(hub, issuer, {})
    offered = open_bundle(export_bundle(hub, issuer, {}).data, Kind.HUB, "x")
    assert x509.load_pem_x509_csr(offered.members[seal.HUB_REQUEST]).public_bytes(Encoding.DER) == waiting.request
    certificate = returned_by(make_ca("shop clients"), waiting)
    tried: list[str] = []
    done = import_bundle(
        hub,
        answer(key, offered.about, **{seal.HUB_CERTIFICATE: certificate}),
        try_certificate=lambda tsp_id, _: tried.append(tsp_id),
    )
    assert isinstance(done, Imported)
    assert (tried, bool(done.installed)) == ([issuer], True)
    assert [each.state.value for each in show_credentials(hub, issuer)] == ["active"]


def test_of_two_answers_that_come_at_once_one_is_on_record(
    hub: Hub, issuer: str, key: Any, make_csr: Callable[..., bytes], make_ca: MakeCa, audited: Audit
) -> None:
    approve_request(hub, submit_request(hub, issuer, make_csr(key)).id)
    certificate = returned_by(make_ca("shop clients"), request_credential(hub, issuer, {}))
    about = open_bundle(export_bundle(hub, issuer, {}).data, Kind.HUB, "x").about
    faster: list[Imported] = []

    def meanwhile(*_: object) -> None:
        faster.append(import_bundle(hub, answer(key, about, **{seal.ENDPOINT: URL})))

    slower = answer(key, about, **{seal.HUB_CERTIFICATE: certificate})
    with pytest.raises(Conflict, match="answered by another file meanwhile"):
        import_bundle(hub, slower, try_certificate=meanwhile)
    with hub.read() as connection:
        found = bundles.find(connection, about.id)
    assert found is not None
    assert found.answer == faster[0].bundle.fingerprint
    assert [action for action, _ in audited()].count("bundle.import") == 1


def test_a_file_that_comes_twice_at_once_is_not_said_to_be_another_one(
    hub: Hub, issuer: str, key: Any, make_csr: Callable[..., bytes], make_ca: MakeCa
) -> None:
    approve_request(hub, submit_request(hub, issuer, make_csr(key)).id)
    certificate = returned_by(make_ca("shop clients"), request_credential(hub, issuer, {}))
    about = open_bundle(export_bundle(hub, issuer, {}).data, Kind.HUB, "x").about
    data = answer(key, about, **{seal.HUB_CERTIFICATE: certificate})

    def meanwhile(*_: object) -> None:
        with hub.write() as transaction:
            assert bundles.answered(transaction, about.id, open_bundle(data, Kind.CUSTOMER, "x").fingerprint)

    with pytest.raises(Conflict, match="answered by this very file meanwhile"):
        import_bundle(hub, data, try_certificate=meanwhile)


def test_nothing_is_written_beside_the_database(
    hub: Hub, offered: Bundle, key: Any, full: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where something would be extracted to, if nobody says where.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def listed() -> set[Path]:
        found = {*hub.directory.rglob("*"), *tmp_path.rglob("*")}
        return {each for each in found if not each.name.startswith("hub.db")}

    before = listed()
    import_bundle(hub, answer(key, offered.about, **full))
    assert listed() == before
