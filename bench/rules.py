"""Figures `rules` and `rules-file`: how many requests a core judges.

`rules`: all rules on requests that were read before, the weak-key checks (ROCA, close primes, small factors, 10,000
banned keys) included; reading and proof of possession are not. Half of the requests are P-256, half RSA 4096, where the
checks cost most; no object is judged twice.
`rules-file`: from the octets of a PEM file to the last finding, limits, search for private keys, decoding, DER and
proof of possession included. Its peer is bare `cryptography` that loads the same file, reads key, subject and
extensions, and checks the self-signature, which alone takes a third of the whole here and most of the time there.
CPU time of this process, so that it is per core, whatever else the machine does.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from bench.harness import Figure, figure
from bothways.contract.document import Environment, KeyType, Terms
from bothways.pki.request import parse_request
from bothways.pki.rules import SUBJECT, Applicant, KnownKeys, judge_request, request_findings

_Request = TypeVar("_Request")

_ROUNDS = 5
_EACH_KIND = 400
_RSA_KEYS = 3
_BANNED = 10_000
_GOAL = 5000.0
_PEER_GOAL = 0.4


def rules() -> Iterator[Figure]:
    """Measure requests per second and core."""
    terms = Terms(Environment.PPR, "hub.example", "https://api.hub.example", "https://portal.hub.example")
    banned = {hashlib.sha256(str(number).encode()).hexdigest(): "it was published" for number in range(_BANNED)}
    applicant = Applicant("12345678", terms, "First Bank", KnownKeys(banned))
    files = _files()
    samples: dict[str, list[float]] = {"rules": [], "file": [], "bare": []}
    for warm_up in (True, *[False] * _ROUNDS):
        read = [parse_request(each) for each in files]
        measured = {
            "rules": _rate(read, lambda each: request_findings(each, applicant, "tls.csr")),
            "file": _rate(files, lambda each: judge_request(each, applicant, "tls.csr").findings),
            "bare": _rate(files, _bare),
        }
        for name, rate in measured.items():
            if not warm_up:
                samples[name].append(rate)
    goal = f"at least {_GOAL:.0f} per second and core"
    what = "half P-256, half RSA 4096, weak-key checks and 10,000 banned keys included; see bench/rules.py"
    yield figure(
        "rules",
        samples["rules"],
        "requests/s",
        goal,
        f"all rules on read requests, {what}",
        met=lambda rate: rate >= _GOAL,
    )
    yield figure(
        "rules-file",
        samples["file"],
        "requests/s",
        f"at least {_PEER_GOAL:g} of bare cryptography",
        f"from the PEM file to the last finding, proof of possession included, {what}",
        met=lambda ratio: ratio >= _PEER_GOAL,
        peer=("cryptography: load, key, subject, extensions, self-signature", samples["bare"]),
    )


def _rate(requests: list[_Request], judge: Callable[[_Request], object]) -> float:
    started = time.process_time()
    found = [judge(each) for each in requests]
    seconds = time.process_time() - started
    if any(found):
        raise ValueError(f"a good request was refused: {next(filter(None, found))}")
    return len(requests) / seconds


def _bare(data: bytes) -> tuple[()]:
    request = x509.load_pem_x509_csr(data)
    request.public_key(), request.subject, request.extensions, request.signature_hash_algorithm
    if not request.is_signature_valid:
        raise ValueError("the self-signature does not hold")
    return ()


def _files() -> list[bytes]:
    rsa_keys = [rsa.generate_private_key(65537, 4096) for _ in range(_RSA_KEYS)]
    files = []
    for number in range(_EACH_KIND):
        files.append(_file(ec.generate_private_key(ec.SECP256R1()), KeyType.ECDSA, number))
        files.append(_file(rsa_keys[number % _RSA_KEYS], KeyType.RSA, number))
    return files


def _file(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, kind: KeyType, number: int) -> bytes:
    values = ("FR", "Ile-de-France", "Paris", "First Bank", f"Unit {number}", f"TLSMA-{kind.marker}/12345678/PPR")
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in zip(SUBJECT.values(), values, strict=True)])
    return x509.CertificateSigningRequestBuilder(name).sign(key, SHA256()).public_bytes(Encoding.PEM)
