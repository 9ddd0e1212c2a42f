"""A real database in a file of its own, and records in one line each."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from tests.postgresql import new_schema

from bothways.contract.document import Environment
from bothways.pki import issue, profile
from bothways.pki.request import CertificationRequest, parse_request
from bothways.registry.customer import Customer, CustomerKind
from bothways.store import authorities, certificates, customers, requests
from bothways.store.authorities import Authority, Role
from bothways.store.certificates import StoredCertificate
from bothways.store.database import Database, create
from bothways.store.observations import ObservationStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hub.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = create(path, "PPR")
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObservationStore]:
    """What stands beside the observations, in either database."""
    place = new_schema() if request.param == "postgresql" else tmp_path / "observations.db"
    if isinstance(place, str):
        create(place, "PPR").close()
    with closing(ObservationStore(place)) as opened:
        yield opened


@pytest.fixture
def customer(database: Database, now: datetime) -> Customer:
    """An issuer that is stored."""
    record = Customer("12345678", CustomerKind.ISSUER, "First Bank", now)
    with database.write(now, "tester") as transaction:
        customers.add(transaction, record)
    return record


@pytest.fixture
def other(database: Database, now: datetime) -> Customer:
    """A merchant that is stored."""
    record = Customer("87654321", CustomerKind.MERCHANT, "Corner Shop", now)
    with database.write(now, "tester") as transaction:
        customers.add(transaction, record)
    return record


@pytest.fixture
def make_request(make_csr: Callable[..., bytes]) -> Callable[..., CertificationRequest]:
    return lambda key=None: parse_request(make_csr(key))


@pytest.fixture
def authority(database: Database, now: datetime) -> tuple[ec.EllipticCurvePrivateKey, Authority]:
    """An issuing CA that is stored, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    with database.write(now, "tester") as transaction:
        certificate = self_signed(key, "issuing CA", now)
        return key, authorities.add_authority(transaction, Role.ISSUING, certificate, "issuing-ca-1")


@pytest.fixture
def self_signed_by(now: datetime) -> Callable[..., x509.Certificate]:
    return lambda name: self_signed(ec.generate_private_key(ec.SECP256R1()), name, now)


@pytest.fixture
def reserve(
    database: Database,
    now: datetime,
    authority: tuple[ec.EllipticCurvePrivateKey, Authority],
    make_request: Callable[..., CertificationRequest],
) -> Callable[..., tuple[StoredCertificate, x509.Certificate]]:
    """Return a maker of a certificate that is reserved for a customer, and of what it will be when it is signed."""
    key, issuer = authority

    def make(tsp_id: str, serial: int = 0x1A) -> tuple[StoredCertificate, x509.Certificate]:
        request = make_request()
        wanted = profile.customer_client(request, Environment.PPR, tsp_id, serial, now, timedelta(days=397))
        unsigned = issue.issued_by(issuer.certificate, wanted, serial)
        uri_id = profile.uri_id(Environment.PPR, tsp_id, serial)
        with database.write(now, "tester") as transaction:
            number = requests.add(transaction, tsp_id, request)
            record = StoredCertificate(
                serial=f"{serial:x}",
                request_id=number,
                tsp_id=tsp_id,
                authority_id=issuer.id,
                uri_id=uri_id,
                unsigned=unsigned,
                der=None,
                fingerprint=None,
                not_before=wanted.not_before,
                not_after=wanted.not_after,
                revoked_at=None,
                revoked_reason=None,
                seen_at=None,
            )
            certificates.reserve_all(transaction, (record,))
        return record, issue.assemble(unsigned, key.sign(unsigned.der, ec.ECDSA(SHA256())))

    return make


def self_signed(key: ec.EllipticCurvePrivateKey, name: str, now: datetime) -> x509.Certificate:
    unsigned = issue.self_signed(profile.authority(name, "hub.example", key.public_key(), now), 1)
    return issue.assemble(unsigned, key.sign(unsigned.der, ec.ECDSA(SHA256())))
