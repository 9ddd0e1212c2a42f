"""The probe of a customer's server: one request through the real Envoy egress, with the hub's client certificate."""

import httpx2

from bothways.connectivity.facts import ProbeFact
from bothways.errors import Conflict
from bothways.operations.chains import list_chains
from bothways.operations.endpoints import record_probe, show_endpoint
from bothways.operations.hub import Hub
from bothways.registry.endpoint import Endpoint
from bothways.store.chains import ChainState
from bothways.xds import names

_TIMEOUT = 20.0
_OUR_PROBLEM = "urn:bothways:problem:"


def probe_target(hub: Hub, tsp_id: str) -> Endpoint:
    """Return where a probe would go. Raises `NotFound` without endpoint, `Conflict` without endorsed chain."""
    endpoint = show_endpoint(hub, tsp_id)
    if not any(chain.state is ChainState.ENDORSED for chain in list_chains(hub, tsp_id)):
        raise Conflict(f"customer {tsp_id} has no endorsed chain, so nothing can be trusted. See: bothways chain list")
    return endpoint


def probe_customer(hub: Hub, tsp_id: str) -> ProbeFact:
    """Call the customer's server once, record what was seen, and return it (R2, R11).

    Any HTTP answer of the server proves the path: its chain was verified against the endorsed anchors, its host name
    matched, and it let our certificate in. Raises `NotFound` without endpoint, `Conflict` without endorsed chain, or if
    the hub does not run.
    """
    endpoint = probe_target(hub, tsp_id)
    at = hub.now()
    ok, seen = _call(hub, tsp_id)
    fact = ProbeFact(endpoint.address, at, ok, seen)
    record_probe(hub, tsp_id, fact)
    return fact


def _call(hub: Hub, tsp_id: str) -> tuple[bool, str]:
    socket = hub.run_directory / "probe.sock"
    try:
        with httpx2.Client(transport=httpx2.HTTPTransport(uds=str(socket)), timeout=_TIMEOUT) as client:
            answer = client.get(f"http://probe{hub.terms.outbound.probe_path}", headers={names.CUSTOMER_HEADER: tsp_id})
    except httpx2.TransportError as error:
        raise Conflict(
            f"the hub's Envoy cannot be reached at {socket} ({error}). "
            f"Start it: bothways hub run --directory {hub.directory}"
        ) from error
    problem = _problem(answer)
    if problem is not None:
        return False, problem
    version = answer.headers.get(names.UPSTREAM_TLS_HEADER, "TLS")
    subject = answer.headers.get(names.UPSTREAM_SUBJECT_HEADER, "the server")
    return True, f"{version} with {subject}, answered {answer.status_code}"


def _problem(answer: httpx2.Response) -> str | None:
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return None
    try:
        document = answer.json()
    except ValueError:
        return None
    if not isinstance(document, dict) or not str(document.get("type", "")).startswith(_OUR_PROBLEM):
        return None
    return str(document.get("upstream") or document.get("reason") or f"Envoy answered {answer.status_code}")
