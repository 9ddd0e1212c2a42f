"""Trust both ways: the hub's CAs to compare, the server and its chain to hand in."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from tests.web.pages.conftest import Visitor

from bothways.operations.authorities import add_client_authority, add_server_authority
from bothways.operations.chains import endorse_chain, list_chains, submit_chain
from bothways.operations.endpoints import set_endpoint, show_endpoint, waiting_endpoints
from bothways.operations.hub import Hub, contract
from bothways.operations.server_rollover import standing
from bothways.pki.chain import certificate_pem, fingerprint
from bothways.store.contracts import Way


def test_the_client_ca_is_downloaded_and_its_fingerprint_told(hub: Hub, bank: Visitor, issuer: str) -> None:
    add_client_authority(hub)
    answer = bank.get(f"/customers/{issuer}/trust/client-ca.crt")
    assert answer.text == contract(hub).trust.client_ca
    said = bank.said(bank.get(f"/customers/{issuer}/trust")).replace(" ", "")
    for each in x509.load_pem_x509_certificates(answer.content):
        assert fingerprint(each).upper() in said.replace(":", "")
    assert "movingtoitsnextClientCA" in said


def test_the_next_server_ca_is_told_and_who_downloads_it_has_it(
    hub: Hub, bank: Visitor, operator: Visitor, issuer: str
) -> None:
    page, file = f"/customers/{issuer}/trust", f"/customers/{issuer}/trust/server-ca.crt"
    assert "next server CA" not in bank.get(page).text
    add_server_authority(hub)
    assert operator.get(file).text == contract(hub).trust.server_ca
    assert "Not taken yet" in bank.get(page).text
    answer = bank.get(file)
    said = bank.said(bank.get(page)).replace(" ", "").replace(":", "")
    for each in x509.load_pem_x509_certificates(answer.content):
        assert fingerprint(each).upper() in said
    assert "Takenon" in said
    found = standing(hub, issuer)
    assert found is not None
    assert found.taken is not None
    assert found.taken.way is Way.PORTAL


def test_a_chain_is_submitted_and_shown_as_a_tree(
    hub: Hub, bank: Visitor, issuer: str, make_ca: Callable[..., Any]
) -> None:
    root = make_ca("Bank Root")
    _, middle = make_ca("Bank TLS", root)
    pem = certificate_pem(middle) + certificate_pem(root[1])
    answer = bank.post(f"/customers/{issuer}/trust/chain", chain=pem)
    assert (answer.status_code, answer.headers["location"][-23:]) == (303, "?done=submitted#content")
    page = bank.get(f"/customers/{issuer}/trust").text
    assert page.index("CN=Bank Root") < page.index("CN=Bank TLS")
    assert "under review" in page
    [stored] = list_chains(hub, issuer)
    endorse_chain(hub, stored.id)
    assert "endorsed" in bank.get(f"/customers/{issuer}/trust").text


def test_older_chains_are_behind_a_button(
    hub: Hub, bank: Visitor, issuer: str, make_ca: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bothways.web.pages.trust._SHOWN", 1)
    for name in ("First Root", "Second Root"):
        submit_chain(hub, issuer, certificate_pem(make_ca(name)[1]).encode())
    for query, shown, hidden in (("", "CN=Second Root", "CN=First Root"), ("?before=2", "CN=First Root", "CN=Second")):
        page = bank.get(f"/customers/{issuer}/trust{query}").text
        assert (shown in page, hidden in page, 'href="?before=2"' in page) == (True, False, not query)


def test_a_chain_that_is_none_is_told_why(hub: Hub, bank: Visitor, issuer: str, make_ca: Callable[..., Any]) -> None:
    _, server = make_ca("callbacks.bank.example", ca=False)
    answer = bank.post(f"/customers/{issuer}/trust/chain", chain=certificate_pem(server))
    assert (answer.status_code, "CHAIN-" in answer.text) == (422, True)
    assert list_chains(hub) == ()


@pytest.mark.parametrize("url", ["http://bank.example", "https://127.0.0.1", "https://portal.ppr.hub.localhost"])
def test_a_server_that_breaks_a_rule_is_told_why(hub: Hub, bank: Visitor, issuer: str, url: str) -> None:
    answer = bank.post(f"/customers/{issuer}/endpoint", url=url)
    assert (answer.status_code, "ENDPOINT-" in answer.text, url in answer.text) == (422, True, True)
    assert waiting_endpoints(hub) == ()


def test_another_host_waits_and_another_path_counts_at_once(hub: Hub, bank: Visitor, issuer: str) -> None:
    answer = bank.post(f"/customers/{issuer}/endpoint", url="https://callbacks.bank.example")
    assert answer.headers["location"].endswith("?done=submitted")
    assert "waits for the hub" in bank.get(f"/customers/{issuer}/endpoint").text
    set_endpoint(hub, issuer, "https://callbacks.bank.example")
    answer = bank.post(f"/customers/{issuer}/endpoint", url="https://callbacks.bank.example/hub")
    assert answer.headers["location"].endswith("?done=in-force")
    assert show_endpoint(hub, issuer).path == "/hub"


def test_a_probe_that_cannot_be_made_says_what_is_missing(hub: Hub, bank: Visitor, issuer: str) -> None:
    set_endpoint(hub, issuer, "https://callbacks.bank.example")
    assert bank.post(f"/customers/{issuer}/endpoint/probe").status_code == 303
    said = bank.said(bank.get(f"/customers/{issuer}/endpoint"))
    assert "has no endorsed chain, so nothing can be trusted: submit one, and have it endorsed." in said
    assert "bothways" not in said
