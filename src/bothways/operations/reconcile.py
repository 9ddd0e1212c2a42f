"""A hub whose database is an older state of itself: CRL numbers, revocations and audit go on behind the newer one.

Serial numbers need nothing: they are 159 random bits, and not counted. Certificates that were issued after that state
are unknown to it, so they open nothing. What works once and was unused then is ended: it may have been used since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from bothways.errors import BothwaysError, Conflict, NotFound, Refused
from bothways.findings import Finding
from bothways.operations.alone import alone
from bothways.operations.audit import verify_audit
from bothways.operations.audit_head import sign_head
from bothways.operations.certificates import revoke_certificate
from bothways.operations.hub import Hub
from bothways.operations.own_keys import require_signers
from bothways.operations.revocation import publish_list
from bothways.pki.revocation import RevocationReason
from bothways.store import accounts, authorities, enrolments, nodes, proposals, revocation_lists, sessions
from bothways.store.authorities import Authority, Role
from bothways.store.database import Transaction
from bothways.store.proposals import Kind

Known = tuple[Authority, x509.CertificateRevocationList]
"""A revocation list, and the CA of the hub that signed it."""

_LOST = "AUDIT-02"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was taken from lists, with which numbers the hub's own go on, and what could not be done yet.

    `ended` counts what works once and was ended, by its kind; `nodes` are those that the hub lets in when it runs.
    """

    revoked: tuple[str, ...]
    unknown: int
    numbers: dict[int, int]
    problems: tuple[str, ...]
    ended: dict[str, int]
    nodes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that the command line shows."""
        return {
            "revoked": list(self.revoked),
            "unknown": self.unknown,
            "list_numbers": {str(key): value for key, value in self.numbers.items()},
            "problems": list(self.problems),
            "ended": self.ended,
            "nodes": list(self.nodes),
        }


def reconcile_hub(hub: Hub, reason: str, lists: Sequence[bytes] = ()) -> tuple[str, Reconciled]:
    """Bring a hub in line whose database somebody put back to an older state; no control plane may run meanwhile.

    `lists` are the newest CRLs that it published, in PEM or DER. Returns the line of the audit that the signed head
    knows and that is lost, empty if it is there, and what was done. Raises `Conflict` if a hub runs, `Refused` if the
    audit is not whole up to its end, or a list is none of the hub's CAs.
    """
    known = issued_lists(hub, lists)
    with alone(hub.directory):
        state = verify_audit(hub)
        if wrong := tuple(each for each in state.findings if each.id != _LOST):
            raise Refused(wrong)
        lost = f"{state.signed.lines}:{state.signed.hash}" if state.signed and state.findings else ""
        with hub.database.rebuild(hub.now(), hub.actor) as transaction:
            raise_floors(transaction, known)
            ended = end_what_works_once(transaction)
            transaction.audit("hub.reconcile", hub.terms.hub, lost=lost, lists=len(known), ended=ended, reason=reason)
        done = revoke_and_publish(hub, known, ended)
        sign_head(hub, anew=True)
    return lost, done


def issued_lists(hub: Hub, lists: Sequence[bytes]) -> tuple[Known, ...]:
    """Return these CRLs, each with the CA of the hub that signed it. Raises `Refused` if none did."""
    with hub.read() as connection:
        issuing = authorities.trusted(connection, Role.ISSUING)
    return tuple(_matched(each, issuing) for each in lists)


def raise_floors(transaction: Transaction, known: Sequence[Known]) -> None:
    """Leave out every number that was used since, as the lists say, or can have been: one a second at most."""
    for each in authorities.trusted(transaction.connection, Role.ISSUING):
        last = revocation_lists.current(transaction.connection, each.id)
        number, since = (last.number, last.this_update) if last else (0, each.certificate.not_valid_before_utc)
        seconds = int((transaction.now - since).total_seconds())
        revocation_lists.raise_floor(transaction, each.id, number + 1 + max(seconds, 0))
    for authority, one in known:
        revocation_lists.raise_floor(transaction, authority.id, _number(one) + 1)


def end_what_works_once(transaction: Transaction) -> dict[str, int]:
    """End invitations, one-time passwords and sessions, of which nobody knows what became since; return how many."""
    proposals.settle_all(transaction, Kind.SIGN_IN)
    return {
        "invitations": accounts.withdraw_invitations(transaction),
        "passwords": enrolments.end_unused(transaction),
        "sessions": sessions.end_all(transaction),
    }


def revoke_and_publish(hub: Hub, known: Sequence[Known], ended: dict[str, int]) -> Reconciled:
    """Revoke what is on the lists, and publish a list of each CA; `ended` is told with what came of it."""
    problems: list[str] = []
    try:
        require_signers(hub)
    except BothwaysError as error:
        problems.append(f"a CA cannot sign yet: {error}")
    revoked, unknown = _revoked(hub, [one for _, one in known])
    numbers = {}
    with hub.read() as connection:
        issuing = authorities.trusted(connection, Role.ISSUING)
        let_in = tuple(each.name for each in nodes.every(connection))
    for each in issuing:
        try:
            numbers[each.id] = publish_list(hub, each) or 0
        except BothwaysError as error:
            problems.append(f"the revocation list of the CA {each.id} is not published yet: {error}")
    return Reconciled(revoked, unknown, numbers, tuple(problems), ended, let_in)


def _matched(data: bytes, issuing: Sequence[Authority]) -> tuple[Authority, x509.CertificateRevocationList]:
    try:
        read = x509.load_pem_x509_crl if b"-----BEGIN" in data else x509.load_der_x509_crl
        found = read(data)
        for each in issuing:
            key = each.certificate.public_key()
            if found.issuer == each.certificate.subject and found.is_signature_valid(key):  # type: ignore[arg-type]
                _number(found)
                return each, found
        why = "none of this hub's CAs signed it"
    except (ValueError, x509.ExtensionNotFound) as error:
        why = str(error)
    hint = "Give what was published last: the file at the address in the certificates, or `bothways certificate crl`."
    raise Refused(
        (Finding("RESTORE-01", f"this is no revocation list of this hub: {why}", hint, "RFC 5280 section 5"),)
    )


def _number(one: x509.CertificateRevocationList) -> int:
    return one.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def _revoked(hub: Hub, lists: Sequence[x509.CertificateRevocationList]) -> tuple[tuple[str, ...], int]:
    """Revoke what is on the lists; return the serial numbers that were not revoked before, and how many are unknown."""
    found = {f"{entry.serial_number:x}": _reason(entry) for one in lists for entry in one}
    unknown, revoked = 0, []
    for serial, reason in found.items():
        try:
            revoked.append(revoke_certificate(hub, serial, reason).serial)
        except NotFound:
            # Issued after the backup: it opens nothing.
            unknown += 1
        except Conflict:
            continue
    return tuple(revoked), unknown


def _reason(entry: x509.RevokedCertificate) -> RevocationReason:
    try:
        return RevocationReason(entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value)
    except (x509.ExtensionNotFound, ValueError):
        return RevocationReason.UNSPECIFIED
