from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import pytest

from bothways.connectivity.observation import FailedHandshake, RefusedRequest
from bothways.operations.hub import Hub
from bothways.operations.observations import Times, observe
from bothways.operations.requests import approve_request, submit_request

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def observed(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> None:
    """The issuer called a path where nothing stands, three times; a stranger spoke plain HTTP."""
    record, at = approve_request(hub, submit_request(hub, issuer, make_csr()).id), hub.now()
    refused = RefusedRequest(at, "192.0.2.1", record.fingerprint or "", "", 404, "direct_response", path="/x")
    observe(hub, {FailedHandshake(at, "192.0.2.2", "HTTP_REQUEST"): Times(1, at)})
    observe(hub, {refused: Times(3, at)})


def test_without_failures_there_is_nothing(in_hub: Run, document: Callable[..., Any]) -> None:
    assert document("observation", "list") == []
    assert in_hub("observation", "list").stdout == "No call failed in the last 30 days.\n"


@pytest.mark.usefixtures("observed")
def test_they_are_listed_of_all_of_one_and_of_nobody_known(document: Callable[..., Any], issuer: str) -> None:
    def customers(*options: object) -> list[str | None]:
        return [each["customer"] for each in document("observation", "list", *options)]

    assert customers() == [issuer, None]
    assert customers("--customer", issuer) == [issuer]
    assert customers("--unmatched") == [None]
    assert customers("--limit", 1) == [issuer]


@pytest.mark.usefixtures("observed")
def test_people_read_what_was_seen_and_what_to_do(in_hub: Run, issuer: str) -> None:
    lines = in_hub("observation", "list").stdout.splitlines()
    assert " UTC from 192.0.2.1, 3 times since " in lines[0]
    assert lines[0].endswith(f", {issuer}: proved by its key")
    assert lines[1] == "  INBOUND-ACCESS-05: no service stands at '/x'."
    assert lines[3].endswith(" UTC from 192.0.2.2, nobody known")
    shown = in_hub("customer", "show", issuer).stdout
    assert "last failed calls:\n" in shown
    assert lines[1] in shown
    assert "192.0.2.2" not in shown


@pytest.mark.usefixtures("observed")
def test_the_status_counts_them(in_hub: Run, document: Callable[..., Any]) -> None:
    assert document("hub", "status", code=1)["failed_calls"] == {"customers": 3, "unmatched": 1}
    said = "failed calls within a day: 3 of customers, 1 of nobody known. Look at: bothways observation list\n"
    assert said in in_hub("hub", "status").stdout


def test_a_customer_that_is_not_there_is_told(in_hub: Run) -> None:
    assert in_hub("observation", "list", "--customer", "999").returncode == 2
