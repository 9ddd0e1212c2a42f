"""Installing the certificate that the hub issued, after checking that it is the one that was asked for."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from bothways import files
from bothways.contract.document import Contract
from bothways.errors import Refused, Unusable
from bothways.findings import Finding
from bothways.pki.chain import certificate_pem, fingerprint, is_authority
from bothways.pki.keys import spki_pin
from bothways.pki.request import parse_request
from bothways.spoke.authorities import require_authorities, require_other_software, with_issuing_ca, write_contract
from bothways.spoke.certificate import certification_path, issuing_cas, judge, read_certificates, uri_id
from bothways.spoke.directory import KEY, REQUEST, Spoke, alone, stands
from bothways.spoke.pair import HeldKey, held_keys, put_in_use, read_key, tidy
from bothways.spoke.token_key import key_in_token


@dataclass(frozen=True, slots=True)
class Installed:
    """What is installed now; `chain` are the subjects in the order of the file, `changed` whether it was not before."""

    fingerprint: str
    uri_id: str
    not_after: datetime
    chain: tuple[str, ...]
    changed: bool


Believed = Callable[[x509.Certificate], bool]
"""Tells whether a CA that was seen for the first time is the hub's: a person compared its fingerprint."""


def install_certificate(
    spoke: Spoke,
    data: bytes,
    subject: str = "certificate",
    key_file: Path | None = None,
    ca: bytes | None = None,
    believed: Believed = lambda _: False,
) -> Installed:
    """Check the certificate in `data` (PEM with its issuers or without, in any order; or DER), and put it in use.

    `key_file` is the key where it was made elsewhere: it is copied. The pair before is kept.
    Of a hub that publishes no CAs, `ca` is the issuing CA in PEM; else the last one in the file, if it is `believed`.
    Installing the same again changes nothing. Raises `Refused` with all findings: it must be
    for one of our keys, from this hub's issuing CA, for this customer and environment, a client certificate, and valid
    now; `Unusable` without a key; `Conflict` while another command writes.
    """
    handed = read_certificates(data, subject)
    with alone(spoke.directory):
        tidy(spoke)
        brought = (read_key(key_file),) if key_file else ()
        held = {each.spki_pin: each for each in (*brought, *held_keys(spoke))}
        if not held:
            raise Unusable(
                f"{spoke.directory} holds no private key, so no certificate can be for it. "
                f"Make the request first: bothways spoke csr --directory {spoke.directory}; "
                "or name the key that was made elsewhere: --key-file"
            )
        names = {pin: str(each.path) for pin, each in held.items()}
        contract = _contract(spoke, handed, names, ca, believed, subject)
        judged = judge(handed, names, contract, spoke.tsp_id, datetime.now(UTC), subject)
        if judged.findings:
            raise Refused(judged.findings)
        key = held[spki_pin(judged.certificate.public_key())]
        if key.token and key_in_token(key.token).public_key() != judged.certificate.public_key():
            raise Unusable(
                f"the token {key.token.token} has another key as {key.token.object} now, and the certificate is not "
                "for it. Restore the token from its backup, or make a new request: bothways spoke csr"
            )
        pem = "".join(certificate_pem(each) for each in judged.path).encode()
        changed = not spoke.certificate_file.exists() or spoke.certificate_file.read_bytes() != pem
        if changed or key.path != spoke.key_file:
            put_in_use(spoke, _beside_its_request(spoke, key), pem)
        write_contract(spoke, contract)
    certificate = judged.certificate
    chain = tuple(each.subject.rfc4514_string() for each in judged.path)
    return Installed(fingerprint(certificate), uri_id(certificate), certificate.not_valid_after_utc, chain, changed)


def _beside_its_request(spoke: Spoke, key: HeldKey) -> HeldKey:
    """Return the key; one brought in for a request that waits here without a key comes to stand beside it."""
    request, place = spoke.pending / REQUEST, spoke.pending / KEY
    if not stands(request) or stands(place):
        return key
    if parse_request(files.read(request, "the request"), str(request)).spki_pin != key.spki_pin:
        return key
    files.write_new(place, key.pem, files.PRIVATE)
    return replace(key, path=place)


def _contract(
    spoke: Spoke,
    handed: Sequence[x509.Certificate],
    pins: Container[str],
    ca: bytes | None,
    believed: Believed,
    subject: str,
) -> Contract:
    """Return the contract with the issuing CA that was named, or that is in the file and believed."""
    if ca is not None:
        require_other_software(spoke.contract)
        named = read_certificates(ca, "--ca")
        require_authorities(named, "--ca", "INSTALL-08")
        return with_issuing_ca(spoke.contract, named)
    path = certification_path(handed, pins)
    if issuing_cas(spoke.contract) or not is_authority(path[-1]):
        return spoke.contract
    if believed(path[-1]):
        return with_issuing_ca(spoke.contract, path[-1:])
    message = f"the hub's issuing CA is not known yet, and {subject} holds {path[-1].subject.rfc4514_string()}"
    message = f"{message}, whose fingerprint (SHA-256) is {fingerprint(path[-1])}"
    hint = "Compare it with what the hub's representative reads out; then install again, with that as --ca-fingerprint."
    raise Refused((Finding("INSTALL-09", message, hint, "R6", subject),))
