"""The spoke's key and certificate in the forms that other software takes: PKCS #12, a Kubernetes Secret, a keystore."""

import re
import shlex
from base64 import b64encode

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from bothways import files
from bothways.errors import Unusable
from bothways.pki.encoding import CHAIN_LIMIT
from bothways.pki.keys import spki_pin
from bothways.spoke.certificate import read_certificates
from bothways.spoke.directory import CERTIFICATE, KEY, Spoke
from bothways.spoke.pair import HeldKey, read_key

ALIAS = "bothways"
"""The friendly name of the pair, and its alias in a Java keystore."""

_ROUNDS, _LEGACY_ROUNDS = 600_000, 100_000
# RFC 1123: what Kubernetes takes as the name of an object.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def pkcs12_file(spoke: Spoke, password: str, *, legacy: bool = False) -> bytes:
    """Return key, certificate and its issuers as PKCS #12 (RFC 7292), encrypted with the password.

    AES-256 under PBKDF2 with SHA-256; `legacy` takes 3DES and SHA-1, for Windows before 2019, Java before 8u301, and
    old network devices: then the password alone protects it, and should be long. Raises `Unusable` without a pair.
    """
    if not password:
        raise Unusable("the password is empty, which several programs do not take. Give one")
    key, chain = _pair(spoke)
    builder = PrivateFormat.PKCS12.encryption_builder()
    if legacy:
        builder = builder.kdf_rounds(_LEGACY_ROUNDS)
        builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        builder = builder.hmac_hash(SHA1())  # noqa: S303 - what old software reads
    else:
        builder = builder.kdf_rounds(_ROUNDS)
        builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC).hmac_hash(SHA256())
    own, *issuers = chain
    return pkcs12.serialize_key_and_certificates(
        ALIAS.encode(), key.key, own, issuers, builder.build(password.encode())
    )


def kubernetes_secret(spoke: Spoke, name: str, namespace: str = "") -> str:
    """Return a Secret of the type `kubernetes.io/tls` in YAML, which mounted is a whole spoke directory.

    `tls.crt`, `tls.key` and `ca.crt` have the meaning that others give them. Raises `Unusable` without a pair, or for
    a name that Kubernetes does not take.
    """
    for each in filter(None, (name, namespace)):
        if not _NAME.fullmatch(each):
            raise Unusable(f"{each!r} is no name in Kubernetes. Give one of small letters, digits and - inside")
    key, _ = _pair(spoke)
    contents = {CERTIFICATE: spoke.certificate_file.read_bytes(), KEY: key.pem}
    for each in ("ca.crt", "client-ca.crt", spoke.contract_file.name, "spoke.toml"):
        contents[each] = files.read(spoke.directory / each, each)
    lines = ["apiVersion: v1", "kind: Secret", "metadata:", f'  name: "{name}"']
    lines += [f'  namespace: "{namespace}"'] if namespace else []
    lines += ["type: kubernetes.io/tls", "data:"]
    lines += [f"  {file}: {b64encode(content).decode()}" for file, content in contents.items()]
    return "\n".join([*lines, ""])


def keystore_recipe(spoke: Spoke) -> str:
    """Return the commands that make Java keystores, with Java's own `keytool`: one of the pair, one of whom to trust.

    Java 8u301 and newer read the PKCS #12 file itself, which is the better form; this is for software that wants JKS.
    """
    place = shlex.quote(str(spoke.directory.absolute()))
    lines = [
        "# Paste this into a shell. The password is in a file that is yours alone, and the stores are too.",
        "(",
        "set -eu",
        "umask 077",
        f"cd {place}",
        "[ -e p12.password ] || openssl rand -hex 24 > p12.password",
        "bothways spoke export --p12 tls.p12 --replace --password-file p12.password",
        "rm -f tls.jks trust.jks",
        "keytool -importkeystore -noprompt -srckeystore tls.p12 -srcstoretype PKCS12 \\",
        "    -srcstorepass:file p12.password -destkeystore tls.jks -deststoretype JKS -deststorepass:file p12.password",
        "# keytool takes one certificate of a file, so each is given alone.",
        'awk \'/BEGIN CERTIFICATE/ { n++ } { print > ("trust-" n ".pem") }\' ca.crt client-ca.crt',
        "for each in trust-*.pem; do",
        '    keytool -importcert -noprompt -alias "${each%.pem}" -file "$each" \\',
        "        -keystore trust.jks -storetype JKS -storepass:file p12.password",
        "done",
        "rm -f trust-*.pem",
        ")",
    ]
    return "\n".join([*lines, ""])


def _pair(spoke: Spoke) -> tuple[HeldKey, tuple[x509.Certificate, ...]]:
    data = files.read(spoke.certificate_file, "the certificate", CHAIN_LIMIT)
    chain, key = read_certificates(data, str(spoke.certificate_file)), read_key(spoke.key_file)
    if key.token:
        raise Unusable(
            f"the key {key.token.object} lies in the token {key.token.token}, and never leaves it, so there is nothing "
            "to export. What other programs need for it says: bothways spoke config STACK"
        )
    if spki_pin(chain[0].public_key()) != key.spki_pin:
        raise Unusable(f"{spoke.certificate_file} is not for the key in {spoke.key_file}. Install it again")
    return key, chain
