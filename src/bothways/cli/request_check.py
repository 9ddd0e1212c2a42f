"""`bothways request check`: what the rules say of a request, before anything is submitted."""

from bothways import files
from bothways.cli.arguments import RequestFile, TspId
from bothways.cli.asking import DEFAULT, Document, Here, Where, asked
from bothways.cli.exit import FAILED, OK
from bothways.cli.output import Json, finding_line, result, tell
from bothways.cli.remote import text_of
from bothways.operations.hub import Hub
from bothways.operations.request_check import check_document
from bothways.pki.encoding import REQUEST_LIMIT
from bothways.pki.request import parse_request


def check(tsp_id: TspId, file: RequestFile, *, where: Where = DEFAULT, json: Json = False) -> int:
    """Look at a customer's certification request (CSR): all that is to be said of it, and nothing is submitted.

    Exits with 1 if it could not be submitted as it is. A private key in the file is banned, where the hub reads it.
    """
    data = files.read(file, "the request", REQUEST_LIMIT)

    def local(hub: Hub) -> Document:
        return check_document(hub, tsp_id, data, str(file))

    with asked(where) as at:
        if not isinstance(at, Here):
            # A private key that was taken for a request stays on this machine.
            parse_request(data, str(file))
        body = {"customer": tsp_id, "csr": text_of(data)}
        document = at.change(local, "POST", ("requests", "check"), body)
    lines = [finding_line(each) for each in document["findings"]]
    if document["acceptable"]:
        lines.append(f"{document['subject']} can be submitted; fingerprint {document['fingerprint']}")
    result(document, "\n".join(lines), as_json=json)
    if not document["acceptable"]:
        return FAILED
    tell(f"Next: bothways request submit {tsp_id} {file}")
    return OK
