"""What monitoring asks of a hub, in the text format of Prometheus, under cert-manager's names where it has them.

So alert rules for `certmanager_certificate_expiration_timestamp_seconds` work here as they are.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily

from bothways.operations.closure import current_closure
from bothways.operations.delivery import notice_states
from bothways.operations.expiry import SOON, endings
from bothways.operations.hub import Hub
from bothways.operations.revocation import list_states
from bothways.operations.rotation import own_certificates


def render_metrics(
    hub: Hub, problem: str, refused_at: Mapping[str, float], nodes: Sequence[dict[str, Any]] = ()
) -> bytes:
    """Return all metrics; moments are seconds since 1970.

    `problem` is what the running hub failed at, if anything; `refused_at` is when the canary last saw each listener
    refuse every stranger; `nodes` is what the hub's status says of the nodes.
    """
    registry, namespace = CollectorRegistry(), hub.environment.value

    def gauge(name: str, said: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(name, said, ("namespace", *labels), registry=registry)

    registry.register(_Ends(hub))
    renewal = gauge(
        "certmanager_certificate_renewal_timestamp_seconds", "When the hub renews its own certificate.", ("name",)
    )
    for role, own in own_certificates(hub).items():
        if own["renewal_at"]:
            renewal.labels(namespace, f"{role}/{own['serial']}").set(_seconds(own["renewal_at"]))
    update = gauge("bothways_crl_next_update_timestamp_seconds", "When a revocation list ends.", ("authority",))
    given = gauge("bothways_crl_in_envoy", "Whether Envoy is given the revocation list.", ("authority",))
    for found in list_states(hub):
        given.labels(namespace, str(found["authority"])).set(found["in_envoy"])
        if found["next_update"]:
            update.labels(namespace, str(found["authority"])).set(_seconds(found["next_update"]))
    told = notice_states(hub)
    gauge("bothways_notices_waiting", "Notices that are not delivered.").labels(namespace).set(told["waiting"])
    gauge("bothways_notices_failing", "Notices that failed, and are tried again.").labels(namespace).set(
        len(told["failing"])
    )
    shut = current_closure(hub) is not None
    gauge("bothways_endpoint_shut", "1 while the endpoint is shut, for a stranger was let in.").labels(namespace).set(
        shut
    )
    refused = gauge(
        "bothways_canary_refused_timestamp_seconds", "When the canary last saw strangers refused.", ("listener",)
    )
    for listener, moment in refused_at.items():
        refused.labels(namespace, listener).set(moment)
    gauge("bothways_problem", "1 while the hub tells a problem in its status.").labels(namespace).set(bool(problem))
    _tell_nodes(gauge, namespace, nodes)
    return bytes(generate_latest(registry))


class _Ends:
    """When everything ends that ends soon: a family as a whole, for thousands of gauges one by one take twice as long.

    What is the hub's own is there at any time.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> list[GaugeMetricFamily]:
        """Return the family, as it is now."""
        name = "certmanager_certificate_expiration_timestamp_seconds"
        said = f"When it ends; a customer's certificate or chain is there from {SOON.days} days before its end."
        family = GaugeMetricFamily(name, said, labels=("namespace", "name", "kind", "customer"))
        for each in endings(self._hub, self._hub.now() + SOON):
            labels = self._hub.environment.value, f"{each.kind}/{each.subject}", each.kind, each.tsp_id or ""
            family.add_metric(labels, each.ends_at.timestamp())
        return [family]


def _tell_nodes(gauge: Callable[..., Gauge], namespace: str, nodes: Sequence[dict[str, Any]]) -> None:
    connected = gauge("bothways_node_connected", "How often a node is connected: 0 is away.", ("node",))
    settled = gauge("bothways_node_settled", "Whether a node has confirmed all that is in force.", ("node",))
    refusing = gauge("bothways_node_refused", "Of how many types a node refuses something.", ("node",))
    loaded = gauge("bothways_node_customers", "Servers of customers that a node has loaded to call them.", ("node",))
    lag = gauge("bothways_node_lag_seconds", "For how long a node lacks something that was published.", ("node",))
    safe = gauge(
        "bothways_node_canary_refused", "1 if a node refused all strangers at the last look of the canary.", ("node",)
    )
    for name in {each["node"] for each in nodes}:
        of_node = [each for each in nodes if each["node"] == name]
        connected.labels(namespace, name).set(sum(each["connected"] for each in of_node))
        settled.labels(namespace, name).set(all(each["settled"] for each in of_node))
        loaded.labels(namespace, name).set(max(each["customers"] for each in of_node))
        if known := [each["lag_seconds"] for each in of_node if each["lag_seconds"] is not None]:
            lag.labels(namespace, name).set(max(known))
        if canary := [each["canary"]["outcome"] for each in of_node if each["canary"]]:
            safe.labels(namespace, name).set(all(each in {"refused", "shut"} for each in canary))
        refusing.labels(namespace, name).set(len({kind for each in of_node for kind in each["refused"]}))


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
