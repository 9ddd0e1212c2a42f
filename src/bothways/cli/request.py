"""`bothways request`: submit, list, show, approve, refuse."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.exit import FAILED, OK
from bothways.cli.opening import apply, hub_in
from bothways.cli.output import HERE, Directory, Json, Reason, result, table, tell
from bothways.errors import Unusable
from bothways.findings import errors
from bothways.operations import requests
from bothways.operations.certificates import certificate_chain
from bothways.pki.encoding import REQUEST_LIMIT
from bothways.pki.request import parse_request


def submit(tsp_id: str, file: Path, *, directory: Directory = HERE, json: Json = False) -> int:
    """Submit a customer's certification request (CSR) for review."""
    with hub_in(directory) as hub:
        data = files.read(file, "the request", REQUEST_LIMIT)
        stored = requests.submit_request(hub, tsp_id, data, str(file))
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


def show(number: int, *, directory: Directory = HERE, json: Json = False) -> int:
    """Show a request with what the rules say about it. Exits with 1 if they refuse it."""
    with hub_in(directory) as hub:
        stored, findings = requests.show_request(hub, number)
        document = stored.document() | {"findings": [each.document() for each in findings]}
        lines = [f"{key:<12} {value}" for key, value in stored.document().items() if value is not None]
        lines += [f"{each.level.value}: {each}" for each in findings] or ["The rules find nothing."]
        result(document, "\n".join(lines), as_json=json)
        return FAILED if errors(findings) else OK


def approve(
    number: int,
    *,
    out: Annotated[Path | None, Parameter(help="Write the certificate and its issuer to this file.")] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Approve a request, and issue its certificate."""
    with hub_in(directory) as hub:
        if out is not None and (out.is_dir() or not out.absolute().parent.is_dir()):
            raise Unusable(f"{out} cannot be written: name a file in a directory that is there. Nothing was approved.")
        record = requests.approve_request(hub, number)
        # What was decided comes into force, whatever becomes of the file.
        apply(hub)
        chain = certificate_chain(hub, record)
        if out is not None:
            files.replace(out, chain.encode())
        document = record.document(hub.now()) | {"chain": chain}
        text = chain if out is None else f"Certificate {record.serial} is in {out}"
        result(document, text, as_json=json)
        return OK


def refuse(number: int, *, reason: Reason, directory: Directory = HERE, json: Json = False) -> int:
    """Refuse a request."""
    with hub_in(directory) as hub:
        requests.refuse_request(hub, number, reason)
        result({"id": number, "state": "refused", "reason": reason}, f"Request {number} is refused.", as_json=json)
        return OK
