"""What the data plane has to do, in our own words: the one input of all builders."""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bothways.contract.document import Environment
from bothways.registry.service import TIMEOUT


@dataclass(frozen=True, slots=True)
class Anchors:
    """Trust anchors in PEM, one certificate at least: to Envoy, no anchors mean that anybody may enter.

    `lists` are their revocation lists in PEM: one of each anchor, or none at all. To Envoy, an anchor without a list
    beside one that has a list means that nobody may enter.
    """

    pem: str
    lists: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        anchors = x509.load_pem_x509_certificates(self.pem.encode())
        lists = [x509.load_pem_x509_crl(each.encode()) for each in self.lists]
        if lists and {each.subject for each in anchors} != {each.issuer for each in lists}:
            raise ValueError("the revocation lists are not those of the trust anchors")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate chain (end entity first) and its private key, in PEM, as Envoy is given them.

    Raises `ValueError` for what is no such pair: Envoy would refuse it too, and go on with the last good one.
    """

    certificate_pem: str
    key_pem: str
    fingerprint: str

    def __post_init__(self) -> None:
        chain = x509.load_pem_x509_certificates(self.certificate_pem.encode())
        if load_pem_private_key(self.key_pem.encode(), None).public_key() != chain[0].public_key():
            raise ValueError("the private key is not the certificate's")

    def __repr__(self) -> str:
        return f"KeyPair({self.fingerprint})"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener binds."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """A certificate that opens the endpoint: its URI-ID, and the customer that it belongs to."""

    uri_id: str
    tsp_id: str


@dataclass(frozen=True, slots=True)
class ServiceRoute:
    """A service behind the endpoint, with the certificates of the customers that may reach it now (R2).

    `anchors` vouch for its server; None: it is called without TLS. The rest means what it means in
    `registry.service.Service`.
    """

    name: str
    prefix: str
    host: str
    port: int
    identities: Sequence[Identity]
    anchors: Anchors | None = None
    http2: bool = False
    timeout: int = TIMEOUT
    streaming: int = 0
    health_path: str = ""
    strip_prefix: bool = False
    client_cert: bool = False


@dataclass(frozen=True, slots=True)
class CustomerServer:
    """A customer's server: its address, the anchors endorsed for it alone (R14), and whether services may call it.

    `spki_pins` are those of the keys that it may have, in hex; none if it may have any that the anchors vouch for.
    `let_go` is how often the nodes were told to let it go, since nobody called it.
    `client` is the client certificate that this customer alone is shown: one that its own CA signed (R13), or an
    earlier one of the hub's. None: the hub's current one.
    """

    tsp_id: str
    host: str
    port: int
    path: str
    anchors: Anchors
    established: bool
    spki_pins: tuple[str, ...] = ()
    client: KeyPair | None = None
    let_go: int = 0


@dataclass(frozen=True, slots=True)
class RemoteNode:
    """An Envoy on another machine: where it binds, and the SHA-256 of the certificates by which it is known now.

    `reached_at` is where the control plane reaches its endpoint, if somebody said so.
    """

    name: str
    inbound: Address
    egress: Address
    fingerprints: frozenset[str]
    reached_at: Address | None = None


@dataclass(frozen=True, slots=True)
class RemoteHub:
    """Where a remote node finds the hub: for its configuration, and for `/connectivity`; one place at least of each.

    Several are those of several control planes, which are tried in turn. `name` is the DNS-ID that a control plane has
    to show, wherever they lead.
    """

    control_planes: tuple[Address, ...]
    connectivity: tuple[Address, ...]
    name: str


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """What the control plane shows to remote nodes, and the CA of the certificates that they show."""

    pair: KeyPair
    anchors: Anchors


@dataclass(frozen=True, slots=True)
class Tracing:
    """Where traces go: a collector that takes OTLP over gRPC, with the anchors of its TLS, or without any.

    `percent` of the requests that belong to no trace begin one. `join_customers`: the headers of customers are
    believed when they say to which trace a request belongs.
    """

    collector: Address
    service_name: str
    percent: float
    anchors: Anchors | None = None
    join_customers: bool = False


@dataclass(frozen=True, slots=True)
class HubState:
    """Everything that the data plane of one environment has to do; `host` and `port` are the endpoint's.

    `withdrawn` are refused, though `identities` and those of the services still have them.
    `shut` is why the endpoint lets nobody in, empty while it is open; `closures` is how often it was shut, ever.
    `control_plane` is None if remote nodes are not let in at all.
    """

    environment: Environment
    host: str
    port: int
    inbound: Address
    egress: Address
    probe_socket: str
    connectivity_socket: str
    server: KeyPair
    client: KeyPair
    trust: Anchors
    identities: Sequence[Identity] = ()
    withdrawn: tuple[Identity, ...] = ()
    services: tuple[ServiceRoute, ...] = ()
    customers: Sequence[CustomerServer] = ()
    danger_outbound_loopback: bool = False
    nodes: tuple[RemoteNode, ...] = ()
    control_plane: ControlPlane | None = None
    shut: str = ""
    closures: int = 0
    tracing: Tracing | None = None

    @property
    def opening(self) -> int:
        """Which opening of the endpoint this is, counted from 0; while the endpoint is shut, the last one."""
        return self.closures - bool(self.shut)

    def client_of(self, customer: CustomerServer) -> KeyPair:
        """Return the client certificate that the hub shows to this customer."""
        return customer.client or self.client

    @property
    def authorities(self) -> tuple[str, str]:
        """The endpoint's name as requests have it: alone, and with the port."""
        return (self.host, f"{self.host}:{self.port}")
