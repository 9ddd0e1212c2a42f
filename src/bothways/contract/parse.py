"""From TOML text to a contract, with all mistakes named at once. The only reader of the format."""

from bothways.contract.document import (
    FORMAT,
    PUBLIC,
    CertificateTerms,
    Contract,
    Environment,
    KeyType,
    OutboundTerms,
    RequestTerms,
    Software,
    Terms,
    TlsTerms,
    Trust,
)
from bothways.contract.reader import Reader, read_toml


def parse_contract(text: str, subject: str = "contract.toml") -> Contract:
    """Return the contract that `text` holds. Raises `Refused` with every finding; `subject` names the file in them."""
    reader = read_toml(text, subject)
    terms = _terms(reader, Software(reader.choice("hub.software", [*Software], Software.BOTHWAYS)))
    other = terms.software is Software.OTHER
    public = other and reader.text("trust.server_ca", "") == PUBLIC
    trust = Trust(
        issuing_ca=reader.certificates("trust.issuing_ca", needed=not other),
        client_ca=reader.certificates("trust.client_ca", needed=not other),
        server_ca=PUBLIC if public else reader.certificates("trust.server_ca"),
        bundle_pin=reader.fingerprint("trust.bundle_pin"),
    )
    reader.finish()
    return Contract(terms, trust)


def parse_terms(text: str, subject: str = "contract.toml") -> Terms:
    """Return the terms that a hub's own `contract.toml` holds: a contract without trust. Raises `Refused`."""
    reader = read_toml(text, subject)
    terms = _terms(reader, Software.BOTHWAYS)
    reader.finish()
    return terms


def _terms(reader: Reader, software: Software) -> Terms:
    request, certificate, outbound, tls = RequestTerms(), CertificateTerms(), OutboundTerms(), TlsTerms()
    # A hub of ours says all; of another, what nobody told is empty.
    default = None if software is Software.BOTHWAYS else ""
    if reader.integer("format", FORMAT) != FORMAT:
        reader.find(
            "CONTRACT-FORMAT", "format", f"the format is not {FORMAT}", "Install a newer bothways, or ask the hub."
        )
    return Terms(
        environment=Environment(reader.choice("hub.environment", [each.value for each in Environment])),
        hub=reader.domain("hub.domain", default),
        endpoint=reader.address("hub.endpoint"),
        portal=reader.address("hub.portal", default),
        request=RequestTerms(
            common_name=reader.pattern("request.common_name", request.common_name),
            keys=tuple(
                KeyType(each)
                for each in reader.choices("request.keys", [each.value for each in KeyType], [*request.keys])
            ),
            digest=str(reader.fixed("request.digest", request.digest)),
            subject=tuple(reader.fixed("request.subject", [*request.subject])),
            ecdsa_marker=reader.marker("request.ecdsa_marker", request.ecdsa_marker),
            rsa_marker=reader.marker("request.rsa_marker", request.rsa_marker),
        ),
        certificate=CertificateTerms(
            validity_days=reader.integer("certificate.validity_days", certificate.validity_days, 1, 825),
            overlap_days=reader.integer("certificate.overlap_days", certificate.overlap_days, 1, 397),
        ),
        outbound=OutboundTerms(
            ports=tuple(reader.ports("outbound.ports", [*outbound.ports])),
            probe_path=reader.path("outbound.probe_path", outbound.probe_path),
        ),
        tls=TlsTerms(versions=tuple(reader.fixed("tls.versions", [*tls.versions]))),
        software=software,
    )
