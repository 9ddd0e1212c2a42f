"""`bothways spoke bundle`: import, export: the customer's side of what is exchanged by hand."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.bundle.archive import BUNDLE_LIMIT
from bothways.cli.exit import OK
from bothways.cli.output import HERE, Json, result, tell
from bothways.pki.encoding import CHAIN_LIMIT
from bothways.spoke.bundle import make_answer, take_in
from bothways.spoke.directory import open_spoke

Directory = Annotated[Path, Parameter(help="The spoke's directory, one for each environment.")]


def import_(
    file: Annotated[Path, Parameter(help="The zip that the hub's representative sent.")],
    *,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Take in a later bundle of the hub: the contract as it is now, your certificate if one was issued.

    It must be signed by the key that the contract here names, and be no older than the last one.
    """
    done = take_in(open_spoke(directory), files.read(file, "the bundle", BUNDLE_LIMIT), str(file))
    document = {
        "fingerprint": done.bundle.fingerprint,
        "signer": done.bundle.spki_pin,
        "contract_changed": done.contract_changed,
        "certificate": done.installed and done.installed.fingerprint,
        "hub_request": str(done.hub_request) if done.hub_request else None,
    }
    lines = [f"The bundle is taken in; its fingerprint: {done.bundle.fingerprint}"]
    lines.append(f"The contract {'is a new one' if done.contract_changed else 'is the same'}.")
    if done.installed:
        lines.append(f"The certificate until {done.installed.not_after:%Y-%m-%d} is installed.")
    result(document, "\n".join(lines), as_json=json)
    if done.hub_request:
        tell(
            f"{done.hub_request} is a request of the hub. Have your CA sign it, and send back what it made: "
            f"bothways spoke bundle export FILE --hub-certificate CERT --directory {directory}"
        )
    tell(f"Next: bothways spoke status --directory {directory}")
    return OK


def export(
    file: Annotated[Path, Parameter(help="The zip to write, for the hub's representative.")],
    *,
    chain: Annotated[
        Path | None, Parameter(help="The CA chain of your server, in PEM: root and intermediates.")
    ] = None,
    endpoint: Annotated[str | None, Parameter(help="The base URL of your server, which the hub is to call.")] = None,
    hub_certificate: Annotated[
        Path | None, Parameter(help="What your CA made of the hub's request (hub-client.csr), with its issuers.")
    ] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Write the answer for the hub: the request that is under way, and what is given besides, signed with your key."""
    answer = make_answer(
        open_spoke(directory),
        None if chain is None else files.read(chain, "the chain", CHAIN_LIMIT),
        endpoint,
        None if hub_certificate is None else files.read(hub_certificate, "the certificate", CHAIN_LIMIT),
    )
    files.write_new(file, answer.data)
    document = {"file": str(file), "fingerprint": answer.fingerprint, "signer": answer.spki_pin}
    document |= {"members": ", ".join(answer.members)}
    lines = [f"{file} is for the hub, with {', '.join(answer.members)}"]
    lines += [f"fingerprint, to read out by phone: {answer.fingerprint}", f"signed by the key:  {answer.spki_pin}"]
    result(document, "\n".join(lines), as_json=json)
    tell("Send it to the hub's representative. No private key is in it.")
    return OK
