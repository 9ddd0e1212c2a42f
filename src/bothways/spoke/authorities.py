"""CAs of a hub that publishes none for us: named by the user, or seen and confirmed; the contract keeps them."""

from collections.abc import Sequence
from dataclasses import replace

from cryptography import x509

from bothways import files
from bothways.contract.document import Contract, Software
from bothways.contract.render import render_contract
from bothways.errors import Refused, Unusable
from bothways.findings import Finding
from bothways.pki.chain import certificate_pem, is_authority
from bothways.spoke.directory import CLIENT_CA, Spoke, alone

_PUBLISHED = (
    "this hub publishes its CAs in its contract, and no other is taken. For a new one, take the contract again."
)


def require_other_software(contract: Contract) -> None:
    """Raise `Unusable` for a hub whose contract names all CAs: it alone says whom to trust."""
    if contract.terms.software is Software.BOTHWAYS:
        raise Unusable(_PUBLISHED)


def with_issuing_ca(contract: Contract, found: Sequence[x509.Certificate]) -> Contract:
    """Return the contract with these as issuing CAs, beside those that it names already."""
    return replace(contract, trust=replace(contract.trust, issuing_ca=_joined(contract.trust.issuing_ca, found)))


def add_client_ca(spoke: Spoke, found: Sequence[x509.Certificate]) -> Spoke:
    """Trust these as Client CA of the hub, beside those that are trusted already (R12).

    Raises `Unusable` if the hub publishes its own, `Refused` for a certificate that is no CA (R15), and as `alone`.
    """
    require_other_software(spoke.contract)
    require_authorities(found, "trust.client_ca", "SPOKE-PIN")
    trust = replace(spoke.contract.trust, client_ca=_joined(spoke.contract.trust.client_ca, found))
    contract = replace(spoke.contract, trust=trust)
    with alone(spoke.directory):
        files.replace(spoke.directory / CLIENT_CA, trust.client_ca.encode())
        write_contract(spoke, contract)
    return replace(spoke, contract=contract)


def write_contract(spoke: Spoke, contract: Contract) -> None:
    """Write the contract with what was learned. The caller holds the directory (`alone`)."""
    if contract != spoke.contract:
        files.replace(spoke.contract_file, render_contract(contract).encode())


def require_authorities(found: Sequence[x509.Certificate], subject: str, id_: str) -> None:
    """Raise `Refused` for each certificate that is no CA's (BasicConstraints)."""
    wrong = [each for each in found if not is_authority(each)]
    hint = "Name the file of the CA, not of a certificate that it issued."
    said = [f"{each.subject.rfc4514_string()} is no CA (BasicConstraints)" for each in wrong]
    if said:
        raise Refused(tuple(Finding(id_, each, hint, "R15; RFC 5280 section 4.2.1.9", subject) for each in said))


def _joined(pem: str, found: Sequence[x509.Certificate]) -> str:
    known = x509.load_pem_x509_certificates(pem.encode()) if pem else []
    return "".join(certificate_pem(each) for each in dict.fromkeys([*known, *found]))
