"""The metrics are those that alert rules for cert-manager know, read back by Prometheus's own parser."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from prometheus_client.parser import text_string_to_metric_families

from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.closure import shut_endpoint
from bothways.operations.contacts import add_contact
from bothways.operations.expiry import SOON, endings
from bothways.operations.hub import Hub
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.revocation import current_list
from bothways.operations.standing import unknown
from bothways.operations.upkeep import upkeep
from bothways.registry.contact import ContactKind
from bothways.web.metrics import render_metrics

SECOND = timedelta(seconds=1)
TOLD_APART = ("name", "authority", "listener", "node")


def read(text: bytes) -> dict[tuple[str, str], float]:
    """Return the values by metric and the label that tells them apart."""
    return {
        (sample.name, next((sample.labels[each] for each in TOLD_APART if sample.labels.get(each)), "")): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def at(hub: Hub, moment: datetime) -> Hub:
    return replace(hub, now=lambda: moment)


def ends(hub: Hub) -> dict[str, float]:
    name = "certmanager_certificate_expiration_timestamp_seconds"
    return {key[1]: value for key, value in read(render_metrics(hub, "", {})).items() if key[0] == name}


def test_all_that_ends_soon_is_there_with_its_end_and_what_is_the_hubs_own_at_any_time(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes], make_ca: Callable[..., Any]
) -> None:
    record = approve_request(hub, submit_request(hub, issuer, make_csr()).id)
    root = make_ca("bank root", days=400)[1]
    chain = endorse_chain(hub, submit_chain(hub, issuer, root.public_bytes(Encoding.PEM)).id)
    own = {f"{each.kind}/{each.subject}": each.ends_at.timestamp() for each in endings(hub) if each.tsp_id is None}
    assert len(own) == 7
    first = (f"certificate/{record.serial}", record.not_after.timestamp())
    second = (f"chain/{chain.id}", root.not_valid_after_utc.timestamp())
    moments = [record.not_after - SOON - SECOND, record.not_after - SOON, root.not_valid_after_utc - SOON]
    found = [ends(at(hub, each)).items() - own.items() for each in moments]
    assert found == [set(), {first}, {first, second}]


def test_when_the_hub_renews_its_own_certificates_is_there(hub: Hub) -> None:
    found = read(render_metrics(hub, "", {}))
    assert len([key for key in found if key[0] == "certmanager_certificate_renewal_timestamp_seconds"]) == 3


def test_lists_notices_and_problems_are_there(hub: Hub) -> None:
    assert read(render_metrics(hub, "", {}))["bothways_crl_in_envoy", "1"] == 0
    add_contact(hub, None, ContactKind.EMAIL, "a@hub.example")
    upkeep(hub)
    found = read(render_metrics(hub, "the signer is away", {}))
    assert found["bothways_crl_in_envoy", "1"] == 1
    assert found["bothways_crl_next_update_timestamp_seconds", "1"] == current_list(hub).next_update.timestamp()
    assert (found["bothways_notices_waiting", ""], found["bothways_notices_failing", ""]) == (0, 0)
    assert (found["bothways_problem", ""], read(render_metrics(hub, "", {}))["bothways_problem", ""]) == (1, 0)


def test_whether_the_endpoint_is_shut_and_when_strangers_were_refused_is_there(hub: Hub) -> None:
    found = read(render_metrics(hub, "", {"127.0.0.1:8443": 1795000000.5}))
    assert found["bothways_endpoint_shut", ""] == 0
    assert found["bothways_canary_refused_timestamp_seconds", "127.0.0.1:8443"] == 1795000000.5
    shut_endpoint(hub, "a stranger was let in")
    assert read(render_metrics(hub, "", {}))["bothways_endpoint_shut", ""] == 1


def test_nodes_are_there_connected_or_away_and_one_that_is_connected_twice_counts_twice(hub: Hub) -> None:
    connected = unknown("eu-1") | {"connected": True}
    nodes = [
        connected | {"settled": True, "customers": 7, "lag_seconds": 0.0, "canary": {"outcome": "refused"}},
        connected | {"refused": {"a": "why"}, "customers": 3, "lag_seconds": 4.5, "canary": {"outcome": "refused"}},
        unknown("eu-2") | {"lag_seconds": None},
        unknown("eu-3") | {"lag_seconds": 60.0, "canary": {"outcome": "unreachable"}},
    ]
    found = read(render_metrics(hub, "", {}, nodes))
    assert {key: value for key, value in found.items() if key[0].startswith("bothways_node_")} == {
        ("bothways_node_connected", "eu-1"): 2,
        ("bothways_node_settled", "eu-1"): 0,
        ("bothways_node_refused", "eu-1"): 1,
        ("bothways_node_customers", "eu-1"): 7,
        ("bothways_node_connected", "eu-2"): 0,
        ("bothways_node_settled", "eu-2"): 0,
        ("bothways_node_refused", "eu-2"): 0,
        ("bothways_node_customers", "eu-2"): 0,
        ("bothways_node_connected", "eu-3"): 0,
        ("bothways_node_settled", "eu-3"): 0,
        ("bothways_node_refused", "eu-3"): 0,
        ("bothways_node_customers", "eu-3"): 0,
        ("bothways_node_lag_seconds", "eu-1"): 4.5,
        ("bothways_node_lag_seconds", "eu-3"): 60,
        ("bothways_node_canary_refused", "eu-1"): 1,
        ("bothways_node_canary_refused", "eu-3"): 0,
    }
