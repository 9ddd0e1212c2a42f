"""The last step of a probe: one request to the customer's server through each Envoy that can be asked.

Our own is asked at its socket. A remote node takes probes at the port of its endpoint, under a server name of its own
and over mutual TLS, so that what is proved is the way from its machine.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from bothways.connectivity.evidence import CallSeen
from bothways.connectivity.verdicts import refused_by_http
from bothways.dataplane.local import over_socket
from bothways.errors import Conflict
from bothways.operations.hub import Hub
from bothways.operations.nodes import remote_nodes
from bothways.xds import names
from bothways.xds.egress_failures import NO_ADDRESS, NOT_CALLED, NOT_LOADED
from bothways.xds.state import Address, RemoteNode

TIMEOUT = 20.0
"""Seconds for one request: as long as Envoy needs to connect, shake hands and hear a slow server."""

AT_ONCE = 16
"""Nodes that are asked at the same time."""

LOADED = 6.0
"""Seconds for which an Envoy that was sent the customer's server is asked again: longer than it looks the name up."""

_CONNECT, _CONTROL = 5.0, 30.0
_AGAIN = 0.02
_NOT_YET = (NOT_CALLED, NOT_LOADED, NO_ADDRESS)
_OUR_PROBLEM = "urn:bothways:problem:"


def require_running(hub: Hub) -> None:
    """Raise `Conflict` unless the hub runs, and its own Envoy takes probes."""
    for path in (_probe_socket(hub), hub.control_socket):
        with socket.socket(socket.AF_UNIX) as tried:
            try:
                tried.connect(str(path))
            except OSError as error:
                raise _away(hub, path, error) from error


def prepare_calls(hub: Hub, tsp_id: str) -> bool:
    """Have the running hub send the customer's server to every Envoy; return False if there is nobody to call.

    Raises `Conflict` if it cannot be asked.
    """
    with httpx2.Client(transport=over_socket(hub.control_socket), timeout=_CONTROL) as client:
        try:
            said = {"X-Request-Id": hub.request_id}
            answer = client.post(f"http://hub/probes/{tsp_id}", headers=said).raise_for_status()
        except httpx2.HTTPError as error:
            raise _away(hub, hub.control_socket, error) from error
        return bool(answer.json()["sent"])


def calls_by_all(hub: Hub, tsp_id: str, prober: ssl.SSLContext | None) -> tuple[CallSeen, ...]:
    """Return what comes of a request through each Envoy, the hub's own first; `prober` as in `call_by_nodes`.

    If Envoys are told of no such customer, none is asked. Raises `Conflict` if the hub's own cannot be reached.
    """
    if prepare_calls(hub, tsp_id):
        return (call_by_own(hub, tsp_id), *call_by_nodes(hub, tsp_id, prober))
    said = (
        "no Envoy is told of this server now: the customer is suspended, or its chain or client certificate has ended"
    )
    return (CallSeen(names.embedded_node(hub.environment.value), said, failed=True, away=True),)


def call_by_own(hub: Hub, tsp_id: str) -> CallSeen:
    """Return what comes of a request through the hub's own Envoy. Raises `Conflict` if that cannot be reached."""
    node = names.embedded_node(hub.environment.value)
    with httpx2.Client(transport=over_socket(_probe_socket(hub)), timeout=TIMEOUT) as client:
        try:
            return _asked(client, f"http://probe{hub.terms.outbound.probe_path}", node, tsp_id)
        except httpx2.TransportError as error:
            raise _away(hub, _probe_socket(hub), error) from error


def call_by_nodes(hub: Hub, tsp_id: str, prober: ssl.SSLContext | None) -> tuple[CallSeen, ...]:
    """Return what comes of a request through each remote node on record; of one that cannot be reached, that.

    `prober` has the certificate that nodes want; without one, nodes are not let in, and nobody is asked.
    """
    with hub.read() as connection:
        nodes = remote_nodes(connection, hub.now())
    if prober is None or not nodes:
        return ()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return tuple(pool.map(lambda node: _by_node(hub, tsp_id, node, prober), nodes))


def _by_node(hub: Hub, tsp_id: str, node: RemoteNode, prober: ssl.SSLContext) -> CallSeen:
    name = names.probe_host(node.name, urlsplit(hub.terms.endpoint).hostname or "")
    tried = tuple(_places(hub, node))
    limits = httpx2.Timeout(TIMEOUT, connect=_CONNECT)
    # No proxy of the environment: the node itself is asked, or nobody.
    with httpx2.Client(verify=prober, timeout=limits, trust_env=False) as client:
        for place in tried:
            url = f"https://{place}{hub.terms.outbound.probe_path}"
            try:
                return _asked(client, url, node.name, tsp_id, server_name=name)
            except httpx2.TransportError:
                # Nobody listens there, or another node: only this one knows the name.
                continue
    where = ", ".join(str(each) for each in tried) or "no address that can be called"
    return CallSeen(node.name, "it was not asked: the control plane does not reach it", away=True, tried=where)


def _places(hub: Hub, node: RemoteNode) -> Iterator[Address]:
    """Yield where the node may be reached: where somebody said, where it binds, and where else the canary knocks."""
    if node.reached_at is not None:
        yield node.reached_at
    if not ipaddress.ip_address(node.inbound.host).is_unspecified:
        yield node.inbound
    yield from hub.settings.canary_addresses


def _asked(client: httpx2.Client, url: str, node: str, tsp_id: str, server_name: str = "") -> CallSeen:
    extensions = {"sni_hostname": server_name} if server_name else {}
    given_up = time.monotonic() + LOADED
    while True:
        try:
            answer = client.get(url, headers={names.CUSTOMER_HEADER: tsp_id}, extensions=extensions)
        except httpx2.ReadTimeout:
            return CallSeen(node, f"no answer came back in {TIMEOUT:.0f} s", failed=True)
        if answer.headers.get(names.FINDING_HEADER) not in _NOT_YET or time.monotonic() > given_up:
            return replace(_judged(answer), node=node)
        time.sleep(_AGAIN)


def _judged(answer: httpx2.Response) -> CallSeen:
    problem = _problem(answer)
    if problem is not None:
        return CallSeen("", problem, failed=True)
    if refused_by_http(answer.status_code, answer.text):
        # The handshake went through, and the answer is that it should not have: this server lets nobody in with it.
        said = f"the server refuses the hub's certificate, over HTTP with {answer.status_code}"
        return CallSeen("", said, failed=True)
    version = answer.headers.get(names.UPSTREAM_TLS_HEADER, "TLS")
    subject = answer.headers.get(names.UPSTREAM_SUBJECT_HEADER, "the server")
    return CallSeen("", f"{version} with {subject}, answered {answer.status_code}")


def _problem(answer: httpx2.Response) -> str | None:
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return None
    try:
        document = answer.json()
    except ValueError:
        return None
    if not isinstance(document, dict) or not str(document.get("type", "")).startswith(_OUR_PROBLEM):
        return None
    reason = document.get("upstream") or document.get("reason") or f"Envoy answered {answer.status_code}"
    # What Envoy says is a name of its own, or of the library beneath; what is behind it stands in words beside it.
    found = document.get("detail")
    return f"{found} ({reason})" if found else str(reason)


def _away(hub: Hub, path: Path, error: Exception) -> Conflict:
    return Conflict(
        f"the hub cannot make calls: nobody answers at {path} ({error}).",
        f"Start it: bothways hub run --directory {hub.directory}",
    )


def _probe_socket(hub: Hub) -> Path:
    return hub.run_directory / "probe.sock"
