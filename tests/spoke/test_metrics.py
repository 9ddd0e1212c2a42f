from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from bothways.spoke.events import (
    AddressesFound,
    Closed,
    Connected,
    ConnectFailed,
    FilesRefused,
    FilesUsed,
    LookupFailed,
    NameMissing,
    Retired,
)
from bothways.spoke.lease import Reason
from bothways.spoke.metrics import Metrics

HOST = "api.hub.test"
EVENTS = (
    AddressesFound(HOST, ("192.0.2.1",), 60, changed=False),
    AddressesFound(HOST, ("192.0.2.2",), 30, changed=True),
    NameMissing(HOST),
    LookupFailed(HOST, "SERVFAIL", 1, ()),
    Connected(HOST, "192.0.2.1", "TLSv1.3", 0.25),
    Connected(HOST, "192.0.2.1", "TLSv1.3", 0.5),
    Retired(HOST, "192.0.2.1", Reason.ADDRESS),
    Closed(HOST, "192.0.2.1", 61),
    ConnectFailed(HOST, "refused"),
    FilesUsed(),
    FilesRefused("x"),
)


def counted() -> Metrics:
    metrics = Metrics()
    for event in EVENTS:
        metrics.count(event)
    metrics.certificate_ends(datetime(2027, 1, 1, tzinfo=UTC))
    return metrics


def test_what_happened_is_counted_and_prometheus_reads_it() -> None:
    metrics = counted()
    read = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.text())
        for sample in family.samples
    }
    host = ("host", HOST)
    assert read == {
        ("bothways_spoke_dns_answers_total", (host, ("outcome", "found"))): 2,
        ("bothways_spoke_dns_answers_total", (host, ("outcome", "missing"))): 1,
        ("bothways_spoke_dns_answers_total", (host, ("outcome", "failed"))): 1,
        ("bothways_spoke_address_changes_total", (host,)): 1,
        ("bothways_spoke_dns_ttl_seconds", (host,)): 30,
        ("bothways_spoke_connections_opened_total", (host,)): 2,
        ("bothways_spoke_connect_seconds_total", (host,)): 0.75,
        ("bothways_spoke_connections_failed_total", (host,)): 1,
        ("bothways_spoke_connections_retired_total", (host, ("reason", "address"))): 1,
        ("bothways_spoke_connections_open", (host,)): 1,
        ("bothways_spoke_reloads_total", (("outcome", "used"),)): 1,
        ("bothways_spoke_reloads_total", (("outcome", "refused"),)): 1,
        ("bothways_spoke_certificate_expiration_timestamp_seconds", ()): 1798761600,
    }
    assert metrics.value("bothways_spoke_connect_seconds_total", host=HOST) == 0.75
    assert metrics.value("bothways_spoke_connect_seconds_total", host="other") == 0


def test_nothing_counted_is_no_text() -> None:
    assert Metrics().text() == ""


def test_a_strange_host_breaks_no_line() -> None:
    metrics = Metrics()
    metrics.count(NameMissing('a"b\\c\nd'))
    [family] = text_string_to_metric_families(metrics.text())
    assert family.samples[0].labels["host"] == 'a"b\\c\nd'


def test_the_page_names_each_number() -> None:
    page = (Path(__file__).parents[2] / "docs" / "client.md").read_text()
    names = {line.split()[2] for line in counted().text().splitlines() if line.startswith("# TYPE")}
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []
