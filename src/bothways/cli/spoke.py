"""`bothways spoke`: init, csr, install, call, listen."""

import json as json_module
import signal
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.exit import FAILED, NOT_AUTHORIZED, OK
from bothways.cli.output import HERE, Directory, Json, result, tell
from bothways.contract.document import KeyType
from bothways.contract.recipe import Shell, openssl_recipe
from bothways.contract.subject import Subject
from bothways.pki.encoding import CHAIN_LIMIT
from bothways.spoke import client as clients
from bothways.spoke.csr import make_request
from bothways.spoke.directory import KEY, REQUEST, init_spoke, open_spoke
from bothways.spoke.install import install_certificate
from bothways.spoke.listen import Callback, Receiver
from bothways.spoke.pair import previous

_UNAUTHORIZED = (401, 403)
_BAD = 400


def init(
    *,
    contract: Annotated[str, Parameter(help="The contract: a file, or its https address at the hub's portal.")],
    customer: Annotated[str, Parameter(help="Your tspId.")],
    fingerprint: Annotated[str | None, Parameter(help="SHA-256 of the contract, as the hub read it out.")] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Make a spoke for one environment from the hub's contract."""
    spoke = init_spoke(directory, contract, customer, fingerprint)
    terms = spoke.contract.terms
    document = {"directory": str(directory), "environment": terms.environment.value, "endpoint": terms.endpoint}
    result(
        document, f"{directory} is set up for {customer} in {terms.environment.value}, {terms.endpoint}", as_json=json
    )
    tell(
        "Next: bothways spoke csr --key ecdsa --country CC --state STATE --locality CITY "
        f"--organization NAME --unit UNIT --directory {directory}"
    )
    return OK


def csr(
    *,
    key: Annotated[KeyType, Parameter(help="ECDSA P-256, or RSA 4096.")] = KeyType.ECDSA,
    country: str,
    state: str,
    locality: str,
    organization: str,
    unit: str,
    openssl: Annotated[
        bool, Parameter(negative="", help="Print OpenSSL commands that do the same, and do nothing.")
    ] = False,
    shell: Annotated[
        Shell, Parameter(help="With --openssl: where they are pasted, or the configuration file.")
    ] = Shell.BASH,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Make a key and a certification request (CSR) that the hub's rules accept."""
    spoke = open_spoke(directory)
    subject = Subject(country, state, locality, organization, unit)
    if openssl:
        # Where `install` looks for the key: never over the one in use.
        place = str(spoke.pending.absolute())
        recipe = openssl_recipe(spoke.contract.terms, spoke.tsp_id, key, subject, shell, place)
        result({"commands": recipe}, recipe, as_json=json)
        return OK
    request = make_request(spoke, key, subject)
    request_file, key_file = spoke.pending / REQUEST, spoke.pending / KEY
    document = {
        "request": str(request_file),
        "key": str(key_file),
        "subject": request.subject.rfc4514_string(),
        "fingerprint": request.fingerprint,
    }
    text = f"{request_file} is ready; its fingerprint, to compare by phone: {request.fingerprint}"
    result(document, text, as_json=json)
    if spoke.pending == spoke.renewal:
        tell(f"{spoke.key_file} and {spoke.certificate_file} stay in use until the new certificate is installed.")
    tell(f"Hand {request_file} to the hub. Then: bothways spoke install CERT --directory {directory}")
    return OK


def install(certificate: Path, *, directory: Directory = HERE, json: Json = False) -> int:
    """Check the certificate that the hub issued, and install it."""
    spoke = open_spoke(directory)
    installed = install_certificate(spoke, files.read(certificate, "the certificate", CHAIN_LIMIT), str(certificate))
    kept = previous(spoke)
    document = {
        "certificate": str(spoke.certificate_file),
        "uri_id": installed.uri_id,
        "fingerprint": installed.fingerprint,
        "not_after": installed.not_after.isoformat(),
        "chain": list(installed.chain),
        "changed": installed.changed,
        "previous": str(kept) if kept else None,
    }
    done = "is installed" if installed.changed else "was installed already"
    lines = [f"{spoke.certificate_file} {done}, valid until {installed.not_after:%Y-%m-%d}"]
    lines += [f"  {place}: {name}" for place, name in enumerate(installed.chain)]
    result(document, "\n".join(lines), as_json=json)
    if kept and installed.changed:
        tell(f"The pair before is kept in {kept}.")
    tell(f"Next: bothways spoke call GET /connectivity --directory {directory}")
    return OK


def call(
    method: str,
    path: str,
    *,
    data: Annotated[Path | None, Parameter(help="Send the content of this file.")] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Call the hub over mutual TLS. Exits with 4 if it refuses us, with 1 for another error status."""
    spoke = open_spoke(directory)
    body = None if data is None else files.read(data, "the body", 1 << 30)
    with clients.open_client(spoke) as client:
        answer = clients.call(client, method.upper(), path, body)
    result(answer.document(), answer.body.decode(errors="replace"), as_json=json)
    tell(f"{answer.status} from {answer.server} over {answer.tls_version} after {answer.milliseconds} ms")
    if answer.status in _UNAUTHORIZED:
        return NOT_AUTHORIZED
    return FAILED if answer.status >= _BAD else OK


def listen(
    *,
    certificate: Annotated[Path, Parameter(help="The server's certificate chain in PEM, end entity first.")],
    key: Annotated[Path, Parameter(help="Its private key in PEM.")],
    address: str = "0.0.0.0",  # noqa: S104 - the hub calls from outside
    port: Annotated[int, Parameter(help="443 or 8443 in real life; 0 takes a free one.")] = 8443,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Receive the hub's calls, and print each. With --json, one line each; the first line says where it listens."""
    spoke = open_spoke(directory)

    def said(document: dict[str, object], text: str) -> None:
        if json:
            print(json_module.dumps(document), flush=True)  # noqa: T201 - one line for each call
        else:
            result(document, text, as_json=False)

    def received(callback: Callback) -> None:
        text = f"{callback.method} {callback.path} from {callback.caller} over {callback.tls_version}: {callback.body}"
        said(callback.document(), text)

    def stop(*_: object) -> None:
        sys.exit(OK)

    with Receiver(spoke, (address, port), certificate, key, received, lambda why: tell(f"refused: {why}")) as receiver:
        signal.signal(signal.SIGTERM, stop)
        host, bound = receiver.server_address[:2]
        said({"listening": f"{host!s}:{bound}"}, f"listening on {host!s}:{bound}; Ctrl-C ends")
        receiver.serve_forever()
    return OK
