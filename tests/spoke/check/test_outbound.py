"""What the hub tells of our server, read from bytes; the whole way is in tests/wire/test_spoke_check.py."""

import json

import pytest

from bothways.findings import Level
from bothways.spoke.check.outbound import Told, own_server, probe_step, told_by

FINDING = {"id": "PROBE-NAME-04", "message": "m", "hint": "h", "citation": "c", "subject": "bank", "level": "error"}
TOLD = {"running": False, "problem": None, "endpoint": "https://bank.example/hub", "chains": ["PEM"], "probe": None}


def test_what_a_hub_tells_is_read_and_what_another_says_is_not() -> None:
    assert told_by(json.dumps(TOLD).encode()) == Told("https://bank.example/hub", ("PEM",))
    assert told_by(json.dumps(TOLD | {"endpoint": None, "chains": "x", "probe": 3}).encode()) == Told()
    assert [told_by(each) for each in (b"", b"[]", b"{}", b"<html>")] == [None] * 4


@pytest.mark.parametrize(
    ("text", "address", "path"),
    [
        ("https://bank.example:8443/hub", "bank.example:8443", "/hub/"),
        ("https://bank.example", "bank.example:443", "/"),
        ("bank.example:8443", "bank.example:8443", "/"),
        ("bank.example", "bank.example:443", "/"),
    ],
)
def test_our_server_is_named_by_url_or_by_host_and_port(text: str, address: str, path: str) -> None:
    server = own_server(text, ())
    assert server is not None
    assert (server.address, server.path) == (address, path)
    assert own_server("", ()) is None


def test_a_probe_is_shown_in_the_hubs_words() -> None:
    probe = {"ok": False, "at": "2026-11-25", "seen": "refused", "findings": [FINDING, {"id": 3}, "noise"]}
    step = probe_step(Told(probe=probe), "bank:443")
    assert step.said == "failed at 2026-11-25: refused"
    assert [(each.id, each.level) for each in step.findings] == [("PROBE-NAME-04", Level.ERROR)]


def test_a_probe_that_could_not_be_made_is_a_warning() -> None:
    for told in (Told(problem="the hub's signer is away"), Told(running=True)):
        assert [(each.id, each.level) for each in probe_step(told, "b").findings] == [
            ("CHECK-SERVER-07", Level.WARNING)
        ]
