"""How the results of `bothways spoke` read for people."""

from typing import Any

from cryptography import x509

from bothways.pki.chain import extension, fingerprint
from bothways.spoke.listen import Callback, Receiver
from bothways.spoke.status import CertificateStatus, SpokeStatus
from bothways.visible import visible


def status_text(status: SpokeStatus, sidecar: dict[str, Any] | None = None) -> str:
    """Return the status of a spoke, and of its sidecar if one runs, as lines of a name and a value."""
    terms = status.spoke.contract.terms
    rows = [
        ("customer", f"{status.spoke.tsp_id} in {terms.environment.value}"),
        ("endpoint", terms.endpoint),
        ("key", status.key or "none that can be used"),
        *_certificate_rows("certificate", status.certificate),
    ]
    rows += [("confirmed by you", each) for each in status.spoke.confirmed]
    if status.server:
        rows += _certificate_rows("server certificate", status.server)
    if status.request:
        rows.append(("request under way", str(status.request)))
    if status.previous:
        rows.append(("pair before", str(status.previous)))
    if sidecar:
        rows.append(("sidecar", f"runs, process {sidecar['supervisor']}, Envoy restarted {sidecar['restarts']} times"))
    return "\n".join(f"{name + ':':<20}{value}" for name, value in rows)


def callback_text(callback: Callback) -> str:
    """Return a call of the hub for a terminal, which shows control characters and does not obey them."""
    return visible(
        f"{callback.method} {callback.path} from {callback.caller} over {callback.tls_version}: {callback.body}"
    )


def listening(receiver: Receiver) -> tuple[dict[str, Any], str]:
    """Return where the receiver listens, what it shows and whom it trusts, as a JSON object and as text."""
    identity = receiver.identity.now()
    host, port = receiver.server_address[:2]
    where = f"[{host!s}]:{port}" if ":" in str(host) else f"{host!s}:{port}"
    own = identity.certificate
    names = extension(own, x509.SubjectAlternativeName)
    hosts = names.get_values_for_type(x509.DNSName) if names else []
    trusted = [
        {"subject": each.subject.rfc4514_string(), "fingerprint": fingerprint(each)} for each in identity.trusted
    ]
    document = {
        "listening": where,
        "hosts": hosts,
        "certificate": own.subject.rfc4514_string(),
        "not_after": own.not_valid_after_utc.isoformat(),
        "hub": identity.terms.hub,
        "trusts": trusted,
        "application": f"http://{receiver.application}" if receiver.application else None,
    }
    lines = [
        f"listening on {where} as {', '.join(hosts) or 'no host name, which the hub will refuse'}; Ctrl-C ends",
        f"certificate {own.subject.rfc4514_string()}, valid until {own.not_valid_after_utc:%Y-%m-%d}",
        *(f"trusts {each['subject']} (SHA-256 {each['fingerprint']})" for each in trusted),
        f"and under it {identity.terms.hub} alone, with any certificate, for the hub changes its own without notice",
    ]
    if receiver.application:
        lines.append(f"calls go to http://{receiver.application}, whose answer is the hub's")
    return document, "\n".join(lines)


def _certificate_rows(name: str, certificate: CertificateStatus | None) -> list[tuple[str, str]]:
    if certificate is None:
        return [(name, "none that can be used")]
    left = certificate.days_left
    days = f"{left} days left" if left >= 0 else f"expired {-left} days ago"
    complete = {True: "complete", False: "not complete", None: "without its root, as it should be"}
    return [
        (name, certificate.subject),
        ("  file", str(certificate.file)),
        ("  fingerprint", certificate.fingerprint),
        ("  valid", f"{certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}, {days}"),
        ("  chain", f"{len(certificate.chain)} certificates, {complete[certificate.chain_complete]}"),
    ]
