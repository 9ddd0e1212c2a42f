"""Installing the certificate that the hub issued, after checking that it is the one that was asked for."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bothways.errors import Refused, Unusable
from bothways.pki.chain import certificate_pem, fingerprint
from bothways.pki.keys import spki_pin
from bothways.spoke.certificate import judge, read_certificates, uri_id
from bothways.spoke.directory import Spoke, alone
from bothways.spoke.pair import held_keys, put_in_use, read_key, tidy


@dataclass(frozen=True, slots=True)
class Installed:
    """What is installed now; `chain` are the subjects in the order of the file, `changed` whether it was not before."""

    fingerprint: str
    uri_id: str
    not_after: datetime
    chain: tuple[str, ...]
    changed: bool


def install_certificate(
    spoke: Spoke, data: bytes, subject: str = "certificate", key_file: Path | None = None
) -> Installed:
    """Check the certificate in `data` (PEM with its issuers or without, in any order; or DER), and put it in use.

    `key_file` is the key where it was made elsewhere: it is copied. The pair before is kept.
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
        judged = judge(handed, names, spoke.contract, spoke.tsp_id, datetime.now(UTC), subject)
        if judged.findings:
            raise Refused(judged.findings)
        key = held[spki_pin(judged.certificate.public_key())]
        pem = "".join(certificate_pem(each) for each in judged.path).encode()
        changed = not spoke.certificate_file.exists() or spoke.certificate_file.read_bytes() != pem
        if changed or key.path != spoke.key_file:
            put_in_use(spoke, key, pem)
    certificate = judged.certificate
    chain = tuple(each.subject.rfc4514_string() for each in judged.path)
    return Installed(fingerprint(certificate), uri_id(certificate), certificate.not_valid_after_utc, chain, changed)
