"""What only the adapter does; what all clients promise is in `test_line.py`."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.spoke.hubs import HOST, Hubs

from bothways.demo.customer_ca import make_server_files
from bothways.spoke import requests_adapter
from bothways.spoke.requests_adapter import Adapter, Session


@pytest.fixture
def session(hubs: Hubs) -> Iterator[Session]:
    with Session(hubs.spoke, ask=hubs.question().ask) as opened:
        yield opened


def test_an_adapter_serves_a_session_of_ones_own(hubs: Hubs) -> None:
    adapter = Adapter(hubs.spoke, ask=hubs.question().ask)
    with requests.Session() as session:
        session.mount(adapter.endpoint, adapter)
        assert session.post(f"{adapter.endpoint}/", json={"a": 1}).text == "127.0.0.1"
    assert adapter.metrics.value("bothways_spoke_connections_open", host=HOST) == 0


@pytest.mark.parametrize(
    "options", [{"verify": False}, {"cert": "other.pem"}, {"proxies": {"https": "http://127.0.0.1:1"}}], ids=str
)
def test_options_that_would_lead_around_mutual_tls_are_refused(session: Session, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the spoke's contract says whom to trust"):
        session.get("/", **options)


def test_the_public_cas_of_requests_are_not_trusted(
    session: Session, hubs: Hubs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A server with the hub's name under a CA that `requests` trusts, and the contract does not.
    (tmp_path / "other").mkdir()
    made = make_server_files(tmp_path / "other", "Public", HOST)
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(made.chain))
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    other.load_cert_chain(made.certificate, made.key)
    hubs.first.context = other
    for verify in (True, str(made.chain)):
        with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            session.get("/", verify=verify)


def test_what_has_no_tls_is_refused(session: Session) -> None:
    with pytest.raises(requests.exceptions.InvalidSchema):
        session.get("http://localhost:1/")
    with pytest.raises(requests.exceptions.InvalidSchema, match="Use https://"):
        session.get_adapter("https://").send(requests.Request("GET", "http://localhost:1/").prepare())


def test_a_time_out_is_one_of_requests(session: Session) -> None:
    with pytest.raises(requests.exceptions.ConnectionError, match="Read timed out"):
        session.get("/slow", timeout=(60, 0.2))


def test_an_idle_connection_is_not_kept_for_long(session: Session, hubs: Hubs, monkeypatch: pytest.MonkeyPatch) -> None:
    hubs.at("127.0.0.1", ttl=60)
    session.get("/")
    monkeypatch.setattr(requests_adapter, "KEEP_ALIVE_SECONDS", 0.0)
    session.get("/")
    assert hubs.first.accepted == 2
