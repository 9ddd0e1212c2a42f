"""From everything stored to what the data plane has to do. The gate of R2: what is not established is not in it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Connection

from bothways import files
from bothways.operations.hub import Hub
from bothways.operations.node_authority import node_trust
from bothways.operations.nodes import remote_nodes
from bothways.operations.revocation import lists_for_envoy
from bothways.operations.server_authority import server_chain
from bothways.operations.shares import Shares
from bothways.pki.chain import certificate_pem, fingerprint
from bothways.registry.service import Service
from bothways.store import authorities, closures, services, touched
from bothways.store.authorities import Credential, Role
from bothways.store.database import last_change
from bothways.xds.state import Address, Anchors, ControlPlane, HubState, Identity, KeyPair, ServiceRoute, Tracing

_HTTPS = 443


class DataPlane:
    """What the data plane has to do, now and again: the customers that did not change are not looked at again.

    `change` is the number of the last change that the last state has in it; `anew` is how often all was derived anew.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._shares = Shares(hub.environment, hub.keys.private_pem)
        self._place: int | None = None
        self.change, self.anew = -1, 0

    def state(self) -> HubState:
        """Return what the data plane has to do now."""
        hub, now = self._hub, self._hub.now()
        with hub.read() as connection:
            found = touched.since(connection, self._place)
            self.anew += self._shares.refresh(connection, found.tsp_ids, now)
            self._place = found.place
            state = self._composed(connection, now)
            self.change = last_change(connection)
            return state

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the client certificates that single customers are shown, in sentences."""
        return self._shares.problems()

    def _composed(self, connection: Connection, now: datetime) -> HubState:
        hub, shares = self._hub, self._shares
        trusted = authorities.trusted(connection, Role.ISSUING)
        url, run = urlsplit(hub.terms.endpoint), hub.run_directory.absolute()
        closure = closures.current(connection)
        return HubState(
            environment=hub.environment,
            host=url.hostname or "",
            port=url.port or _HTTPS,
            inbound=Address(hub.settings.inbound_address, hub.settings.inbound_port),
            egress=Address(hub.settings.egress_address, hub.settings.egress_port),
            probe_socket=str(run / "probe.sock"),
            connectivity_socket=str(run / "connectivity.sock"),
            server=_server_pair(hub, connection),
            client=_key_pair(hub, connection, Role.CLIENT),
            trust=Anchors(
                "".join(certificate_pem(each.certificate) for each in trusted),
                lists_for_envoy(connection, trusted, now),
            ),
            identities=shares.identities(),
            services=tuple(_route(each, reached) for each, reached in shares.reached(services.every(connection))),
            customers=shares.servers(),
            danger_outbound_loopback=hub.settings.danger_outbound_loopback,
            shut=closure.reason if closure else "",
            closures=closures.count(connection),
            nodes=remote_nodes(connection, now),
            control_plane=_control_plane(hub, connection) if hub.settings.nodes_port else None,
            tracing=_tracing(hub),
        )


def hub_state(hub: Hub) -> HubState:
    """Return what the data plane has to do now, derived from everything that is stored."""
    return DataPlane(hub).state()


def key_pair(hub: Hub, credential: Credential) -> KeyPair:
    """Return a certificate of the hub with its key, as Envoy is given them. Raises `Unusable`."""
    return KeyPair(
        certificate_pem(credential.certificate),
        hub.keys.private_pem(credential.key_name),
        fingerprint(credential.certificate),
    )


def _route(service: Service, reached: Sequence[Identity]) -> ServiceRoute:
    return ServiceRoute(
        service.name,
        service.prefix,
        service.upstream_host,
        service.upstream_port,
        reached,
        anchors=Anchors(service.upstream_ca) if service.upstream_tls else None,
        http2=service.http2,
        timeout=service.timeout,
        streaming=service.streaming,
        health_path=service.health_path,
        strip_prefix=service.strip_prefix,
        client_cert=service.client_cert,
    )


def _tracing(hub: Hub) -> Tracing | None:
    settings, url = hub.settings, urlsplit(hub.settings.trace_collector)
    if not url.hostname or not url.port:
        return None
    encrypted = url.scheme == "https"
    anchors = files.read(hub.directory / settings.trace_ca_file, "the CA of the collector") if encrypted else b""
    return Tracing(
        Address(url.hostname, url.port),
        f"bothways-{hub.environment.value.lower()}",
        settings.trace_percent,
        Anchors(anchors.decode()) if anchors else None,
        join_customers=settings.trace_join_customers,
    )


def _control_plane(hub: Hub, connection: Connection) -> ControlPlane:
    return ControlPlane(_key_pair(hub, connection, Role.NODE), Anchors(node_trust(connection)))


def _server_pair(hub: Hub, connection: Connection) -> KeyPair:
    chain = server_chain(connection, authorities.current_credential(connection, Role.SERVER))
    return replace(_key_pair(hub, connection, Role.SERVER), certificate_pem=chain)


def _key_pair(hub: Hub, connection: Connection, role: Role) -> KeyPair:
    return key_pair(hub, authorities.current_credential(connection, role))
