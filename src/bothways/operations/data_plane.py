"""From everything stored to what the data plane has to do. The gate of R2: what is not established is not in it."""

from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Connection

from bothways.connectivity.assess import assess
from bothways.operations.hub import Hub
from bothways.operations.revocation import lists_for_envoy
from bothways.pki.chain import certificate_pem, fingerprint
from bothways.registry.flow import Flow
from bothways.registry.service import Service
from bothways.store import authorities, certificates, chains, endpoints, facts, services
from bothways.store.authorities import Role
from bothways.store.chains import ChainState
from bothways.xds.state import Address, Anchors, CustomerServer, HubState, Identity, KeyPair, ServiceRoute

_HTTPS = 443


def hub_state(hub: Hub) -> HubState:
    """Return what the data plane has to do now."""
    now = hub.now()
    with hub.read() as connection:
        known = facts.all_facts(connection)
        open_flows = {tsp_id: assess(fact, now).open_flows for tsp_id, fact in known.items()}
        present = frozenset(tsp_id for tsp_id, fact in known.items() if not fact.suspended)
        identities = _identities(connection, present, now)
        trusted = authorities.trusted(connection, Role.ISSUING)
        url = urlsplit(hub.terms.endpoint)
        return HubState(
            environment=hub.environment,
            host=url.hostname or "",
            port=url.port or _HTTPS,
            inbound=Address(hub.settings.inbound_address, hub.settings.inbound_port),
            egress=Address(hub.settings.egress_address, hub.settings.egress_port),
            probe_socket=str(hub.run_directory.absolute() / "probe.sock"),
            connectivity_socket=str(hub.run_directory.absolute() / "connectivity.sock"),
            access_log=str(hub.run_directory.absolute() / "access.log"),
            server=_key_pair(hub, connection, Role.SERVER),
            client=_key_pair(hub, connection, Role.CLIENT),
            trust=Anchors(
                "".join(certificate_pem(each.certificate) for each in trusted),
                lists_for_envoy(connection, trusted, now),
            ),
            identities=identities,
            services=_services(connection, identities, open_flows),
            customers=_customers(connection, present, open_flows, now),
            danger_outbound_loopback=hub.settings.danger_outbound_loopback,
        )


def _identities(connection: Connection, present: frozenset[str], now: datetime) -> tuple[Identity, ...]:
    return tuple(
        Identity(each.uri_id, each.tsp_id)
        for each in certificates.every(connection)
        if each.tsp_id in present and each.usable(now)
    )


def _services(
    connection: Connection, identities: tuple[Identity, ...], open_flows: dict[str, frozenset[Flow]]
) -> tuple[ServiceRoute, ...]:
    granted = services.grants(connection)

    def route(service: Service) -> ServiceRoute:
        reached = tuple(
            each
            for each in identities
            if each.tsp_id in granted.get(service.name, ()) and service.needs <= open_flows[each.tsp_id]
        )
        return ServiceRoute(service.name, service.prefix, service.upstream_host, service.upstream_port, reached)

    return tuple(route(each) for each in services.every(connection))


def _customers(
    connection: Connection, present: frozenset[str], open_flows: dict[str, frozenset[Flow]], now: datetime
) -> tuple[CustomerServer, ...]:
    endorsed: dict[str, str] = {}
    for chain in chains.every(connection, state=ChainState.ENDORSED):
        if chain.not_after > now:
            endorsed[chain.tsp_id] = endorsed.get(chain.tsp_id, "") + chain.pem
    return tuple(
        CustomerServer(
            tsp_id, each.host, each.port, each.path, Anchors(endorsed[tsp_id]), Flow.OUTBOUND in open_flows[tsp_id]
        )
        for tsp_id, each in sorted(endpoints.every(connection).items())
        if tsp_id in present and tsp_id in endorsed
    )


def _key_pair(hub: Hub, connection: Connection, role: Role) -> KeyPair:
    credential = authorities.current_credential(connection, role)
    return KeyPair(
        certificate_pem(credential.certificate),
        hub.keys.private_pem(credential.key_name),
        fingerprint(credential.certificate),
    )
