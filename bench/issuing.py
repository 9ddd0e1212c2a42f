"""What the figures `issue-p256` and `issue-rsa4096` share: us, bare `cryptography`, and django-ca, in turn.

We: `approve_all` on requests that were submitted, in groups of 400: read back, proof of possession checked again,
rules, lint (pkilint once for each shape of certificate), signature, its verification, and all durable in SQLite
(WAL, `synchronous=FULL`) with the audit. Signatures are verified in a second process meanwhile, which the warm-up
starts: two cores work at once, where the peers have work for one. All are measured by the clock.
`...-alone` is the same with `approve_request`, one after the other: six transactions' worth of SQL and two writes to
disk for each certificate.
Bare: the library alone parses, checks the self-signature, builds with the same extensions, and signs; nothing is
stored. django-ca: `Certificate.objects.create_cert`, its public API, in a process of its own, with the same CA object
kept between calls, on SQLite as Django sets it up (rollback journal, `synchronous=FULL`), and beside it with the
journal that is faster and that we use (WAL). It has no call for many: each certificate is a transaction. It checks no
proof of possession, and verifies no signature. It is installed into `.bench/django-ca` at the first run; where it
cannot be had it is left out, by name.
"""

import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import le
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bench.harness import Figure, figure
from bothways.contract.document import Environment, KeyType
from bothways.errors import BothwaysError
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub, initialise, new_terms, open_hub
from bothways.operations.requests import approve_all, approve_request, submit_request
from bothways.operations.settings import Settings
from bothways.registry.customer import CustomerKind

DJANGO_CA = "django-ca==3.2.0"
_ENVIRONMENT = Path(__file__).parent.parent / ".bench" / "django-ca"
_PYTHON = _ENVIRONMENT / "bin" / "python"
_ROUNDS = 5
_PARTS = (
    NameOID.COUNTRY_NAME,
    NameOID.STATE_OR_PROVINCE_NAME,
    NameOID.LOCALITY_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.COMMON_NAME,
)

Rate = Callable[[list[bytes]], float]


def issue(name: str, kind: KeyType, each_round: int, against: dict[str, float]) -> Iterator[Figure]:
    """Measure certificates per second in rounds; yield a figure for each peer, with the ratio that is wanted."""
    with ExitStack() as stack:
        rates = {
            "bothways": stack.enter_context(_bothways(kind, _together)),
            "alone": stack.enter_context(_bothways(kind, _one_by_one)),
            "cryptography": _bare(kind),
        }
        if _installed():
            rates["django-ca"] = stack.enter_context(_django_ca(kind, "delete"))
            rates["django-ca with WAL"] = stack.enter_context(_django_ca(kind, "wal"))
        samples: dict[str, list[float]] = {each: [] for each in rates}
        for warm_up in (True, *[False] * _ROUNDS):
            requests = [_request(number) for number in range(each_round)]
            for each, rate in rates.items():
                # As the command line does: nobody pays for what the bench itself has on the heap.
                gc.freeze()
                measured = rate(requests)
                if not warm_up:
                    samples[each].append(measured)
    for peer, least in against.items():
        if peer not in samples:
            continue
        yield figure(
            name if peer == "cryptography" else f"{name}-{peer}",
            samples["bothways"],
            "certificates/s",
            f"at least {least:g} of {peer}",
            f"approval of {each_round} requests at once, everything included, against {peer}; see bench/issuing.py",
            met=partial(le, least),
            peer=(peer, samples[peer]),
        )
    told = {f"{name}-alone": ("alone", "django-ca"), f"{name}-wal": ("bothways", "django-ca with WAL")}
    for each, (ours, peer) in told.items():
        if peer not in samples:
            continue
        yield figure(
            each,
            samples[ours],
            "certificates/s",
            "none; told beside the others",
            f"approval of {each_round} requests {'one by one' if ours == 'alone' else 'at once'} against {peer}",
            met=lambda _: True,
            peer=(peer, samples[peer]),
        )


def _customer(number: int) -> str:
    return f"{number:08d}"


def _request(number: int) -> bytes:
    values = ("FR", "Ile-de-France", "Paris", "First Bank", "Payments", f"TLSMA-ECDSA/{_customer(number)}/PPR")
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in zip(_PARTS, values, strict=True)])
    key = ec.generate_private_key(ec.SECP256R1())
    return x509.CertificateSigningRequestBuilder(name).sign(key, SHA256()).public_bytes(Encoding.DER)


def _together(hub: Hub, numbers: list[int]) -> None:
    for approval in approve_all(hub, numbers):
        if isinstance(approval.outcome, BothwaysError):
            raise approval.outcome


def _one_by_one(hub: Hub, numbers: list[int]) -> None:
    for number in numbers:
        approve_request(hub, number)


@contextmanager
def _bothways(kind: KeyType, approve: Callable[[Hub, list[int]], None]) -> Iterator[Rate]:
    with tempfile.TemporaryDirectory() as place:
        settings = Settings()
        terms = new_terms(Environment.PPR, "hub.example", settings)
        initialise(Path(place) / "hub", terms, settings, "bench", kind)
        with open_hub(Path(place) / "hub", "bench") as hub:
            known: set[str] = set()

            def rate(requests: list[bytes]) -> float:
                numbers = [_submitted(hub, known, _customer(index), csr) for index, csr in enumerate(requests)]
                started = time.perf_counter()
                approve(hub, numbers)
                return len(numbers) / (time.perf_counter() - started)

            yield rate


def _submitted(hub: Hub, known: set[str], tsp_id: str, csr: bytes) -> int:
    if tsp_id not in known:
        add_customer(hub, tsp_id, CustomerKind.ISSUER, "First Bank")
        known.add(tsp_id)
    return submit_request(hub, tsp_id, csr).id


def _bare(kind: KeyType) -> Rate:
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = ec.generate_private_key(ec.SECP256R1())
    if kind is KeyType.RSA:
        key = rsa.generate_private_key(65537, 4096)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Issuing CA")])
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    usage = x509.KeyUsage(True, *[False] * 8)

    def one(der: bytes) -> None:
        request = x509.load_der_x509_csr(der)
        if not request.is_signature_valid:
            raise ValueError("the self-signature does not hold")
        now, serial = datetime.now(UTC), x509.random_serial_number()
        public = request.public_key()
        urn = x509.UniformResourceIdentifier(f"urn:bothways:PPR:12345678:{serial:x}")
        builder = (
            x509.CertificateBuilder(issuer, request.subject, public, serial, now, now + timedelta(days=397))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(authority, critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([urn]), critical=False)
        )
        builder.sign(key, SHA256()).public_bytes(Encoding.DER)

    def rate(requests: list[bytes]) -> float:
        started = time.perf_counter()
        for each in requests:
            one(each)
        return len(requests) / (time.perf_counter() - started)

    return rate


def _installed() -> bool:
    if (_ENVIRONMENT / "installed").exists():
        return True
    subprocess.run([sys.executable, "-m", "venv", str(_ENVIRONMENT)], check=True)
    install = [str(_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", DJANGO_CA]
    if subprocess.run(install, check=False, stdout=sys.stderr).returncode:
        print("django-ca is not there, and left out", file=sys.stderr)
        return False
    (_ENVIRONMENT / "installed").touch()
    return True


@contextmanager
def _django_ca(kind: KeyType, journal: str) -> Iterator[Rate]:
    with tempfile.TemporaryDirectory() as place:
        command = [str(_PYTHON), str(Path(__file__).parent / "issuing_django_ca.py"), place, kind.value, journal]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

            def rate(requests: list[bytes]) -> float:
                if process.stdin is None or process.stdout is None:
                    raise RuntimeError("django-ca was started without pipes")
                process.stdin.write(json.dumps([each.hex() for each in requests]) + "\n")
                process.stdin.flush()
                return len(requests) / float(process.stdout.readline())

            yield rate
            process.communicate()
