"""Certification requests: submit, list, show, approve, refuse. Approval is what makes a certificate."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bothways.contract.document import Terms
from bothways.errors import BothwaysError, Conflict, Refused
from bothways.findings import Finding, Level, errors
from bothways.operations import keys, two_people
from bothways.operations.hub import Hub
from bothways.operations.issuing import in_groups, proofs, reserved_certificate, sign_reserved
from bothways.pki import issue
from bothways.pki.keys import spki_pin
from bothways.pki.request import CertificationRequest
from bothways.pki.rules import Applicant, KnownKeys, judge_request, request_findings
from bothways.registry.customer import Customer
from bothways.store import authorities, certificates, customers, requests
from bothways.store.audit import Line
from bothways.store.authorities import Authority, Role
from bothways.store.certificates import StoredCertificate
from bothways.store.database import Transaction
from bothways.store.proposals import Kind
from bothways.store.requests import KeyHolder, RequestState, StoredRequest


@dataclass(frozen=True, slots=True)
class Approval:
    """What became of the approval of one request: its certificate, or the error that says why there is none.

    `warnings` are what a person should have looked at.
    """

    number: int
    outcome: StoredCertificate | BothwaysError
    warnings: tuple[Finding, ...] = ()


def submit_request(hub: Hub, tsp_id: str, data: bytes, subject: str = "request") -> StoredRequest:
    """Take a customer's request (PEM or DER) under review; the same bytes again are the same request.

    Raises `Refused` with every finding if it breaks a rule; nothing is stored then.
    """
    parsed = proved(hub, tsp_id, data, subject)
    with hub.write() as transaction:
        return submitted(hub, transaction, tsp_id, parsed, subject)


def proved(hub: Hub, tsp_id: str, data: bytes, subject: str) -> CertificationRequest:
    """Return the request if its sender holds the key; raise `Refused` with that and everything else that is wrong.

    Whatever comes of it: a key whose private half is in `data`, or that shares a prime with another one, is banned.
    """
    with keys.disclosures_banned(hub, tsp_id, (data,), subject):
        with hub.read() as connection:
            customer = customers.find(connection, tsp_id)
        judgement = judge_request(data, Applicant(tsp_id, hub.terms, customer.organization), subject)
        if judgement.request is None:
            raise Refused(errors(judgement.findings))
    if not errors(judgement.findings):
        keys.compare_key(hub, tsp_id, judgement.request)
    return judgement.request


def submitted(
    hub: Hub, transaction: Transaction, tsp_id: str, parsed: CertificationRequest, subject: str
) -> StoredRequest:
    """Store a request as `submit_request` does, in a transaction that does more."""
    if findings := errors(judge(hub, transaction.connection, tsp_id, parsed, subject)):
        raise Refused(findings)
    known = requests.same(transaction.connection, parsed)
    if known and known.state is RequestState.WITHDRAWN:
        raise Conflict(f"the approval of this request was withdrawn: {known.reason}. Make a new key and request.")
    if known and known.state is not RequestState.REFUSED:
        return known
    if known:
        raise Conflict(f"this request was refused already: {known.reason}. Make a new one that mends it.")
    number = requests.add(transaction, tsp_id, parsed)
    transaction.audit("request.submit", str(number), customer=tsp_id, fingerprint=parsed.fingerprint)
    two_people.handed_in(hub, transaction, Kind.REQUEST, number)
    return StoredRequest(number, tsp_id, parsed, RequestState.SUBMITTED, transaction.now, None, None)


def judge(
    hub: Hub, connection: Connection, tsp_id: str, parsed: CertificationRequest, subject: str
) -> tuple[Finding, ...]:
    """Return what the rules and the registry say about a request of this customer. Raises `NotFound`."""
    return _review(hub, connection, hub.now(), ((tsp_id, parsed.spki_pin),)).findings(tsp_id, parsed, subject)


def judge_all(hub: Hub, connection: Connection, stored: Collection[StoredRequest]) -> list[tuple[Finding, ...]]:
    """Return the same about many requests of customers that are there, in their order."""
    review = _review(hub, connection, hub.now(), [(each.tsp_id, each.request.spki_pin) for each in stored])
    return [review.findings(each.tsp_id, each.request, f"request {each.id}") for each in stored]


def list_requests(
    hub: Hub,
    tsp_id: str | None = None,
    state: RequestState | None = None,
    after: int = 0,
    limit: int | None = None,
) -> tuple[StoredRequest, ...]:
    """Return requests, oldest first: of all customers or of one, in any state or in one, after a number."""
    with hub.read() as connection:
        return requests.every(connection, tsp_id, state, after, limit)


def show_request(hub: Hub, number: int) -> tuple[StoredRequest, tuple[Finding, ...]]:
    """Return a request, with what the rules say about it now. Raises `NotFound`."""
    with hub.read() as connection:
        stored = requests.find(connection, number)
        return stored, judge(hub, connection, stored.tsp_id, stored.request, f"request {number}")


def waiting_requests(hub: Hub, tsp_id: str | None = None) -> tuple[int, ...]:
    """Return the numbers of the requests that an approval would bring further, of all customers or of one.

    They wait for review, or were approved when a crash kept their certificate from being signed.
    """
    with hub.read() as connection:
        unsigned = {each.request_id for each in certificates.unfinished(connection) if tsp_id in {None, each.tsp_id}}
        return tuple(sorted(unsigned.union(requests.numbers_in(connection, RequestState.SUBMITTED, tsp_id))))


def approve_request(hub: Hub, number: int) -> StoredCertificate:
    """Approve a request, and issue its certificate (R6); one that was approved, and not signed yet, is finished.

    Raises `NotFound`, `Conflict` if there is a certificate or a refusal already, `Refused` if it breaks a rule, and
    `Proposed` or `NotAuthorized` if it takes another person too.
    """
    [approval] = approve_all(hub, (number,))
    if isinstance(approval.outcome, BothwaysError):
        raise approval.outcome
    return approval.outcome


def approve_all(
    hub: Hub, numbers: Iterable[int], *, strict: bool = False, danger_without_people: bool = False
) -> Iterator[Approval]:
    """Approve requests in groups; yield what became of each as soon as it is on disk. `strict` refuses on warnings too.

    Where it takes two people, the outcome is `Proposed` if the actor is the first of them, unless that is waived.

    One that cannot be approved does not keep the others from it. The decisions of a group, its serial numbers and the
    bytes to be signed are on disk before the key signs them: whatever dies in between, the same bytes are signed later,
    and no serial number is used twice. Raises `Unusable` if the key is out of reach.
    """
    for group in in_groups(tuple(dict.fromkeys(numbers))):
        decided = _decide(hub, group, strict=strict, two=not danger_without_people)
        records = [each.outcome for each in decided if isinstance(each.outcome, StoredCertificate)]
        issued = {each.serial: each for each in sign_reserved(hub, records)} if records else {}
        for each in decided:
            if isinstance(each.outcome, StoredCertificate):
                yield Approval(each.number, issued[each.outcome.serial], each.warnings)
            else:
                yield each


def refuse_request(hub: Hub, number: int, reason: str) -> None:
    """Refuse a request, with a reason that the customer will read. Raises `Conflict` if it was decided already."""
    with hub.write() as transaction:
        stored = requests.find(transaction.connection, number)
        if stored.state is not RequestState.SUBMITTED:
            raise _decided(stored)
        requests.decide(transaction, number, RequestState.REFUSED, reason)
        transaction.audit("request.refuse", str(number), customer=stored.tsp_id, reason=reason)


@dataclass(frozen=True, slots=True)
class _Review:
    """What judging requests needs beside them, looked up once for all that are judged together."""

    terms: Terms
    customers: Mapping[str, Customer]
    holders: Mapping[str, KeyHolder]
    taken_pins: frozenset[str]
    known: Mapping[str, KnownKeys]
    issuer: Authority
    end: datetime

    def findings(self, tsp_id: str, parsed: CertificationRequest, subject: str) -> tuple[Finding, ...]:
        """Return what the rules and the registry say. Raises `NotFound` if the customer is not there any more."""
        if tsp_id not in self.customers:
            raise customers.absent(tsp_id)
        pin = parsed.spki_pin
        known = self.known.get(pin, KnownKeys())
        applicant = Applicant(tsp_id, self.terms, self.customers[tsp_id].organization, known)
        findings = request_findings(parsed, applicant, subject)
        holder = self.holders.get(pin)
        # Who holds the key is not said: it is nobody's business but theirs.
        if pin in self.taken_pins or (holder and holder != KeyHolder(tsp_id, parsed.fingerprint)):
            message = "the key is in use already, in another request or certificate, here or in the other environment"
            findings += (Finding("CSR-KEY-03", message, "Make a new key, and a request for it.", "R7", subject),)
        return findings + issue.cap_findings(self.issuer.certificate, self.end, subject)


def _review(hub: Hub, connection: Connection, now: datetime, submitted: Collection[tuple[str, str]]) -> _Review:
    """Look up what is needed for requests: their customers, by tspId, and their keys, by SPKI pin."""
    own = (spki_pin(each.certificate.public_key()) for each in authorities.every_authority(connection))
    taken = keys.used_elsewhere(hub).union(own)
    pins = {pin for _, pin in submitted}
    return _Review(
        hub.terms,
        customers.many(connection, {tsp_id for tsp_id, _ in submitted}),
        requests.key_holders(connection, pins),
        taken,
        keys.known_about(connection, pins),
        authorities.signing_authority(connection, Role.ISSUING),
        now + timedelta(days=hub.terms.certificate.validity_days),
    )


def _decide(hub: Hub, numbers: Collection[int], *, strict: bool, two: bool) -> list[Approval]:
    """Record the approval of those that can be approved, each with the serial number and the bytes to be signed."""
    with hub.write() as transaction:
        connection = transaction.connection
        found = requests.unproved(connection, numbers)
        proved = proofs(hub, found)
        approved = certificates.of_requests(connection, numbers)
        waiting = [each for each in found.values() if each.state is RequestState.SUBMITTED]
        review = _review(hub, connection, transaction.now, [(each.tsp_id, each.reading.spki_pin) for each in waiting])
        decided = []
        for number in numbers:
            try:
                if number not in found:
                    raise requests.absent(number)
                decided.append(_approval(hub, transaction, review, proved(number), approved.get(number), strict=strict))
            except BothwaysError as error:
                decided.append(Approval(number, error))
        new = {
            each.number: each.outcome
            for each in decided
            if isinstance(each.outcome, StoredCertificate) and each.number not in approved
        }
        owners = {number: record.tsp_id for number, record in new.items()}
        judge_people = two_people.judge if two else two_people.waived
        verdicts = judge_people(hub, transaction, Kind.REQUEST, owners)
        new = {number: new[number] for number in verdicts.confirmed}
        certificates.reserve_all(transaction, new.values())
        requests.decide_all(transaction, new, RequestState.APPROVED)
        transaction.audit_all(
            Line(
                "request.approve",
                str(number),
                {"customer": record.tsp_id, "serial": record.serial} | two_people.on_record(verdicts.confirmed[number]),
            )
            for number, record in new.items()
        )
    return [
        Approval(each.number, verdicts.against[each.number]) if each.number in verdicts.against else each
        for each in decided
    ]


def _approval(
    hub: Hub,
    transaction: Transaction,
    review: _Review,
    stored: StoredRequest,
    reserved: StoredCertificate | None,
    *,
    strict: bool,
) -> Approval:
    if reserved is not None and reserved.der is None:
        return Approval(stored.id, reserved)
    if stored.state is not RequestState.SUBMITTED:
        raise _decided(stored)
    findings = review.findings(stored.tsp_id, stored.request, f"request {stored.id}")
    warnings = tuple(each for each in findings if each.level is Level.WARNING)
    if mistakes := errors(findings) or (warnings if strict else ()):
        raise Refused(mistakes)
    return Approval(stored.id, reserved_certificate(hub, transaction.now, review.issuer, stored), warnings)


def _decided(stored: StoredRequest) -> Conflict:
    return Conflict(
        f"request {stored.id} is {stored.state.value} already.", f"Look at: bothways request show {stored.id}"
    )
