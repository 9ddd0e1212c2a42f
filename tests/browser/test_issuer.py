"""An issuer walks from the invitation to both flows established, and an operator decides, a refusal included.

In two browsers without JavaScript, against a real hub and its Envoy: with JavaScript, one only sees how far a probe is.
"""

import socket
import ssl
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Open, accept, downloaded
from tests.programs import needs
from tests.wire import servers

from bothways.operations.accounts import invite_person
from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.operations.services import add_service, grant_service
from bothways.registry.access import Role
from bothways.registry.flow import Flow
from bothways.registry.service import Service

pytestmark = [
    pytest.mark.envoy,
    needs("nginx"),
]
HOST = "callbacks.localhost"


@pytest.mark.timeout(300)
def test_from_the_invitation_to_both_flows(running_hub: Hub, issuer: str, open_page: Open, tmp_path: Path) -> None:
    hub = running_hub
    add_service(hub, Service("events", "/events", "http://127.0.0.1:9", frozenset(Flow)))
    grant_service(hub, "events", issuer)
    bob = add_person(hub, "bob@bank.example", "Bob", Role.CUSTOMER_ADMINISTRATOR, issuer)
    ann = add_person(hub, "ann@hub.example", "Ann", Role.OPERATOR)
    page, operator = open_page(java_script_enabled=False), open_page(java_script_enabled=False)
    for each, person in ((page, bob), (operator, ann)):
        accept(each, hub, invite_person(hub, person.id)[1])
    expect(page.locator(".environment")).to_contain_text("PPR")
    expect(page.locator(".badge")).to_have_text(["not started", "not started"])
    _ask(page, hub)
    _request(page, tmp_path)
    _decide(operator, "Request 1", "Refuse", "Another unit, please.")
    page.click("nav >> text=Requests")
    expect(page.locator("tbody")).to_contain_text("Another unit, please.")
    page.click("nav >> text=Home")
    expect(page.locator(".steps li.bad")).to_contain_text("Request")
    _request(page, tmp_path / "again")
    _decide(operator, "Request 2", "Approve and sign")
    _call(page, hub, tmp_path / "again")
    page.click("nav >> text=Home")
    expect(page.locator(".badge")).to_have_text(["established", "not started"])
    _outbound(page, operator, open_page, tmp_path / "again")
    page.click("nav >> text=Home")
    expect(page.locator(".badge")).to_have_text(["established", "established"])
    page.click("nav >> text=Services")
    expect(page.locator(".badge")).to_have_text(["reachable"])


def _ask(page: Page, hub: Hub) -> None:
    """Ask from a page, and read a page that has this hub's own names in it."""
    page.fill("#ask", "how do I make a certification request with OpenSSL")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.locator("main a[href*='openssl']").first.click()
    expect(page.locator("main")).to_contain_text(
        f"-connect {urlsplit(hub.terms.endpoint).netloc} -servername api.ppr.hub.localhost "
    )
    page.goto(hub.terms.portal)


def _decide(operator: Page, thing: str, decision: str, reason: str = "") -> None:
    """Decide about what waits for review."""
    operator.click("nav >> text=Reviews")
    operator.get_by_role("link", name=thing, exact=True).click()
    if reason:
        operator.fill("#reason", reason)
    operator.get_by_role("button", name=decision, exact=True).click()
    expect(operator.locator("[role=status]")).to_be_visible()


def _request(page: Page, directory: Path) -> None:
    """Make key and request with the commands that the page prints; mend what it finds; submit."""
    directory.mkdir(exist_ok=True)
    page.click("a.button:has-text('Submit a request')")
    fields = {"country": "FR", "state": "Ile-de-France", "locality": "Paris", "unit": "Payments"}
    for name, value in fields.items():
        page.fill(f"#{name}", value)
    page.click("button:has-text('Show the commands')")
    commands = page.inner_text("#commands")
    subprocess.run(["bash", "-ec", commands], cwd=directory, check=True, capture_output=True, timeout=60)
    page.fill("#csr", (directory / "tls.csr").read_text().replace("REQUEST", "REQUST"))
    page.click("button:has-text('Check it')")
    expect(page.locator(".findings li.error")).not_to_have_count(0)
    page.set_input_files("#file", directory / "tls.csr")
    page.click("button:has-text('Check it')")
    expect(page.locator("text=Every rule is kept")).to_be_visible()
    page.click("button:has-text('Submit for review')")
    expect(page.locator("[role=status]")).to_contain_text("Submitted")
    expect(page.locator(".badge").first).to_have_text("under review")


def _call(page: Page, hub: Hub, directory: Path) -> None:
    """Download chain and CA, and make the first call with them."""
    page.click("nav >> text=Certificates")
    _download(page, "Download the chain", directory / "tls.crt")
    page.click("nav >> text=Trust")
    _download(page, "server CA", directory / "server-ca.crt")
    _download(page, "Download the Client CA", directory / "client-ca.crt")
    context = ssl.create_default_context(cafile=str(directory / "server-ca.crt"))
    context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    parts = urlsplit(hub.terms.endpoint)
    host = parts.hostname or ""
    asked = f"GET /connectivity HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    with (
        socket.create_connection(("127.0.0.1", parts.port or 443), 30) as tcp,
        context.wrap_socket(tcp, server_hostname=host) as line,
    ):
        line.sendall(asked.encode())
        assert line.recv(1 << 16).startswith(b"HTTP/1.1 200")


def _outbound(page: Page, operator: Page, open_page: Open, directory: Path) -> None:
    """Submit chain and server of a real nginx, and probe it while looking on."""
    pki = servers.make_pki(directory, (directory / "client-ca.crt").read_text(), HOST)
    tls = f"ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client on; ssl_client_certificate {pki.client_ca};"
    with servers.nginx(pki, tls) as port:
        page.click("nav >> text=Trust")
        page.fill("#chain", pki.chain.decode())
        page.click("button:has-text('Submit for endorsement')")
        expect(page.locator(".badge").first).to_have_text("under review")
        page.click("nav >> text=Endpoint")
        page.fill("#url", "http://callbacks")
        page.click("button:has-text('Submit')")
        expect(page.locator(".findings")).to_contain_text("ENDPOINT-01")
        page.fill("#url", f"https://{HOST}:{port}")
        page.click("button:has-text('Submit')")
        expect(page.locator(".note.wait")).to_contain_text("waits for the hub's review")
        _decide(operator, "Chain 1", "Endorse")
        _decide(operator, "Server 1", "Approve")
        looking = open_page(storage_state=page.context.storage_state())
        looking.goto(page.url.partition("?")[0])
        looking.click("button:has-text('Probe now')")
        # Told while it goes on, without a reload.
        expect(looking.locator("[data-live] .steps li.good")).not_to_have_count(0, timeout=60_000)
        expect(looking.locator("progress")).to_have_js_property("value", 6, timeout=60_000)
        page.reload()
        expect(page.locator(".badge")).to_have_text(["succeeded"])


def _download(page: Page, text: str, path: Path) -> None:
    path.write_bytes(downloaded(page, lambda: page.click(f"a:has-text('{text}')")))
