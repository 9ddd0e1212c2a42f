"""The acts of the inbound flow: from the contract to a call that the echo service sees, and what must be refused."""

import json
import shutil
import subprocess

from bothways import files
from bothways.cli.opening import control
from bothways.contract.document import Environment
from bothways.contract.recipe import openssl_recipe
from bothways.demo.stage import Party, Scene, Stage
from bothways.demo.step import NotSeen, require
from bothways.errors import NotAuthorized
from bothways.operations import two_people
from bothways.operations.certificates import certificate_chain, revoke_certificate, show_certificate
from bothways.operations.customers import add_customer, show_customer
from bothways.operations.requests import approve_request, show_request, submit_request
from bothways.operations.services import grant_service
from bothways.pki.revocation import RevocationReason
from bothways.pki.rules import RULES
from bothways.registry.customer import CustomerKind
from bothways.spoke.client import call, open_client
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke, init_spoke
from bothways.spoke.install import install_certificate

_OK, _FORBIDDEN = 200, 403
_OPENSSL_SECONDS = 60


def read_contract(scene: Scene, party: Party) -> str:
    """The spoke fetches the contract from the portal and checks it by the fingerprint that the hub told."""
    address = f"{scene.hub.terms.portal}/contract.toml"
    party.spoke = init_spoke(party.directory, address, party.tsp_id, scene.fingerprint)
    terms = party.spoke.contract.terms
    require(terms == scene.hub.terms, f"another contract than the hub's: {terms}")
    party.start_server()
    return f"{terms.environment.value} contract from {address}, SHA-256 {scene.fingerprint[:16]}... as told"


def make_csr(scene: Scene, party: Party) -> str:
    """The issuer uses our command, the merchant the OpenSSL commands that we print (R9)."""
    del scene
    spoke = party.opened
    if party.kind is CustomerKind.ISSUER:
        request = make_request(spoke, party.key_type, party.subject)
        return f"by bothways spoke csr: {request.subject.rfc4514_string()}"
    if shutil.which("openssl") is None:
        request = make_request(spoke, party.key_type, party.subject)
        return f"openssl is not on this machine, so by bothways spoke csr: {request.subject.rfc4514_string()}"
    recipe = openssl_recipe(spoke.contract.terms, party.tsp_id, party.key_type, party.subject)
    done = subprocess.run(
        ["sh", "-e", "-c", recipe],
        cwd=spoke.directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=_OPENSSL_SECONDS,
    )
    require(done.returncode == 0, f"openssl ended with {done.returncode}: {done.stderr.strip()}")
    return f"by the printed openssl commands: {done.stdout.strip().splitlines()[-1]}"


def approve_csr(scene: Scene, party: Party) -> str:
    """The operator registers the customer, grants one service, hands the request in; the reviewer approves it."""
    add_customer(scene.hub, party.tsp_id, party.kind, party.organization)
    grant_service(scene.hub, "tokens", party.tsp_id)
    party.serial = _certified(scene, party.opened)
    record = show_certificate(scene.hub, party.serial)
    alone = f"{scene.hub.actor} alone is refused, " if two_people.required(scene.hub) else ""
    issued = f"{scene.reviewer.actor} approved; issued {record.uri_id} until {record.not_after:%Y-%m-%d}"
    return f"{len(RULES)} rules, nothing found; {alone}{issued}"


def install(scene: Scene, party: Party) -> str:
    """The spoke checks that the certificate is the one it asked for, and installs it."""
    chain = certificate_chain(scene.hub, show_certificate(scene.hub, party.serial))
    installed = install_certificate(party.opened, chain.encode())
    certificate, key = party.opened.certificate_file.name, party.opened.key_file.name
    return f"{certificate} fits {key}; SHA-256 {installed.fingerprint[:16]}..."


def call_too_early(scene: Scene, party: Party) -> str:
    """R2: granted, but the inbound flow is not established yet."""
    state = show_customer(scene.hub, party.tsp_id).assessment.inbound.state.value
    return f"{_refused(party, '/tokens')} while inbound is {state!r}"


def prove_inbound(scene: Scene, party: Party) -> str:
    """The first authenticated request proves the flow, and opens the granted service."""
    del scene
    with open_client(party.opened) as client:
        answer = call(client, "GET", "/connectivity")
    require(answer.status == _OK, f"{answer.status}: {answer.body.decode(errors='replace')}")
    document = json.loads(answer.body)
    require(document["customer"] == party.tsp_id, f"the hub takes us for {document['customer']}")
    require(document["inbound"]["state"] == "established", str(document["inbound"]))
    return (
        f"{answer.tls_version}, {party.tsp_id} with {document['certificate']['serial'][:12]}...; inbound is established"
    )


def call_service(scene: Scene, party: Party) -> str:
    """The call reaches the echo service, which is told by Envoy who called."""
    del scene
    with open_client(party.opened) as client:
        answer = call(client, "POST", "/tokens/new?n=1", b"hello")
    require(answer.status == _OK, f"{answer.status}: {answer.body.decode(errors='replace')}")
    echo = json.loads(answer.body)
    caller = echo["headers"].get("bothways-customer")
    require(caller == party.tsp_id, f"the service sees {caller} as the caller")
    require((echo["path"], echo["body"]) == ("/tokens/new?n=1", "hello"), f"the service sees another request: {echo}")
    return (
        f"{answer.tls_version}, we know the hub as {answer.server}, the service knows us as {caller} "
        f"({echo['headers']['bothways-environment']})"
    )


def call_not_granted(scene: Scene, party: Party) -> str:
    """An established flow does not open what was not granted."""
    del scene
    return f"{_refused(party, '/vault')}; it is granted to nobody"


def revoke_on_open_connection(scene: Scene) -> str:
    """A second certificate of the issuer is used on a kept-alive connection, and revoked there."""
    party = scene.parties[0]
    spare = init_spoke(
        party.directory / "spare", f"{scene.hub.terms.portal}/contract.toml", party.tsp_id, scene.fingerprint
    )
    make_request(spare, party.key_type, party.subject)
    serial = _certified(scene, spare)
    install_certificate(spare, certificate_chain(scene.hub, show_certificate(scene.hub, serial)).encode())
    with open_client(spare) as client:
        before = client.get("/tokens/before")
        connection = before.extensions["network_stream"].get_extra_info("client_addr")
        require(before.status_code == _OK, f"before the revocation: {before.status_code}")
        revoke_certificate(scene.hub, serial, RevocationReason.SUPERSEDED)
        applied = control(scene.hub, "POST", "/apply")
        require(applied and applied["in_force"], f"the revocation is not in force: {applied}")
        after = client.get("/tokens/after")
        same = after.extensions["network_stream"].get_extra_info("client_addr") == connection
    require(same, "the client opened another connection, so the open one was not tried")
    require(after.status_code == _FORBIDDEN, f"after the revocation: {after.status_code}")
    return f"200, revoked, in force after {applied and applied['milliseconds']} ms, then 403 on the same connection"


def cross_environments(place: int, stage: Stage) -> str:
    """R5: the PPR certificate and key, brought to the endpoint of PRD, are refused at the handshake."""
    ppr, prd = (stage.scenes[each].parties[place].opened for each in (Environment.PPR, Environment.PRD))
    wrong = Spoke(ppr.directory, prd.contract, ppr.tsp_id)
    with open_client(wrong) as client:
        try:
            answer = call(client, "GET", "/connectivity")
        except NotAuthorized as error:
            return str(error).split(". Check")[0]
    raise NotSeen(f"PRD answered {answer.status} to a PPR certificate")


def _certified(scene: Scene, spoke: Spoke) -> str:
    data = files.read(spoke.request_file, "the request")
    stored = submit_request(scene.hub, spoke.tsp_id, data, str(spoke.request_file))
    _, findings = show_request(scene.hub, stored.id)
    require(not findings, "; ".join(str(each) for each in findings))
    if two_people.required(scene.hub):
        _refused_alone(scene, stored.id)
    record = approve_request(scene.reviewer, stored.id)
    applied = control(scene.hub, "POST", "/apply")
    require(applied and applied["in_force"], f"the certificate is not known to Envoy: {applied}")
    return record.serial


def _refused_alone(scene: Scene, number: int) -> None:
    try:
        approve_request(scene.hub, number)
    except NotAuthorized:
        return
    raise NotSeen("who handed the request in approved it alone")


def _refused(party: Party, path: str) -> str:
    with open_client(party.opened) as client:
        answer = call(client, "GET", path)
    require(answer.status == _FORBIDDEN, f"{path} answered {answer.status}, and must answer 403")
    return f"{answer.tls_version}, {path} answers 403"
