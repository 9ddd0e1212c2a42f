"""What only the transport of httpx2 does; what all clients promise is in `test_line.py`."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.programs import found, require
from tests.spoke.hubs import Hubs

from bothways.spoke.client import Client
from bothways.spoke.line import Line
from bothways.spoke.transport import Transport


@contextmanager
def http2_in_front(hubs: Hubs, directory: Path) -> Iterator[int]:
    """Run nginx on both addresses, which speaks HTTP/2 and passes on to the server of the same address."""
    require("nginx")
    nginx = str(found("nginx"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (directory / "ca.crt").write_text(hubs.spoke.contract.trust.issuing_ca)
    servers = "".join(
        f"""server {{
  listen {address}:{port} ssl http2; server_name api.hub.test;
  ssl_certificate {directory}/server.crt; ssl_certificate_key {directory}/server.key;
  ssl_client_certificate {directory}/ca.crt; ssl_verify_client on;
  location / {{
    proxy_pass https://{address}:{hubs.port}; proxy_buffering off;
    proxy_ssl_certificate {hubs.spoke.certificate_file}; proxy_ssl_certificate_key {hubs.spoke.key_file};
  }}
}}
"""
        for address in ("127.0.0.1", "127.0.0.2")
    )
    paths = "".join(
        f"{kind}_temp_path {directory}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = directory / "nginx.conf"
    config.write_text(
        f"daemon off; master_process off; pid {directory}/nginx.pid; error_log stderr error;\n"
        f"events {{}}\nhttp {{ access_log off; {paths}\n{servers}}}\n"
    )
    with subprocess.Popen([nginx, "-c", str(config), "-e", "stderr"]) as process:
        try:
            wait_for(port)
            yield port
        finally:
            process.terminate()


def wait_for(port: int) -> None:
    for address in ("127.0.0.1", "127.0.0.2"):
        for _ in range(1000):
            with socket.socket() as probe:
                if probe.connect_ex((address, port)) == 0:
                    break
            time.sleep(0.02)


def test_with_http2_streams_on_an_old_connection_go_to_their_end_and_new_ones_to_the_new_address(
    hubs: Hubs, tmp_path: Path
) -> None:
    with (
        http2_in_front(hubs, tmp_path) as port,
        Client(hubs.spoke, ask=hubs.question().ask, http2=True, timeout=60) as client,
    ):
        base = f"https://api.hub.test:{port}"
        first = client.get(f"{base}/")
        assert (first.text, first.http_version) == ("127.0.0.1", "HTTP/2")
        with client.stream("GET", f"{base}/slow") as slow:
            hubs.at("127.0.0.2")
            while client.get(f"{base}/").text == "127.0.0.1":
                time.sleep(0.02)
            hubs.first.go.set()
            assert slow.read() == b"127.0.0.1"
        assert client.get(f"{base}/").text == "127.0.0.2"
        opened = client.metrics.value("bothways_spoke_connections_opened_total", host="api.hub.test")
        assert opened == 2


def test_requests_of_many_threads_share_the_pool(hubs: Hubs) -> None:
    seen: list[str] = []
    hubs.at("127.0.0.1", ttl=60)
    with Client(hubs.spoke, ask=hubs.question().ask, timeout=60) as client:

        def load() -> None:
            seen.extend(client.get("/").text for _ in range(25))

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert seen == ["127.0.0.1"] * 100
    assert hubs.first.accepted <= 4


def test_it_follows_no_proxy_of_the_environment(hubs: Hubs, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with Client(hubs.spoke, ask=hubs.question().ask) as client:
        assert client.get("/").text == "127.0.0.1"


def test_what_has_no_tls_is_refused_before_anything_is_sent() -> None:
    with (
        httpx2.Client(transport=Transport(Line(ssl.create_default_context))) as client,
        pytest.raises(httpx2.UnsupportedProtocol, match="Use https://"),
    ):
        client.get("http://localhost:1/")


@pytest.mark.parametrize("how", ["close", "with"])
def test_the_end_of_the_transport_is_the_end_of_its_connections(hubs: Hubs, how: str) -> None:
    client: Any = Client(hubs.spoke, ask=hubs.question().ask)
    if how == "with":
        with client:
            client.get("/")
    else:
        client.get("/")
        client.close()
    assert client.metrics.value("bothways_spoke_connections_open", host="api.hub.test") == 0
