"""The portal hands out the contract, byte for byte the one whose fingerprint the hub tells."""

from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path

import pytest
from tests.web.conftest import Ask, applied

from bothways.contract.parse import parse_contract
from bothways.contract.render import render_contract
from bothways.errors import Refused, Unreachable
from bothways.operations.hub import Hub, contract
from bothways.operations.revocation import current_list, lists_due, publish_list
from bothways.operations.upkeep import upkeep
from bothways.spoke.directory import init_spoke
from bothways.web.portal import portal_app


def test_the_contract_is_that_of_the_operation_byte_for_byte(hub: Hub, ask: Ask) -> None:
    answer = ask(portal_app(hub, applied), "GET", "/contract.toml")
    assert answer.status_code == 200
    assert answer.content == render_contract(contract(hub)).encode()
    assert parse_contract(answer.text, "portal") == contract(hub)
    assert b"PRIVATE" not in answer.content


def test_the_page_names_environment_endpoint_and_contract(hub: Hub, ask: Ask) -> None:
    answer = ask(portal_app(hub, applied), "GET", "/")
    assert answer.headers["content-type"].startswith("text/html")
    for text in (
        "<strong>PPR</strong>",
        hub.terms.endpoint,
        'href="/contract.toml"',
        f"{hub.terms.portal}/contract.toml",
    ):
        assert text in answer.text


@pytest.mark.parametrize("path", ["/hub.toml", "/passphrase", "/../passphrase", "/redoc", "/status", "/connectivity"])
def test_nothing_else_is_there(hub: Hub, ask: Ask, path: str) -> None:
    assert ask(portal_app(hub, applied), "GET", path).status_code == 404


def test_nothing_is_changed_through_the_portal(hub: Hub, ask: Ask) -> None:
    assert {
        ask(portal_app(hub, applied), method, "/contract.toml").status_code for method in ("POST", "PUT", "DELETE")
    } == {405}


@pytest.mark.envoy
def test_a_spoke_is_made_over_tls_by_the_fingerprint_and_not_by_another(running_hub: Hub, tmp_path: Path) -> None:
    address = f"{running_hub.terms.portal}/contract.toml"
    fingerprint = sha256(render_contract(contract(running_hub)).encode()).hexdigest()
    assert init_spoke(tmp_path / "good", address, "12345678", fingerprint).contract == contract(running_hub)
    with pytest.raises(Refused, match="CONTRACT-PIN"):
        init_spoke(tmp_path / "other", address, "12345678", "0" * 64)
    # Without a fingerprint the connection would have to prove the contract, and the hub's own CA is no public one.
    with pytest.raises(Unreachable, match="--fingerprint"):
        init_spoke(tmp_path / "none", address, "12345678")
    assert not (tmp_path / "other").exists()


def test_the_revocation_list_is_handed_out_in_der_with_what_caches_need(hub: Hub, ask: Ask) -> None:
    upkeep(hub)
    found = current_list(hub)
    answer = ask(portal_app(hub, applied), "GET", f"/crl/{found.authority_id}.crl")
    assert (answer.status_code, answer.content) == (200, found.der)
    assert answer.headers["content-type"] == "application/pkix-crl"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert parsedate_to_datetime(answer.headers["last-modified"]) == found.this_update.replace(microsecond=0)
    again = ask(portal_app(hub, applied), "GET", "/crl/1.crl", {"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    publish_list(hub, lists_due(hub)[0][0])
    changed = ask(portal_app(hub, applied), "GET", "/crl/1.crl", {"If-None-Match": answer.headers["etag"]})
    assert (changed.status_code, changed.content) == (200, current_list(hub).der)
    assert ask(portal_app(hub, applied), "HEAD", "/crl/1.crl").status_code == 200


@pytest.mark.parametrize(("name", "status"), [("1", 404), ("2", 404), ("0", 422), ("99999999999999999999", 422)])
def test_a_list_that_is_not_there_is_a_problem(hub: Hub, ask: Ask, name: str, status: int) -> None:
    answer = ask(portal_app(hub, applied), "GET", f"/crl/{name}.crl")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_the_interface_describes_itself(hub: Hub, ask: Ask) -> None:
    described = ask(portal_app(hub, applied), "GET", "/openapi.json").json()["paths"]
    public = {path: [*methods] for path, methods in described.items() if not path.startswith("/api/")}
    assert public == {
        "/contract.toml": ["get"],
        "/crl/{authority}.crl": ["get"],
        "/.well-known/est/cacerts": ["get"],
        "/.well-known/est/csrattrs": ["get"],
        "/.well-known/est/simpleenroll": ["post"],
    }
