"""The acts of the outbound flow: endorsement, probe, a call that the customer's server receives, and rotation."""

import json
from typing import Any

import httpx2

from bothways import files
from bothways.cli.opening import control
from bothways.demo.stage import Party, Scene
from bothways.demo.step import NotSeen, require
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import show_customer
from bothways.operations.endpoints import approve_endpoint, submit_endpoint
from bothways.operations.rotation import rotate_client_certificate
from bothways.outbound.probe import probe_customer
from bothways.store.submitted_endpoints import SubmittedEndpoint

_OK = 200
_SECONDS = 15.0


def endorse(scene: Scene, party: Party) -> str:
    """The operator hands in the customer's server and chain; the reviewer endorses it for this customer alone (R14)."""
    port = party.listening.next_line(_SECONDS)["listening"].rpartition(":")[2]
    named = submit_endpoint(scene.hub, party.tsp_id, f"https://{party.host}:{port}")
    if not isinstance(named, SubmittedEndpoint):
        raise NotSeen(f"{named.url} is in force, and nobody approved it")
    endpoint = approve_endpoint(scene.reviewer, named.id).endpoint
    chain = party.directory / "server-ca.crt"
    stored = submit_chain(scene.hub, party.tsp_id, files.read(chain, "the chain"), str(chain))
    endorse_chain(scene.reviewer, stored.id)
    applied = control(scene.hub, "POST", "/apply")
    require(applied and applied["in_force"], f"Envoy does not know the server yet: {applied}")
    return f"{endpoint.url}, root SHA-256 {stored.fingerprint[:16]}... endorsed for {party.tsp_id} alone"


def prove_outbound(scene: Scene, party: Party) -> str:
    """A probe through the real egress establishes the flow."""
    refused = _egress(scene, party, "/too-early").status_code
    require(refused != _OK, "the egress let a call pass before the flow was established")
    probe = probe_customer(scene.hub, party.tsp_id)
    fact = probe.fact
    require(fact.ok, fact.seen)
    require(not probe.findings, "; ".join(str(each) for each in probe.findings))
    # Its two knocks with certificates that have to be let in, and the call through Envoy.
    for _ in range(3):
        _expect(party, "/")
    state = show_customer(scene.hub, party.tsp_id).assessment.outbound.state.value
    require(state == "established", f"outbound is {state}")
    control(scene.hub, "POST", "/apply")
    return f"a call before answers {refused}; {fact.seen}; outbound is established"


def call_customer(scene: Scene, party: Party) -> str:
    """A service of the hub calls the egress; the customer sees the hub's certificate, and its answer returns."""
    answer, seen = _called(scene, party, "/notify?id=7")
    require(json.loads(answer.content).get("received") is True, f"another answer came back: {answer.text}")
    return (
        f"{seen['tls_version']}, the customer knows us as {seen['caller']}, "
        f"we know it as {answer.headers.get('bothways-upstream-subject')}; {answer.status_code} came back"
    )


def rotate(scene: Scene) -> str:
    """R15: both customers get a call with the old certificate and one with the new, and notice nothing else."""
    before = [_called(scene, party, "/before-rotation")[1]["fingerprint"] for party in scene.parties]
    rotate_client_certificate(scene.hub)
    applied = control(scene.hub, "POST", "/apply")
    require(applied and applied["in_force"], f"the new certificate is not in force: {applied}")
    after = [_called(scene, party, "/after-rotation")[1]["fingerprint"] for party in scene.parties]
    require(len({*before}) == len({*after}) == 1, f"customers saw several certificates: {before}, {after}")
    require(before[0] != after[0], f"the certificate did not change: {after[0]}")
    return f"SHA-256 {before[0][:16]}... before, {after[0][:16]}... after, 4 calls answered"


def _called(scene: Scene, party: Party, path: str) -> tuple[httpx2.Response, dict[str, Any]]:
    answer = _egress(scene, party, path)
    require(answer.status_code == _OK, f"{answer.status_code}: {answer.text.strip()}")
    return answer, _expect(party, path)


def _egress(scene: Scene, party: Party, path: str) -> httpx2.Response:
    settings = scene.hub.settings
    address = f"http://{settings.egress_address}:{settings.egress_port}{path}"
    headers = {"Bothways-Customer": party.tsp_id}
    return httpx2.post(address, headers=headers, content=b"{}", timeout=_SECONDS, trust_env=False)


def _expect(party: Party, path: str) -> dict[str, Any]:
    seen = party.listening.next_line(_SECONDS)
    if seen.get("path") != path:
        raise NotSeen(f"the customer's server received {seen}, and not {path}")
    return seen
