"""`bothways request`: submit, list, show, approve, refuse, withdraw, keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.arguments import OfCustomer, RequestFile, RequestNumber, TspId
from bothways.cli.asking import DEFAULT, Asked, Document, Here, Where, asked
from bothways.cli.exit import FAILED, OK
from bothways.cli.output import (
    Json,
    Reason,
    day,
    finding_line,
    is_row_number,
    minute,
    proposed_lines,
    result,
    table,
    tell,
)
from bothways.cli.progress import Progress
from bothways.cli.remote import PLAIN_MOST, text_of
from bothways.errors import Unusable
from bothways.findings import Level
from bothways.operations import certificates, renewal, requests
from bothways.operations.approvals import approvals_document
from bothways.operations.certificates import certificate_chain
from bothways.operations.chains import known_authorities
from bothways.operations.hub import Hub
from bothways.operations.keys import every_known_key
from bothways.operations.two_people import proposal_document
from bothways.pki.encoding import REQUEST_LIMIT
from bothways.pki.request import parse_request
from bothways.store.proposals import Kind

_BATCH = 50
"""Requests that one question to a hub elsewhere approves: often enough a line that says how far it is."""


def submit(
    tsp_id: TspId,
    file: RequestFile,
    *,
    renews: Annotated[
        str | None,
        Parameter(help="The serial number of the certificate that it renews: superseded once the new one is in use."),
    ] = None,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Submit a customer's certification request (CSR) for review."""
    with asked(where) as at:
        data = files.read(file, "the request", REQUEST_LIMIT)
        if not isinstance(at, Here):
            # A private key that was taken for a request stays on this machine.
            parse_request(data, str(file))

        def local(hub: Hub) -> Document:
            stored = requests.submit_request(hub, tsp_id, data, str(file))
            if renews is not None:
                renewal.renews(hub, stored.id, renews)
            return stored.document()

        body = {"customer": tsp_id, "csr": text_of(data), "renews": renews}
        document = at.change(local, "POST", ("requests",), body)
        document.pop("findings", None)
        number = document["id"]
        text = f"Request {number} of {tsp_id} waits for review; fingerprint {document['fingerprint']}"
        result(document, text, as_json=json)
        for note in parse_request(data, str(file)).notes:
            tell(str(note))
        tell(f"Next, after comparing the fingerprint with the customer: bothways request approve {number}")
        return OK


def list_(*, customer: OfCustomer = None, where: Where = DEFAULT, json: Json = False) -> int:
    """List requests, of all customers or of one."""
    with asked(where) as at:
        found = at.every(
            lambda hub: [each.document() for each in requests.list_requests(hub, customer)],
            ("requests",),
            customer=customer,
        )
        rows = [
            (each["id"], each["customer"], each["state"], minute(each["submitted_at"]), each["fingerprint"][:16])
            for each in found
        ]
        result(found, table(rows, ("REQUEST", "CUSTOMER", "STATE", "SUBMITTED", "FINGERPRINT")), as_json=json)
        return OK


def show(number: RequestNumber, *, where: Where = DEFAULT, json: Json = False) -> int:
    """Show a request with what the rules say about it. Exits with 1 if they refuse it."""

    def local(hub: Hub) -> Document:
        stored, findings = requests.show_request(hub, number)
        proposed = proposal_document(hub, Kind.REQUEST, number)
        return stored.document() | proposed | {"findings": [each.document() for each in findings]}

    with asked(where) as at:
        document = at.show(local, ("requests", number))
        findings, apart = document["findings"], {"findings", "proposed"}
        lines = [f"{key:<12} {value}" for key, value in document.items() if value is not None and key not in apart]
        lines += proposed_lines(document)
        lines += [f"{each['level']}: {finding_line(each)}" for each in findings] or ["The rules find nothing."]
        result(document, "\n".join(lines), as_json=json)
        return FAILED if any(each["level"] == Level.ERROR for each in findings) else OK


def approve(
    *numbers: RequestNumber,
    all_: Annotated[bool, Parameter(name="--all", negative="", help="Approve whatever waits for review.")] = False,
    customer: Annotated[str | None, Parameter(help="Approve whatever of this customer waits for review.")] = None,
    from_: Annotated[
        Path | None,
        Parameter(
            name="--from",
            help="Read the numbers from this file, or from stdin if it is -.",
            allow_leading_hyphen=True,
        ),
    ] = None,
    with_warnings: Annotated[
        bool, Parameter(negative="", help="With --all or --customer: also those of which the rules warn.")
    ] = False,
    out: Annotated[
        Path | None,
        Parameter(
            help="Write the certificate and its issuer to this file; of several, to SERIAL.crt in this directory."
        ),
    ] = None,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Approve requests, and issue their certificates.

    Where it takes two people, as in production, the first proposes, and the second confirms by approving too. One that
    cannot be approved does not keep the others from it. Exits with 1 if there was one.
    """
    with asked(where) as at:
        single = len(numbers) == 1 and not (all_ or customer or from_)
        if out is not None and (out.is_dir() if single else not out.is_dir()):
            wanted = "a file" if single else "a directory that is there, for several certificates,"
            raise Unusable(f"{out} cannot be written: name {wanted}. Nothing was approved.")
        if out is not None and not out.absolute().parent.is_dir():
            raise Unusable(f"{out} cannot be written: name a file in a directory that is there. Nothing was approved.")
        if single:
            return _approve_one(at, numbers[0], out, as_json=json)
        chosen = _chosen(at, numbers, from_, customer, whatever=all_ or customer is not None)
        # A number was written down by somebody who looked at the request; what merely waits, maybe nobody looked at.
        strict = not (with_warnings or numbers or from_)
        return _approve_many(at, tuple(dict.fromkeys(chosen)), out, strict=strict, as_json=json)


def keys(*, where: Where = DEFAULT, json: Json = False) -> int:
    """Print the SHA-256 of each key that was ever in a request, is banned, or is a CA's of the hub or of a customer.

    They are for the hub of the other environment to refuse.
    Put the output into a file there, and name it in its hub.toml: [keys] used_elsewhere = "FILE".
    """
    with asked(where) as at:
        found = at.every(
            lambda hub: sorted({*every_known_key(hub), *known_authorities(hub)}), ("keys", "known"), page=PLAIN_MOST
        )
        result(found, "\n".join(found), as_json=json)
        return OK


def refuse(number: RequestNumber, *, reason: Reason, where: Where = DEFAULT, json: Json = False) -> int:
    """Refuse a request."""

    def local(hub: Hub) -> Document:
        requests.refuse_request(hub, number, reason)
        return {}

    with asked(where) as at:
        at.change(local, "POST", ("requests", number, "refuse"), {"reason": reason})
        result({"id": number, "state": "refused", "reason": reason}, f"Request {number} is refused.", as_json=json)
        return OK


def withdraw(number: RequestNumber, *, reason: Reason, where: Where = DEFAULT, json: Json = False) -> int:
    """Withdraw the approval of a request, for good: no certificate of it stays usable, on open connections neither."""

    def local(hub: Hub) -> Document:
        return {"certificate": certificates.withdraw_approval(hub, number, reason).document(hub.now())}

    with asked(where) as at:
        done = at.change(local, "POST", ("requests", number, "withdraw"), {"reason": reason})["certificate"]
        document = {"id": number, "state": "withdrawn", "reason": reason, "certificate": done}
        result(
            document, f"The approval of request {number} is withdrawn, with certificate {done['serial']}.", as_json=json
        )
        at.apply()
        return OK


def _approve_one(at: Asked, number: int, out: Path | None, *, as_json: bool) -> int:
    def local(hub: Hub) -> Document:
        record = requests.approve_request(hub, number)
        return record.document(hub.now()) | {"chain": certificate_chain(hub, record)}

    document = at.change(local, "POST", ("requests", number, "approve"))
    # What was decided comes into force, whatever becomes of the file.
    at.apply()
    chain = document["chain"]
    if out is not None:
        files.replace(out, chain.encode())
    result(document, chain if out is None else f"Certificate {document['serial']} is in {out}", as_json=as_json)
    return OK


def _chosen(
    at: Asked, numbers: tuple[int, ...], source: Path | None, customer: str | None, *, whatever: bool
) -> tuple[int, ...]:
    if [bool(numbers), source is not None, whatever].count(True) != 1:
        raise Unusable(
            "say in one way which requests are meant: their numbers, --from FILE, or --all or --customer TSPID. "
            "Look at: bothways request list"
        )
    if numbers:
        return numbers
    if source is None:
        path = ("requests", "waiting")
        return tuple(
            at.every(lambda hub: requests.waiting_requests(hub, customer), path, page=PLAIN_MOST, customer=customer)
        )
    data = files.read(Path("/dev/stdin") if source == Path("-") else source, "the numbers")
    words = data.decode(errors="replace").replace(",", " ").split()
    if not words:
        raise Unusable(f"{source} holds no numbers of requests. Write them into it, one a line.")
    if wrong := [each for each in words if not is_row_number(each)]:
        raise Unusable(f"{source} holds {wrong[0]!r}; numbers of requests alone are wanted. Nothing was approved.")
    return tuple(int(each) for each in words)


def _approvals(at: Asked, numbers: tuple[int, ...], *, strict: bool) -> Iterator[Document]:
    """Yield what became of the requests: of one after the other here, of some at once elsewhere."""
    if isinstance(at, Here):
        for each in requests.approve_all(at.hub, numbers, strict=strict):
            yield approvals_document(at.hub, [each])
        return
    for start in range(0, len(numbers), _BATCH):
        body = {"numbers": numbers[start : start + _BATCH], "strict": strict}
        yield at.change(lambda _: {}, "POST", ("requests", "approve"), body)


def _approve_many(at: Asked, numbers: tuple[int, ...], out: Path | None, *, strict: bool, as_json: bool) -> int:
    issued: list[Document] = []
    proposed: list[Document] = []
    failed: list[Document] = []
    progress = Progress(len(numbers), "requests")
    try:
        for some in _approvals(at, numbers, strict=strict):
            issued += some["approved"]
            proposed += some["proposed"]
            failed += some["not_approved"]
            for _ in range(sum(len(each) for each in (some["approved"], some["proposed"], some["not_approved"]))):
                progress.step()
    finally:
        progress.end()
        if issued:
            at.apply()
        if len(issued) + len(proposed) + len(failed) < len(numbers):
            tell(f"Stopped. {len(issued)} of {len(numbers)} are approved; the same command goes on with the others.")
    if out is not None:
        for each in issued:
            files.replace(out / f"{each['serial']}.crt", _chain(at, each["serial"]).encode())
    rows = [(each["request"], each["customer"], each["serial"], day(each["not_after"])) for each in issued]
    document = {"approved": issued, "proposed": proposed, "not_approved": failed}
    result(document, table(rows, ("REQUEST", "CUSTOMER", "SERIAL", "NOT AFTER")), as_json=as_json)
    for each in (finding for one in issued for finding in one["findings"]):
        tell(f"warning: {finding_line(each)}")
    for each in (*proposed, *failed):
        tell(each["detail"])
    if failed:
        tell(f"{len(failed)} of {len(numbers)} requests were not approved, for the reasons above.")
    return FAILED if failed else OK


def _chain(at: Asked, serial: str) -> str:
    def local(hub: Hub) -> Document:
        return {"chain": certificate_chain(hub, certificates.show_certificate(hub, serial))}

    return str(at.show(local, ("certificates", serial))["chain"])
