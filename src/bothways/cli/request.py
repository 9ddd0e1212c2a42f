"""`bothways request`: submit, list, show, approve, refuse, withdraw, keys."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.exit import FAILED, OK
from bothways.cli.opening import apply, hub_in
from bothways.cli.output import (
    HERE,
    Directory,
    Json,
    Reason,
    RowNumber,
    is_row_number,
    result,
    table,
    tell,
)
from bothways.cli.progress import Progress
from bothways.errors import BothwaysError, Unusable
from bothways.findings import Finding, errors
from bothways.operations import certificates, renewal, requests
from bothways.operations.certificates import certificate_chain
from bothways.operations.chains import known_authorities
from bothways.operations.hub import Hub
from bothways.operations.keys import every_known_key
from bothways.pki.encoding import REQUEST_LIMIT
from bothways.pki.request import parse_request
from bothways.store.certificates import StoredCertificate


def submit(
    tsp_id: str,
    file: Path,
    *,
    renews: Annotated[
        str | None,
        Parameter(help="The serial number of the certificate that it renews: superseded once the new one is in use."),
    ] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Submit a customer's certification request (CSR) for review."""
    with hub_in(directory) as hub:
        data = files.read(file, "the request", REQUEST_LIMIT)
        stored = requests.submit_request(hub, tsp_id, data, str(file))
        if renews is not None:
            renewal.renews(hub, stored.id, renews)
        text = f"Request {stored.id} of {tsp_id} waits for review; fingerprint {stored.request.fingerprint}"
        result(stored.document(), text, as_json=json)
        for note in parse_request(data, str(file)).notes:
            tell(str(note))
        tell(f"Next, after comparing the fingerprint with the customer: bothways request approve {stored.id}")
        return OK


def list_(*, customer: str | None = None, directory: Directory = HERE, json: Json = False) -> int:
    """List requests, of all customers or of one."""
    with hub_in(directory) as hub:
        found = requests.list_requests(hub, customer)
        rows = [
            (
                each.id,
                each.tsp_id,
                each.state.value,
                f"{each.submitted_at:%Y-%m-%d %H:%M}",
                each.request.fingerprint[:16],
            )
            for each in found
        ]
        text = table(rows, ("REQUEST", "CUSTOMER", "STATE", "SUBMITTED", "FINGERPRINT"))
        result([each.document() for each in found], text, as_json=json)
        return OK


def show(number: RowNumber, *, directory: Directory = HERE, json: Json = False) -> int:
    """Show a request with what the rules say about it. Exits with 1 if they refuse it."""
    with hub_in(directory) as hub:
        stored, findings = requests.show_request(hub, number)
        document = stored.document() | {"findings": [each.document() for each in findings]}
        lines = [f"{key:<12} {value}" for key, value in stored.document().items() if value is not None]
        lines += [f"{each.level.value}: {each}" for each in findings] or ["The rules find nothing."]
        result(document, "\n".join(lines), as_json=json)
        return FAILED if errors(findings) else OK


def approve(
    *numbers: RowNumber,
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
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Approve requests, and issue their certificates.

    One that cannot be approved does not keep the others from it. Exits with 1 if there was one.
    """
    with hub_in(directory) as hub:
        single = len(numbers) == 1 and not (all_ or customer or from_)
        if out is not None and (out.is_dir() if single else not out.is_dir()):
            wanted = "a file" if single else "a directory that is there, for several certificates,"
            raise Unusable(f"{out} cannot be written: name {wanted}. Nothing was approved.")
        if out is not None and not out.absolute().parent.is_dir():
            raise Unusable(f"{out} cannot be written: name a file in a directory that is there. Nothing was approved.")
        if single:
            return _approve_one(hub, numbers[0], out, as_json=json)
        chosen = _chosen(hub, numbers, from_, customer, whatever=all_ or customer is not None)
        # A number was written down by somebody who looked at the request; what merely waits, maybe nobody looked at.
        strict = not (with_warnings or numbers or from_)
        return _approve_many(hub, tuple(dict.fromkeys(chosen)), out, strict=strict, as_json=json)


def keys(*, directory: Directory = HERE, json: Json = False) -> int:
    """Print the SHA-256 of each key that was ever in a request, is banned, or is a CA's of the hub or of a customer.

    They are for the hub of the other environment to refuse.
    Put the output into a file there, and name it in its hub.toml: [keys] used_elsewhere = "FILE".
    """
    with hub_in(directory) as hub:
        pins = sorted({*every_known_key(hub), *known_authorities(hub)})
        result(list(pins), "\n".join(pins), as_json=json)
        return OK


def refuse(number: RowNumber, *, reason: Reason, directory: Directory = HERE, json: Json = False) -> int:
    """Refuse a request."""
    with hub_in(directory) as hub:
        requests.refuse_request(hub, number, reason)
        result({"id": number, "state": "refused", "reason": reason}, f"Request {number} is refused.", as_json=json)
        return OK


def _approve_one(hub: Hub, number: int, out: Path | None, *, as_json: bool) -> int:
    record = requests.approve_request(hub, number)
    # What was decided comes into force, whatever becomes of the file.
    apply(hub)
    chain = certificate_chain(hub, record)
    if out is not None:
        files.replace(out, chain.encode())
    document = record.document(hub.now()) | {"chain": chain}
    result(document, chain if out is None else f"Certificate {record.serial} is in {out}", as_json=as_json)
    return OK


def _chosen(
    hub: Hub, numbers: tuple[int, ...], source: Path | None, customer: str | None, *, whatever: bool
) -> tuple[int, ...]:
    if [bool(numbers), source is not None, whatever].count(True) != 1:
        raise Unusable(
            "say in one way which requests are meant: their numbers, --from FILE, or --all or --customer TSPID. "
            "Look at: bothways request list"
        )
    if source is None:
        return numbers or requests.waiting_requests(hub, customer)
    data = files.read(Path("/dev/stdin") if source == Path("-") else source, "the numbers")
    words = data.decode(errors="replace").replace(",", " ").split()
    if not words:
        raise Unusable(f"{source} holds no numbers of requests. Write them into it, one a line.")
    if wrong := [each for each in words if not is_row_number(each)]:
        raise Unusable(f"{source} holds {wrong[0]!r}; numbers of requests alone are wanted. Nothing was approved.")
    return tuple(int(each) for each in words)


def _approve_many(hub: Hub, numbers: tuple[int, ...], out: Path | None, *, strict: bool, as_json: bool) -> int:
    issued: list[tuple[StoredCertificate, tuple[Finding, ...]]] = []
    failed: list[tuple[int, BothwaysError]] = []
    progress = Progress(len(numbers), "requests")
    try:
        for approval in requests.approve_all(hub, numbers, strict=strict):
            if isinstance(approval.outcome, BothwaysError):
                failed.append((approval.number, approval.outcome))
            else:
                issued.append((approval.outcome, approval.warnings))
            progress.step()
    finally:
        progress.end()
        if issued:
            apply(hub)
        if len(issued) + len(failed) < len(numbers):
            tell(f"Stopped. {len(issued)} of {len(numbers)} are approved; the same command goes on with the others.")
    if out is not None:
        for record, _ in issued:
            files.replace(out / f"{record.serial}.crt", certificate_chain(hub, record).encode())
    now = hub.now()
    document = {
        "approved": [
            each.document(now) | {"findings": [finding.document() for finding in warnings]} for each, warnings in issued
        ],
        "not_approved": [{"request": number} | error.document() for number, error in failed],
    }
    rows = [(each.request_id, each.tsp_id, each.serial, f"{each.not_after:%Y-%m-%d}") for each, _ in issued]
    result(document, table(rows, ("REQUEST", "CUSTOMER", "SERIAL", "NOT AFTER")), as_json=as_json)
    for each in (finding for _, warnings in issued for finding in warnings):
        tell(f"warning: {each}")
    for _, error in failed:
        tell(str(error))
    if failed:
        tell(f"{len(failed)} of {len(numbers)} requests were not approved, for the reasons above.")
    return FAILED if failed else OK


def withdraw(number: RowNumber, *, reason: Reason, directory: Directory = HERE, json: Json = False) -> int:
    """Withdraw the approval of a request, for good: no certificate of it stays usable, on open connections neither."""
    with hub_in(directory) as hub:
        record = certificates.withdraw_approval(hub, number, reason)
        document = {"id": number, "state": "withdrawn", "reason": reason, "certificate": record.document(hub.now())}
        result(
            document, f"The approval of request {number} is withdrawn, with certificate {record.serial}.", as_json=json
        )
        apply(hub)
        return OK
