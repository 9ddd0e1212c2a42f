"""A hub's state with everything in it once: two services, two customers, one of them not established."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.protobuf import any_pb2, json_format

from bothways.contract.document import Environment
from bothways.dataplane.envoy import find_envoy
from bothways.pki.chain import certificate_pem, fingerprint
from bothways.xds import names
from bothways.xds.resource import Resource
from bothways.xds.snapshot import Snapshot
from bothways.xds.state import Address, Anchors, CustomerServer, HubState, Identity, KeyPair, ServiceRoute

FIRST = Identity("urn:bothways:PPR:12345678:1a", "12345678")
SECOND = Identity("urn:bothways:PPR:87654321:2b", "87654321")


@pytest.fixture
def shown() -> Callable[[Any], Any]:
    """Return how a whole message is compared: as a dictionary, with what stands inside each `Any` spelled out."""
    return lambda message: json_format.MessageToDict(message, preserving_proto_field_name=True)


@pytest.fixture
def anchors(make_ca: Callable[..., Any]) -> Anchors:
    return Anchors(certificate_pem(make_ca("Customer root")[1]))


@pytest.fixture
def make_pair(make_ca: Callable[..., Any]) -> Callable[[str], KeyPair]:
    def make(name: str) -> KeyPair:
        key, certificate = make_ca(name, ca=False, key=ec.generate_private_key(ec.SECP256R1()))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return KeyPair(certificate_pem(certificate), pem, fingerprint(certificate))

    return make


@pytest.fixture
def first() -> Identity:
    return FIRST


@pytest.fixture
def second() -> Identity:
    return SECOND


@pytest.fixture
def server(anchors: Anchors) -> CustomerServer:
    """A customer's server whose outbound flow is established."""
    return CustomerServer("12345678", "callbacks.bank.example", 8443, "/hub", anchors, established=True)


@pytest.fixture
def state(anchors: Anchors, make_pair: Callable[[str], KeyPair], server: CustomerServer) -> HubState:
    return HubState(
        environment=Environment.PPR,
        host="api.ppr.hub.example",
        port=8443,
        inbound=Address("127.0.0.1", 18443),
        egress=Address("127.0.0.1", 18081),
        probe_socket="/run/probe.sock",
        connectivity_socket="/run/connectivity.sock",
        server=make_pair("server"),
        client=make_pair("client"),
        trust=anchors,
        identities=(FIRST, SECOND),
        services=(
            ServiceRoute("tokens", "/tokens", "tokens.internal", 8080, (FIRST,)),
            ServiceRoute(
                "disputes",
                "/disputes",
                "disputes.internal",
                8443,
                (),
                anchors,
                http2=True,
                timeout=30,
                streaming=600,
                health_path="/health",
                strip_prefix=True,
                client_cert=True,
            ),
        ),
        customers=(server, CustomerServer("87654321", "api.shop.example", 443, "", anchors, established=False)),
    )


@pytest.fixture(scope="session")
def make_snapshot() -> Callable[[dict[str, dict[str, str]]], Snapshot]:
    """Return a maker of snapshots from name and version alone, by type: for the protocol the content is all one."""

    def make(versions: dict[str, dict[str, str]]) -> Snapshot:
        own: dict[str, dict[str, Resource]] = {}
        on_demand: dict[str, dict[str, Resource]] = {}
        for type_url, of_type in versions.items():
            own[type_url] = {}
            for name, version in of_type.items():
                of = on_demand.setdefault(type_url, {}) if names.on_demand(name) else own[type_url]
                of[name] = Resource(name, version, any_pb2.Any(type_url=type_url))
        return Snapshot(repr(sorted(versions.items())), own, on_demand=on_demand)

    return make


@pytest.fixture
def validated(tmp_path: Any) -> Callable[[Any], str]:
    """Return a function that gives a bootstrap to the real Envoy: empty if it takes it, else what it says."""

    def validate(bootstrap: Any) -> str:
        path = tmp_path / "bootstrap.json"
        path.write_text(json_format.MessageToJson(bootstrap) if not isinstance(bootstrap, str) else bootstrap)
        command = [str(find_envoy()), "--mode", "validate", "--config-path", str(path), "--log-level", "error"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return "" if result.returncode == 0 else result.stderr

    return validate
