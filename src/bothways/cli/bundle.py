"""`bothways bundle`: export, import: what is exchanged with a customer by hand, as one signed zip in each direction."""

import base64
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.bundle.archive import BUNDLE_LIMIT
from bothways.bundle.seal import Kind, open_bundle
from bothways.cli.arguments import BundleFile, TspId
from bothways.cli.asking import DEFAULT, Document, Where, asked
from bothways.cli.exit import OK
from bothways.cli.output import Json, result, tell
from bothways.operations import bundles
from bothways.operations.hub import Hub
from bothways.web.pages.instructions import enclosed


def export(
    tsp_id: TspId,
    *,
    out: Annotated[
        Path | None, Parameter(help="The file to write; hub-TSPID-ENVIRONMENT.zip if none is named.")
    ] = None,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Write a bundle for a customer: contract, CAs, commands, configurations, instructions to print, what was issued.

    It is signed; its fingerprint is for the customer to compare by phone. Each bundle can be answered once.
    """

    def local(hub: Hub) -> Document:
        made = bundles.export_bundle(hub, tsp_id, enclosed(hub, tsp_id))
        return made.document(tsp_id) | {"bundle": base64.b64encode(made.data).decode()}

    with asked(where) as at:
        document = at.change(local, "POST", ("customers", tsp_id, "bundle"))
        data = base64.b64decode(document.pop("bundle"))
        environment = open_bundle(data, Kind.HUB, "bundle").about.environment
        file = out or Path(f"hub-{tsp_id}-{environment.value}.zip")
        # What was handed out before is of no more use than the newest.
        files.replace(file, data)
        lines = [f"{file} is for {tsp_id}, with {', '.join(document['members'])}"]
        lines += [f"fingerprint, to read out by phone: {document['fingerprint']}"]
        lines += [f"signed by the key:  {document['signer']}"]
        result({"file": str(file)} | document, "\n".join(lines), as_json=json)
        tell(f"Send it to {tsp_id}. With what comes back: bothways bundle import FILE")
        return OK


def import_(
    file: BundleFile,
    *,
    force: Annotated[
        bool,
        Parameter(
            negative="", help="Install a certificate (R13) in it even if the customer's server does not let it in now."
        ),
    ] = False,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Take in what a customer sent back: its request, server chain and address wait for review.

    What is wrong is said all at once. A certificate of the customer's own CA for the hub is tried and installed.
    """
    with asked(where) as at:
        data = files.read(file, "the bundle", BUNDLE_LIMIT)

        def local(hub: Hub) -> Document:
            def tried(tsp_id: str, certificate: bytes) -> None:
                if not force:
                    from bothways.outbound.trial import require_taken  # noqa: PLC0415 - gRPC and Envoy's protos

                    require_taken(hub, tsp_id, certificate, str(file))

            return bundles.import_bundle(hub, data, str(file), tried).document()

        body = {"bundle": base64.b64encode(data).decode(), "force": force}
        document = at.change(local, "POST", ("bundles",), body)
        result(document, "\n".join(_taken_in(document)), as_json=json)
        if document["installed"] or (document["endpoint"] and not document["endpoint_waits"]):
            at.apply()
        tell("Next, after comparing the fingerprints with the customer by phone:")
        if request := document["request"]:
            tell(
                f"  bothways request approve {request['id']}; its certificate goes out with the next "
                f"bothways bundle export {document['customer']}"
            )
        if chain := document["chain"]:
            tell(f"  bothways chain show {chain}; bothways chain endorse {chain}")
        if number := document["endpoint_number"]:
            tell(f"  bothways endpoint approve {number}")
        return OK


def _taken_in(document: Document) -> list[str]:
    tsp_id = document["customer"]
    lines = [f"The bundle of {tsp_id} is taken in; its fingerprint: {document['fingerprint']}"]
    if request := document["request"]:
        lines.append(f"request {request['id']} waits for review; its fingerprint: {request['fingerprint']}")
    if chain := document["chain"]:
        lines.append(f"chain {chain} waits for review")
    if number := document["endpoint_number"]:
        lines.append(f"endpoint {number}, {document['endpoint']}, waits for review")
    elif document["endpoint"]:
        lines.append(f"{tsp_id} is called at {document['endpoint']}")
    if document["installed"]:
        lines.append(f"{tsp_id} is shown the certificate {document['installed']}")
    return lines
