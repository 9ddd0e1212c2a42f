"""The sidecar's Envoy: a plain port to the hub for local applications, and the hub's calls handed to one of them.

Values in, Envoy's bootstrap as JSON out; nothing is read or written here. What changes while it runs (certificates,
trust) stands in files of its own, which Envoy watches: `secrets`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bothways.contract.document import Contract
from bothways.errors import Unusable
from bothways.spoke import sidecar_http as http
from bothways.spoke import sidecar_tls as tls
from bothways.spoke.directory import CERTIFICATE, KEY
from bothways.xds import names
from bothways.xds.state import Address

LOCAL_PORT = 15002
"""Where local applications find the hub; beside 15001, where a hub's own services find customers."""

HTTPS = 443

RUN_DIRECTORY = "run"
"""Where its files are in a spoke's directory, unless somebody says otherwise."""
ADMIN_SOCKET = "admin.sock"

STALE = "bothways.hub.stale"
"""The key in Envoy's runtime: at 100 no call goes to the hub, for DNS has failed for longer than its answer holds."""

HUB, CALLBACKS, APPLICATION = "hub", "callbacks", "application"
"""Listener, cluster and statistics of calls to the hub; listener of calls from it; cluster that gets those."""

_CONNECTION_SECONDS = 60
_APPLICATION_IDLE, _APPLICATION_TIMEOUT = 4, 60
_SILENCE = 660
_CONNECT_TIMEOUT, _DNS_REFRESH = 5, 5
# The second try waits twice as long.
_DNS_TIMEOUT, _DNS_TRIES = 1, 2
_HANDSHAKE_TIMEOUT, _HEADERS_TIMEOUT = 10, 10
_CALLERS = 1000
# What certainly never reached the other side, and nothing else: a payment must not be made twice.
_RETRY_ON = "connect-failure,refused-stream,reset-before-request"


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Where the hub calls, and the plain HTTP server of the application that gets its calls."""

    listen: Address
    application: Address


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What an Envoy of a spoke does.

    `run_directory` is absolute, and this user's own; `local` is where applications find the hub; `resolvers` are asked
    for the hub's name in place of the system's, if there are any.
    """

    contract: Contract
    run_directory: Path
    local: Address
    callbacks: Callbacks | None = None
    resolvers: tuple[Address, ...] = ()

    def __post_init__(self) -> None:
        # Unix sockets have names of 107 bytes.
        if len(str(self.run_directory / ADMIN_SOCKET).encode()) > 107:  # noqa: PLR2004 - said in the line above
            raise Unusable(f"{self.run_directory} is too long for a socket. Name a shorter one: --run-directory")

    @property
    def hub(self) -> Address:
        """The hub's endpoint."""
        found = urlsplit(self.contract.terms.endpoint)
        return Address(found.hostname or "", found.port or HTTPS)

    def pair_directory(self, name: str) -> Path:
        """Return where Envoy reads this pair: links to the files, renewed whenever those have changed."""
        return self.run_directory / name


def application(url: str) -> Address:
    """Return where an application is. Raises `Unusable` if this is no plain `http://HOST:PORT`."""
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError:
        found, port = urlsplit(""), None
    if found.scheme != "http" or not found.hostname or found.path.strip("/") or found.query or found.username:
        raise Unusable(
            f"{url} is no address of a local application. Give one like http://127.0.0.1:8080: without TLS, which ends "
            "here, and without a path, for the hub's paths are passed on as they are"
        )
    return Address(found.hostname, port or 80)


def secrets(sidecar: Sidecar) -> dict[str, dict[str, Any]]:
    """Return the files that Envoy watches, by name. Raises `Refused` if the contract's Client CA is no CA."""
    pairs = [tls.CLIENT_PAIR, *([tls.SERVER_PAIR] if sidecar.callbacks else [])]
    places = {name: sidecar.pair_directory(name) for name in pairs}
    made = {f"{name}.json": tls.pair_secret(name, at / CERTIFICATE, at / KEY) for name, at in places.items()}
    made[f"{tls.HUB_TRUST}.json"] = tls.hub_trust(sidecar.contract, sidecar.hub.host)
    if sidecar.callbacks:
        made[f"{tls.CLIENT_CA_TRUST}.json"] = tls.client_ca_trust(sidecar.contract)
    return made


def bootstrap(sidecar: Sidecar) -> dict[str, Any]:
    """Return Envoy's bootstrap."""
    listeners, clusters = [_hub_listener(sidecar)], [_hub_cluster(sidecar)]
    if sidecar.callbacks:
        listeners.append(_callbacks_listener(sidecar, sidecar.callbacks))
        clusters.append(_application_cluster(sidecar.callbacks))
    kind = "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    connections = {
        "@type": f"{http.TYPE}/{kind}",
        "max_active_downstream_connections": _CALLERS,
    }
    monitor = {"name": "envoy.resource_monitors.global_downstream_max_connections", "typed_config": connections}
    return {
        "node": {"id": "spoke", "cluster": "spoke"},
        "admin": {"address": http.unix_socket(sidecar.run_directory / ADMIN_SOCKET)},
        # What the supervisor turns while it runs.
        "layered_runtime": {"layers": [{"name": "supervisor", "admin_layer": {}}]},
        "static_resources": {"listeners": listeners, "clusters": clusters},
        "overload_manager": {"resource_monitors": [monitor]},
    }


def _hub_listener(sidecar: Sidecar) -> dict[str, Any]:
    hub = sidecar.hub
    authority = hub.host if hub.port == HTTPS else str(hub)
    route = {
        "match": {"prefix": "/"},
        "route": {
            "cluster": HUB,
            "host_rewrite_literal": authority,
            # The application says how long it waits. A stream has no end to wait for: silence has one.
            "timeout": "0s",
            "idle_timeout": f"{_SILENCE}s",
            "retry_policy": {"retry_on": _RETRY_ON, "num_retries": 2},
            "upgrade_configs": [{"upgrade_type": "websocket"}],
        },
    }
    # Envoy keeps what DNS said last for as long as DNS fails: its supervisor is who ends that (see `Staleness`).
    fraction = {"default_value": {"numerator": 0, "denominator": "HUNDRED"}, "runtime_key": STALE}
    said = f"DNS has not answered for {hub.host} for so long that its last answer holds no more."
    nowhere = {
        "match": {"prefix": "/", "runtime_fraction": fraction},
        "direct_response": {"status": 503, "body": {"inline_string": said}},
    }
    # What the application sends is the hub's to read: as it stands, and without word of this machine.
    manager = http.manager(HUB, nowhere, route) | {"skip_xff_append": True}
    return http.listener(HUB, http.address(sidecar.local), manager) | {"ignore_global_conn_limit": True}


def _callbacks_listener(sidecar: Sidecar, callbacks: Callbacks) -> dict[str, Any]:
    route = {
        "match": {"prefix": "/"},
        "route": {
            "cluster": APPLICATION,
            "timeout": f"{_APPLICATION_TIMEOUT}s",
            "retry_policy": {"retry_on": _RETRY_ON, "num_retries": 2},
        },
    }
    untrusted: list[dict[str, Any]] = [{"prefix": each} for each in names.UNTRUSTED_PREFIXES]
    untrusted.append({"safe_regex": {"regex": names.UNTRUSTED_SPELLING}})
    mutation = {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {
            "@type": f"{http.TYPE}/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            "mutations": [
                *({"remove": each} for each in names.UNTRUSTED_HEADERS),
                *({"remove_on_match": {"key_matcher": each}} for each in untrusted),
            ],
        },
    }
    terms = sidecar.contract.terms
    caller = {
        names.HUB_HEADER: terms.hub,
        names.ENVIRONMENT_HEADER: terms.environment.value,
        names.CERTIFICATE_HEADER: "%DOWNSTREAM_PEER_FINGERPRINT_256%",
    }
    manager = http.manager(CALLBACKS, route) | {
        "early_header_mutation_extensions": [mutation],
        "forward_client_cert_details": "SANITIZE_SET",
        "set_current_client_cert_details": {"subject": True, "dns": True},
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "request_headers_timeout": f"{_HEADERS_TIMEOUT}s",
    }
    manager["route_config"]["request_headers_to_add"] = [
        {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for key, value in caller.items()
    ]
    listener = http.listener(CALLBACKS, http.address(callbacks.listen), manager)
    [chain] = listener["filter_chains"]
    chain["transport_socket"] = tls.callback_socket(str(sidecar.run_directory))
    chain["transport_socket_connect_timeout"] = f"{_HANDSHAKE_TIMEOUT}s"
    return listener


def _hub_cluster(sidecar: Sidecar) -> dict[str, Any]:
    options = {
        "use_downstream_protocol_config": {"http_protocol_options": {}, "http2_protocol_options": {}},
        # A connection ends when its address is no longer one of the hub's (R10); this is for its certificate's sake.
        "common_http_protocol_options": {
            "idle_timeout": f"{_CONNECTION_SECONDS}s",
            "max_connection_duration": f"{_CONNECTION_SECONDS}s",
        },
    }
    cluster = _by_dns(HUB, sidecar.hub, sidecar.resolvers, options)
    cluster["transport_socket"] = tls.hub_socket(sidecar.hub.host, str(sidecar.run_directory))
    return cluster


def _application_cluster(callbacks: Callbacks) -> dict[str, Any]:
    options = {
        "explicit_http_config": {"http_protocol_options": {}},
        # Shorter than the 5 s after which common servers close an idle connection.
        "common_http_protocol_options": {"idle_timeout": f"{_APPLICATION_IDLE}s"},
    }
    return _by_dns(APPLICATION, callbacks.application, (), options)


def _by_dns(name: str, address: Address, resolvers: tuple[Address, ...], options: dict[str, Any]) -> dict[str, Any]:
    cares: dict[str, Any] = {
        "@type": f"{http.TYPE}/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
        # By default a silent server is waited for for a minute, and nobody else is asked meanwhile.
        "query_timeout_seconds": _DNS_TIMEOUT,
        "query_tries": _DNS_TRIES,
    }
    if resolvers:
        cares["resolvers"] = [http.address(each) for each in resolvers]
    dns = {
        "@type": f"{http.TYPE}/envoy.extensions.clusters.dns.v3.DnsCluster",
        "respect_dns_ttl": True,
        "dns_refresh_rate": f"{_DNS_REFRESH}s",
        "dns_failure_refresh_rate": {"base_interval": "1s", "max_interval": f"{_DNS_REFRESH}s"},
        "dns_lookup_family": "V4_PREFERRED",
        "all_addresses_in_single_endpoint": False,
        "typed_dns_resolver_config": {"name": "envoy.network.dns_resolver.cares", "typed_config": cares},
    }
    return {
        "name": name,
        "cluster_type": {"name": "envoy.cluster.dns", "typed_config": dns},
        "connect_timeout": f"{_CONNECT_TIMEOUT}s",
        # A silent DNS server must not keep the hub's calls out.
        "wait_for_warm_on_init": False,
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": http.address(address)}}]}],
        },
        "typed_extension_protocol_options": {
            names.HTTP_PROTOCOL_OPTIONS: {"@type": f"{http.TYPE}/{names.HTTP_PROTOCOL_OPTIONS}"} | options
        },
    }
