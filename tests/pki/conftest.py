"""Requests and certificates that are wrong in one way: real keys, real bytes."""

import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from tests.programs import require

OIDS = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
    "emailAddress": NameOID.EMAIL_ADDRESS,
}
GOOD = {"C": "FR", "ST": "Ile-de-France", "L": "Paris", "O": "First Bank", "OU": "Payments"}


@pytest.fixture
def strange_csr(ecdsa_key: ec.EllipticCurvePrivateKey) -> Callable[..., bytes]:
    """Return a maker of requests in DER: the good subject, then `rdns`, each a list of (name, text, string type)."""

    def make(
        *rdns: Sequence[tuple[str, str, str]],
        key: Any = None,
        digest: Any = None,
        extensions: Sequence[x509.ExtensionType] = (),
        without: str = "",
    ) -> bytes:
        parts = [[(name, text, "UTF8String")] for name, text in GOOD.items() if name != without]
        subject = x509.Name(
            x509.RelativeDistinguishedName(
                [x509.NameAttribute(OIDS[name], text, _ASN1Type[kind], _validate=False) for name, text, kind in rdn]
            )
            for rdn in [*parts, *rdns]
        )
        builder = x509.CertificateSigningRequestBuilder(subject)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        key = key or ecdsa_key
        signing = None if isinstance(key, ed25519.Ed25519PrivateKey) else digest or SHA256()
        return builder.sign(key, signing).public_bytes(Encoding.DER)

    return make


@pytest.fixture
def openssl(tmp_path: Path) -> Callable[..., bytes]:
    """Return a runner of the real openssl, for what the library refuses to make; it returns standard output."""

    def run(*arguments: str) -> bytes:
        require("openssl")
        command = ["openssl", *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60).stdout

    return run


@pytest.fixture
def make_certificate(now: datetime) -> Callable[..., tuple[Any, x509.Certificate]]:
    """Return a maker of certificates: self-signed or under `issuer`; a CA of P-256, valid at `now`, if not told else.

    `ca` None leaves BasicConstraints out; `days` are those before and after `now` between which it is valid.
    """

    def make(
        name: str,
        issuer: tuple[Any, x509.Certificate] | None = None,
        *,
        key: Any = None,
        ca: bool | None = True,
        path_length: int | None = None,
        extensions: Sequence[x509.ExtensionType] = (),
        critical: Sequence[x509.ExtensionType] = (),
        days: tuple[int, int] = (-1, 365),
    ) -> tuple[Any, x509.Certificate]:
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder(
            issuer[1].subject if issuer else subject,
            subject,
            key.public_key(),
            x509.random_serial_number(),
            now.astimezone(UTC) + timedelta(days=days[0]),
            now.astimezone(UTC) + timedelta(days=days[1]),
        )
        if ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        for extension in critical:
            builder = builder.add_extension(extension, critical=True)
        signer = issuer[0] if issuer else key
        return key, builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else SHA256())

    return make
