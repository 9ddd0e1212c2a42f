"""Vectors that other people's tools make: they choose their keys and nonces themselves, so these differ each time."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.vectors.shape import RSA_CN, SUBJECT, Vector, content, vector

from bothways.pki import der

_P256 = "EC -pkeyopt ec_paramgen_curve:P-256"
_NAME = "".join(f"/{name}={value}" for name, value in SUBJECT.items() if name != "CN")
_ECDSA = f"{_NAME}/CN={SUBJECT['CN'].replace('/', chr(92) + '/')}"
_RSA = f"{_NAME}/CN={RSA_CN.replace('/', chr(92) + '/')}"
_KEYTOOL = ", ".join(f"{name}={value}" for name, value in reversed(SUBJECT.items()))


def vectors() -> Iterator[Vector]:
    """Return them all, made by the tools on PATH."""
    with tempfile.TemporaryDirectory() as place:
        yield from _openssl(Path(place))
        yield from _keytool(Path(place))
    key = mldsa.MLDSA65PrivateKey.generate()
    info = content(spki=key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    made = der.signed(info, der.sequence(der.oid("2.16.840.1.101.3.4.3.18")), key.sign(info))
    yield vector("tool-cryptography-mldsa65", "KEY-01", made, "cryptography, whose signatures of ML-DSA are random")


def _openssl(place: Path) -> Iterator[Vector]:
    version = " ".join(_run(place, "openssl", "version").decode().split()[:2])
    for name, ids, key, subject, options in (
        ("ecdsa", "", _P256, _ECDSA, "-sha256"),
        ("ecdsa-utf8", "", _P256, _ECDSA, "-sha256 -utf8"),
        ("ecdsa-without-a-digest-named", "", _P256, _ECDSA, ""),
        ("rsa", "", "RSA -pkeyopt rsa_keygen_bits:4096", _RSA, "-sha256"),
        ("rsa-pss-signature", "", "RSA -pkeyopt rsa_keygen_bits:4096", _RSA, "-sha256 -sigopt rsa_padding_mode:pss"),
        ("rsa-default-bits", "KEY-01", "RSA", _RSA, "-sha256"),
        ("sha512", "KEY-02", _P256, _ECDSA, "-sha512"),
        ("explicit", "KEY-04", f"{_P256} -pkeyopt ec_param_enc:explicit", _ECDSA, "-sha256"),
        ("ca", "EXTENSION-01", _P256, _ECDSA, "-sha256 -addext basicConstraints=critical,CA:true"),
        ("alternative-name", "EXTENSION-01", _P256, _ECDSA, "-sha256 -addext subjectAltName=DNS:a.example"),
        ("slashes-not-escaped", "CN-01", _P256, f"{_NAME}/CN=TLSMA-ECDSA", "-sha256"),
        ("multivalue", "SUBJECT-04", _P256, _ECDSA.replace("/OU=", "+OU="), "-sha256"),
        ("ed25519", "KEY-01", "ED25519", _ECDSA, ""),
        ("pss-key", "KEY-04", "RSA-PSS -pkeyopt rsa_keygen_bits:4096", _RSA, "-sha256"),
    ):
        _run(place, "openssl", "genpkey", "-algorithm", *key.split(), "-out", "tls.key")
        made = _run(place, "openssl", "req", "-new", "-key", "tls.key", "-subj", subject, *options.split())
        command = f"openssl req -new {options}".strip()
        yield vector(f"tool-openssl-{name}", ids, made, f"{version}, {key.split()[0]}: {command}")


def _keytool(place: Path) -> Iterator[Vector]:
    java = subprocess.run(["java", "-version"], check=True, capture_output=True, timeout=60).stderr
    version = java.decode().splitlines()[0].replace('"', "")
    common = ["-keystore", "store.p12", "-storepass", "changeit"]
    for name, ids, options in (
        ("ecdsa", "NOTE-01", ["-keyalg", "EC", "-groupname", "secp256r1", "-sigalg", "SHA256withECDSA"]),
        ("ecdsa-sha384", "KEY-02 NOTE-01", ["-keyalg", "EC", "-groupname", "secp256r1", "-sigalg", "SHA384withECDSA"]),
        ("p384", "KEY-01 NOTE-01", ["-keyalg", "EC", "-groupname", "secp384r1", "-sigalg", "SHA256withECDSA"]),
        ("rsa", "NOTE-01", ["-keyalg", "RSA", "-keysize", "4096", "-sigalg", "SHA256withRSA"]),
        ("dsa", "FILE-07", ["-keyalg", "DSA", "-keysize", "2048", "-sigalg", "SHA256withDSA"]),
    ):
        dname = _KEYTOOL.replace("ECDSA", "RSA") if name == "rsa" else _KEYTOOL
        signature = options.index("-sigalg")
        _run(place, "keytool", "-genkeypair", "-alias", name, "-dname", dname, *options[:signature], *common)
        made = _run(place, "keytool", "-certreq", "-alias", name, *options[signature:], *common)
        yield vector(f"tool-keytool-{name}", ids, made, f"{version}: keytool -certreq {' '.join(options)}")


def _run(place: Path, *command: str) -> bytes:
    return subprocess.run(command, cwd=place, check=True, capture_output=True, timeout=60).stdout
