"""`bothways spoke`: init, csr, status, call, listen."""

import contextlib
import json as json_module
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.bundle.archive import BUNDLE_LIMIT
from bothways.cli.exit import EXPIRING, FAILED, NOT_AUTHORIZED, OK
from bothways.cli.output import HERE, Json, result, tell
from bothways.cli.spoke_confirm import settled_preset
from bothways.cli.spoke_key import wanted_key
from bothways.cli.spoke_text import callback_text, listening, status_text
from bothways.contract.document import KeyType, Software
from bothways.contract.recipe import Shell, openssl_recipe
from bothways.contract.subject import Subject
from bothways.dataplane.envoy_state import is_kept, state_of
from bothways.errors import BothwaysError, Unusable
from bothways.pki.keys import sha256
from bothways.pki.request import CertificationRequest
from bothways.spoke import client as clients
from bothways.spoke.bundle import spoke_from_bundle
from bothways.spoke.csr import make_request, take_request
from bothways.spoke.directory import KEY, REQUEST, Spoke, init_spoke, open_spoke, remember_server, stands
from bothways.spoke.listen import Callback, Receiver
from bothways.spoke.sidecar import RUN_DIRECTORY, application
from bothways.spoke.status import spoke_status

_UNAUTHORIZED = (401, 403)
_BAD = 400
_DRAIN_SECONDS = 5.0

Directory = Annotated[Path, Parameter(help="The spoke's directory, one for each environment.")]


def init(
    *,
    contract: Annotated[
        str | None,
        Parameter(
            help="The hub's contract: a file, https://PORTAL/contract.toml at the hub's portal, or a preset's name: "
            "thales-tsh-ppr, thales-tsh-prd, or one of your own."
        ),
    ] = None,
    customer: Annotated[str | None, Parameter(help="Your identifier at the hub (tspId), for example 12345678.")] = None,
    bundle: Annotated[
        Path | None, Parameter(help="In place of both: the bundle (zip) that the hub's representative sent.")
    ] = None,
    fingerprint: Annotated[
        str | None,
        Parameter(
            help="SHA-256 of the contract, or the fingerprint of the bundle, as the hub's representative read it out. "
            "Needed where the portal's certificate is not from a public CA."
        ),
    ] = None,
    confirm: Annotated[
        list[str] | None,
        Parameter(
            negative="",
            help="With a preset: what the hub's representative confirmed, as SETTING=VALUE; asked at a terminal.",
        ),
    ] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Make a spoke for one environment, in a directory of its own, from the hub's contract or its bundle.

    A preset is a contract from public facts, for hubs that do not run this software. What it is not sure of has to be
    confirmed, and is kept with the spoke. Your own presets are files in ~/.config/bothways/presets: NAME.toml.

    Nothing that stands in the directory is overwritten. After an interruption, run the same again.
    """
    if bundle is not None and contract is None and customer is None:
        spoke = spoke_from_bundle(directory, files.read(bundle, "the bundle", BUNDLE_LIMIT), fingerprint, str(bundle))
        if fingerprint is None:
            tell(f"NOT compared yet. Before you go on, have the fingerprint of {bundle} read to you by phone.")
    elif contract is not None and customer is not None and bundle is None:
        spoke = init_spoke(directory, contract, customer, fingerprint, settled_preset(contract, confirm or []))
    else:
        raise Unusable("name --contract and --customer, or --bundle alone, which says who the customer is.")
    customer, terms = spoke.tsp_id, spoke.contract.terms
    document: dict[str, object] = {
        "directory": str(directory),
        "environment": terms.environment.value,
        "endpoint": terms.endpoint,
        "contract": sha256(spoke.contract_file.read_bytes()),
    }
    if spoke.confirmed:
        document["confirmed"] = list(spoke.confirmed)
    lines = [f"{directory} is set up for {customer} in {terms.environment.value}, {terms.endpoint}"]
    # The bundle's own fingerprint covers the contract; of a preset, the hub knows none.
    if bundle is None and fingerprint is None and terms.software is Software.BOTHWAYS:
        lines.append(f"  contract, SHA-256, to compare by phone: {document['contract']}")
    lines += [f"  confirmed by you: {each}" for each in spoke.confirmed]
    result(document, "\n".join(lines), as_json=json)
    tell(
        "Next: bothways spoke csr --key ecdsa --country CC --state STATE --locality CITY "
        f"--organization NAME --unit UNIT --directory {directory}"
    )
    return OK


def csr(
    *,
    key: Annotated[
        str,
        Parameter(
            help="The kind of the new key: ecdsa is P-256, rsa has 4096 bits. Or a key in an HSM, by its PKCS#11 URI "
            "(RFC 7512): it is used, or made there. The PIN is in the file of pin-source, or found as a passphrase."
        ),
    ] = KeyType.ECDSA.value,
    kind: Annotated[
        KeyType | None, Parameter(help="With a PKCS#11 URI: the kind of a key that is made; ecdsa by default.")
    ] = None,
    country: Annotated[str | None, Parameter(help="C: two capital letters, for example FR.")] = None,
    state: Annotated[str | None, Parameter(help="ST: state, province or region.")] = None,
    locality: Annotated[str | None, Parameter(help="L: city.")] = None,
    organization: Annotated[
        str | None, Parameter(help="O: your organization, named as it is registered at the hub.")
    ] = None,
    unit: Annotated[str | None, Parameter(help="OU: the department that runs the connection.")] = None,
    openssl: Annotated[
        bool, Parameter(negative="", help="Print OpenSSL commands that do the same, and do nothing.")
    ] = False,
    encrypt: Annotated[
        bool,
        Parameter(
            negative="",
            help="Write the new key under a passphrase: out of the file that BOTHWAYS_KEY_PASSPHRASE_FILE names, or as "
            "you type it.",
        ),
    ] = False,
    key_file: Annotated[
        Path | None,
        Parameter(help="A key that was made elsewhere, in PEM; it is copied as it is, and its kind counts, not --key."),
    ] = None,
    csr_file: Annotated[
        Path | None,
        Parameter(
            help="A request that was made elsewhere, PEM or DER, in place of the subject; its key with --key-file."
        ),
    ] = None,
    shell: Annotated[
        Shell, Parameter(help="With --openssl: where they are pasted, or the configuration file.")
    ] = Shell.BASH,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Make a key and a certification request (CSR) that the hub's rules accept.

    The common name follows from the contract. A key that is there without a request is used; none is ever overwritten.
    Where a certificate is installed, this begins a renewal: the new key waits in renewal/, and the pair in use stays.

    A request of --csr-file goes through the same rules. If its key stays elsewhere, name it when you install.
    """
    spoke = open_spoke(directory)
    wanted, token = wanted_key(key, kind)
    said = {"country": country, "state": state, "locality": locality, "organization": organization, "unit": unit}
    if token and (openssl or encrypt or key_file or csr_file):
        raise Unusable("a key in a token is made and used there: leave --openssl, --encrypt and files of a key out.")
    if csr_file:
        if openssl or encrypt or any(each is not None for each in said.values()):
            raise Unusable("a request that was made elsewhere has its subject and key: leave those options out.")
        taken = take_request(spoke, files.read(csr_file, "the request"), str(csr_file), key_file)
        return _ready(spoke, taken, as_json=json)
    if missing := [f"--{name}" for name, value in said.items() if value is None]:
        raise Unusable(f"the subject is not complete. Name {', '.join(missing)}; or a request of your own: --csr-file")
    subject = Subject(**{name: value or "" for name, value in said.items()})
    made = wanted or KeyType.ECDSA
    if openssl:
        # Where `install` looks for the key: never over the one in use.
        place = str(spoke.pending.absolute())
        recipe = openssl_recipe(spoke.contract.terms, spoke.tsp_id, made, subject, shell, place)
        result({"commands": recipe}, recipe, as_json=json)
        return OK
    request = make_request(spoke, made, subject, encrypt=encrypt, key_file=key_file, token=token)
    return _ready(spoke, request, as_json=json)


def _ready(spoke: Spoke, request: CertificationRequest, *, as_json: bool) -> int:
    request_file, key_file = spoke.pending / REQUEST, spoke.pending / KEY
    held = stands(key_file)
    document = {
        "request": str(request_file),
        "key": str(key_file) if held else None,
        "subject": request.subject.rfc4514_string(),
        "fingerprint": request.fingerprint,
    }
    text = f"{request_file} is ready; its fingerprint, to compare by phone: {request.fingerprint}"
    result(document, text, as_json=as_json)
    if spoke.pending == spoke.renewal:
        tell(f"{spoke.key_file} and {spoke.certificate_file} stay in use until the new certificate is installed.")
    key = "" if held else " --key-file KEY"
    tell(f"Hand {request_file} to the hub. Then: bothways spoke install CERT{key} --directory {spoke.directory}")
    return OK


def call(
    method: Annotated[str, Parameter(help="GET, POST, ...")],
    path: Annotated[str, Parameter(help="The path at the hub's endpoint, for example /connectivity.")],
    *,
    data: Annotated[Path | None, Parameter(help="Send the content of this file as the body.")] = None,
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


def status(*, directory: Directory = HERE, json: Json = False) -> int:
    """Show contract, key, certificates and their dates, and what to do next.

    Exits with 5 if a certificate has expired or will within 30 days (this spoke's, or the one that `spoke listen` used
    last), with 1 if calls cannot work, otherwise with 0.
    """
    found = spoke_status(open_spoke(directory), datetime.now(UTC))
    sidecar = state_of(directory / RUN_DIRECTORY) if is_kept(directory / RUN_DIRECTORY) else None
    result(found.document() | {"sidecar": sidecar}, status_text(found, sidecar), as_json=json)
    for finding in found.findings:
        tell(str(finding))
    tell(f"Next: {found.step}" + (f" {found.command}" if found.command else ""))
    if found.broken:
        return FAILED
    return EXPIRING if found.expiring else OK


def listen(
    *,
    certificate: Annotated[
        Path, Parameter(help="Your server's certificate in PEM, followed by those that issued it, the root left out.")
    ],
    key: Annotated[Path, Parameter(help="Its private key in PEM, without a passphrase.")],
    address: Annotated[str, Parameter(help="The address of this machine to listen at.")] = "0.0.0.0",  # noqa: S104 - the hub calls from outside
    port: Annotated[int, Parameter(help="The hub calls 443 or 8443 in real life; 0 takes a free one.")] = 8443,
    forward: Annotated[
        str | None, Parameter(help="Hand each call on to your application, as http://HOST:PORT, and return its answer.")
    ] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Receive the hub's calls over mutual TLS, and print each, until Ctrl-C. For a first look.

    It trusts the Client CA of the contract and the hub's name, never a single certificate. Certificate, key and
    contract are read again when they change. With --json, each call is one line; the first line says where it listens.
    With --forward, your application is told the caller in the headers Bothways-Hub, Bothways-Environment and
    Bothways-Certificate; whoever else sends these is stripped of them.
    """
    spoke = open_spoke(directory)
    handed_to = application(forward) if forward is not None else None

    def said(document: dict[str, object], text: str) -> None:
        print(json_module.dumps(document) if json else text, flush=True)  # noqa: T201 - one line for each call

    def received(callback: Callback) -> None:
        said(callback.document(), callback_text(callback))

    with Receiver(spoke, (address, port), certificate, key, received, tell, handed_to) as receiver:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: receiver.stop())
        with contextlib.suppress(BothwaysError):
            # Only for `spoke status`: a directory that cannot be written to keeps no call away.
            remember_server(spoke, certificate)
        said(*listening(receiver))
        tell("Name this server and its CA chain to the hub. When it knows both, in another terminal:")
        tell(f"Next: bothways spoke check --directory {directory}")
        receiver.serve_forever()
        receiver.drain(_DRAIN_SECONDS)
    if receiver.failure:
        raise receiver.failure
    return OK
