"""`bothways bundle`: export, import: what is exchanged with a customer by hand, as one signed zip in each direction."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.bundle.archive import BUNDLE_LIMIT
from bothways.cli.exit import OK
from bothways.cli.opening import apply, hub_in
from bothways.cli.output import HERE, Directory, Json, result, tell
from bothways.operations import bundles
from bothways.registry.endpoint import Endpoint
from bothways.store.submitted_endpoints import SubmittedEndpoint


def export(
    tsp_id: str,
    *,
    out: Annotated[
        Path | None, Parameter(help="The file to write; hub-TSPID-ENVIRONMENT.zip if none is named.")
    ] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Write a bundle for a customer: contract, CAs, OpenSSL commands, instructions to print, and what was issued.

    It is signed; its fingerprint is for the customer to compare by phone. Each bundle can be answered once.
    """
    with hub_in(directory) as hub:
        made = bundles.export_bundle(hub, tsp_id)
        file = out or Path(f"hub-{tsp_id}-{hub.environment.value}.zip")
        # What was handed out before is of no more use than the newest.
        files.replace(file, made.data)
        document = {
            "file": str(file),
            "customer": tsp_id,
            "fingerprint": made.fingerprint,
            "signer": made.spki_pin,
            "members": list(made.members),
        }
        lines = [f"{file} is for {tsp_id}, with {', '.join(made.members)}"]
        lines += [f"fingerprint, to read out by phone: {made.fingerprint}", f"signed by the key:  {made.spki_pin}"]
        result(document, "\n".join(lines), as_json=json)
        tell(f"Send it to {tsp_id}. With what comes back: bothways bundle import FILE")
        return OK


def import_(
    file: Path,
    *,
    force: Annotated[
        bool,
        Parameter(
            negative="", help="Install a certificate (R13) in it even if the customer's server does not let it in now."
        ),
    ] = False,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Take in what a customer sent back: its request, server chain and address wait for review.

    What is wrong is said all at once. A certificate of the customer's own CA for the hub is tried and installed.
    """
    with hub_in(directory) as hub:
        data = files.read(file, "the bundle", BUNDLE_LIMIT)

        def tried(tsp_id: str, certificate: bytes) -> None:
            if not force:
                from bothways.outbound.trial import require_taken  # noqa: PLC0415 - gRPC and Envoy's protos

                require_taken(hub, tsp_id, certificate, str(file))

        done = bundles.import_bundle(hub, data, str(file), tried)
        document, tsp_id = done.document(), done.bundle.about.customer
        lines = [f"The bundle of {tsp_id} is taken in; its fingerprint: {done.bundle.fingerprint}"]
        if done.request:
            lines.append(
                f"request {done.request.id} waits for review; its fingerprint: {done.request.request.fingerprint}"
            )
        lines += [f"chain {done.chain} waits for review"] if done.chain else []
        if isinstance(done.endpoint, SubmittedEndpoint):
            lines.append(f"endpoint {done.endpoint.id}, {done.url}, waits for review")
        elif done.endpoint:
            lines.append(f"{tsp_id} is called at {done.url}")
        lines += [f"{tsp_id} is shown the certificate {done.installed}"] if done.installed else []
        result(document, "\n".join(lines), as_json=json)
        if done.installed or isinstance(done.endpoint, Endpoint):
            apply(hub)
        tell("Next, after comparing the fingerprints with the customer by phone:")
        if done.request:
            tell(
                f"  bothways request approve {done.request.id}; its certificate goes out with the next "
                f"bothways bundle export {tsp_id}"
            )
        if done.chain:
            tell(f"  bothways chain show {done.chain}; bothways chain endorse {done.chain}")
        if isinstance(done.endpoint, SubmittedEndpoint):
            tell(f"  bothways endpoint approve {done.endpoint.id}")
        return OK
