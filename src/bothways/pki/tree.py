"""A chain as people and programs read it: from the root down, with names, dates, fingerprints and kinds of keys."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cryptography import x509

from bothways.pki.chain import extension, fingerprint, issued_by, printed
from bothways.pki.keys import described, spki_pin


def chain_document(certificates: Sequence[x509.Certificate]) -> dict[str, Any]:
    """Return the chain as the JSON object that API and command line show: the last certificate, and what it issued."""
    document: dict[str, Any] = {}
    for certificate in certificates:
        document = _described(certificate) | {"issued": [document] if document else []}
    return document


def chain_lines(document: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    """Yield the lines of a chain's document as a tree, the root first, and under it what it issued."""
    margin = "   " * depth
    yield f"{'   ' * (depth - 1)}{'└─ ' if depth else ''}{document['subject']} ({document['role']})"
    yield f"{margin}   valid        {document['not_before'][:10]} to {document['not_after'][:10]}"
    yield f"{margin}   key          {document['key']}, signed with {document['digest']}"
    yield f"{margin}   fingerprint  {_grouped(document['fingerprint'])}"
    yield f"{margin}   SPKI pin     {document['spki_pin']}"
    for each in document["issued"]:
        yield from chain_lines(each, depth + 1)


def _described(certificate: x509.Certificate) -> dict[str, Any]:
    constraints, key = extension(certificate, x509.BasicConstraints), certificate.public_key()
    algorithm = certificate.signature_hash_algorithm
    ca = constraints is not None and constraints.ca
    return {
        "subject": printed(certificate.subject),
        "issuer": printed(certificate.issuer),
        "role": ("root" if issued_by(certificate, certificate) else "intermediate") if ca else "no CA",
        "serial": f"{certificate.serial_number:x}",
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "key": described(key),
        "digest": algorithm.name if algorithm else "no digest of its own",
        "path_length": constraints.path_length if constraints is not None and ca else None,
        "fingerprint": fingerprint(certificate),
        "spki_pin": spki_pin(key),
    }


def _grouped(fingerprint_: str) -> str:
    """Return the fingerprint in pairs, as people read it out to each other and OpenSSL prints it."""
    return ":".join(fingerprint_[start : start + 2] for start in range(0, len(fingerprint_), 2)).upper()
