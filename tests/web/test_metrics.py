"""The metrics are those that alert rules for cert-manager know, read back by Prometheus's own parser."""

from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from bothways.operations.contacts import add_contact
from bothways.operations.expiry import endings
from bothways.operations.hub import Hub
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.revocation import current_list
from bothways.operations.upkeep import upkeep
from bothways.registry.contact import ContactKind
from bothways.web.metrics import render_metrics


def read(text: bytes) -> dict[tuple[str, str], float]:
    """Return the values by metric and the label that tells them apart."""
    return {
        (sample.name, sample.labels.get("name") or sample.labels.get("authority") or ""): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_all_that_ends_is_there_with_its_end(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> None:
    approve_request(hub, submit_request(hub, issuer, make_csr()).id)
    found = read(render_metrics(hub, ""))
    name = "certmanager_certificate_expiration_timestamp_seconds"
    assert {key[1]: value for key, value in found.items() if key[0] == name} == {
        f"{each.kind}/{each.subject}": each.ends_at.timestamp() for each in endings(hub)
    }
    assert len([key for key in found if key[0] == "certmanager_certificate_renewal_timestamp_seconds"]) == 2


def test_lists_notices_and_problems_are_there(hub: Hub) -> None:
    assert read(render_metrics(hub, ""))["bothways_crl_in_envoy", "1"] == 0
    add_contact(hub, None, ContactKind.EMAIL, "a@hub.example")
    upkeep(hub)
    found = read(render_metrics(hub, "the signer is away"))
    assert found["bothways_crl_in_envoy", "1"] == 1
    assert found["bothways_crl_next_update_timestamp_seconds", "1"] == current_list(hub).next_update.timestamp()
    assert (found["bothways_notices_waiting", ""], found["bothways_notices_failing", ""]) == (0, 0)
    assert (found["bothways_problem", ""], read(render_metrics(hub, ""))["bothways_problem", ""]) == (1, 0)
