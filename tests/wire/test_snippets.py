"""What `spoke config` prints, run for real in the programs that it is for, beside a hub that runs with its Envoy."""

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest
from tests.conftest import free_ports, local_settings, new_token, running
from tests.dns_server import DnsServer, serving_dns
from tests.dotnet import COMPILER, NO_LIBICU, compiled
from tests.hub_server import hub_server
from tests.programs import absent, brought, found, require, skip_if
from tests.shell_pages import blocks
from tests.wire.conftest import ISSUER, World
from tests.wire.servers import NGINX, make_pki
from tests.wire.upstream import Upstream, answer, serving

from bothways import files
from bothways.contract.document import Environment, KeyType
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.dataplane.envoy import find_envoy
from bothways.demo.customer_ca import ServerFiles, make_server_files
from bothways.manual.filling import Names
from bothways.operations.certificates import certificate_chain
from bothways.operations.customers import add_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract, initialise, new_terms, open_hub
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.rotation import rotate_client_certificate
from bothways.reference.stacks import without_certificates
from bothways.registry.customer import CustomerKind
from bothways.signer.token_uri import parse_token_uri
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke, init_spoke
from bothways.spoke.install import install_certificate
from bothways.spoke.sidecar import LOCAL_PORT
from bothways.spoke.snippet import Stack, Wiring, snippet
from bothways.xds.state import Address

pytestmark = [pytest.mark.envoy, pytest.mark.timeout(300)]

SECONDS = 30.0
START = 120.0
"""A compiler that starts on a machine under load."""
PROGRAMS = {
    Stack.NGINX: NGINX,
    Stack.HAPROXY: found("haproxy"),
    Stack.APACHE: found("apache2"),
    Stack.ENVOY: "",
    Stack.DOTNET: str(COMPILER) if COMPILER.is_file() else None,
    Stack.JAVA: found("java") if found("javac") else None,
    Stack.NODE: found("node"),
    Stack.GO: found("go"),
    Stack.PYTHON: sys.executable,
    Stack.CURL: found("curl"),
    Stack.OPENSSL: found("openssl"),
}
PROXIES = [Stack.NGINX, Stack.HAPROXY, Stack.APACHE, Stack.ENVOY]
LANGUAGES = [Stack.JAVA, Stack.DOTNET, Stack.NODE, Stack.GO, Stack.PYTHON]
SOURCES = {
    Stack.JAVA: "Hub.java",
    Stack.DOTNET: "Program.cs",
    Stack.NODE: "hub.js",
    Stack.GO: "hub.go",
    Stack.PYTHON: "hub.py",
}
APACHE_PLACE = "/usr/lib/apache2/modules"
APACHE_MODULES = ("mpm_event", "authz_core", "socache_shmcb", "ssl", "proxy", "proxy_http", "headers")


@dataclass
class Scene:
    """A hub that runs, a spoke with its certificate, the customer's server, and callers.

    `local` is the same spoke of a server in the hub's role at `localhost`, for programs that ask the system's resolver.
    """

    hub: Hub
    spoke: Spoke
    local: Spoke
    server: ServerFiles
    place: Path
    application: Upstream
    dns: DnsServer
    hub_pairs: tuple[Path, Path]
    strangers: tuple[Path | None, ...]

    def wiring(self) -> Wiring:
        local, port = free_ports(2)
        resolvers = (Address("127.0.0.1", self.dns.port),)
        application = f"http://127.0.0.1:{self.application.port}"
        certificate, key = self.server.certificate, self.server.key
        return Wiring(certificate, key, "callbacks.localhost", port, application, local, resolvers)

    def called(self, port: int, pair: Path | None) -> int:
        """Call the customer's server as whoever has this certificate; return the status, or 0 if TLS refuses."""
        context = ssl.create_default_context(cafile=str(self.server.chain))
        if pair:
            context.load_cert_chain(pair)
        with (
            suppress(ssl.SSLError, ConnectionError, http.client.HTTPException),
            socket.create_connection(("127.0.0.1", port), SECONDS) as plain,
            context.wrap_socket(plain, server_hostname="callbacks.localhost") as secured,
        ):
            connection = http.client.HTTPConnection("callbacks.localhost")
            connection.sock = secured
            connection.request("GET", "/notify", headers={"Bothways-Hub": "evil", "Client-Cert": "evil"})
            return connection.getresponse().status
        return 0

    def judge(self, port: int) -> None:
        """The hub gets in with any certificate of its Client CA, and nobody else does."""
        assert [self.called(port, each) for each in self.hub_pairs] == [200, 200]
        refused = [self.called(port, each) for each in self.strangers]
        assert not [each for each in refused if each not in {0, 400, 403}]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    place, settings = tmp_path_factory.mktemp("snippets"), local_settings()
    terms = new_terms(Environment.PPR, "ppr.hub.localhost", settings)
    with ExitStack() as stack:
        initialise(place / "hub", terms, settings, "tester")
        hub = stack.enter_context(open_hub(place / "hub", "tester"))
        add_customer(hub, ISSUER, CustomerKind.ISSUER, "Bank")
        stack.enter_context(running(hub))
        spoke, _ = World(hub, place).connected(ISSUER)
        files.write_new(spoke.directory / "spoke.toml", f'customer = "{ISSUER}"\n'.encode())
        (spoke.directory / "ca.crt").write_text(contract(hub).trust.server_ca)
        (spoke.directory / "client-ca.crt").write_text(contract(hub).trust.client_ca)
        pairs = []
        for number in range(2):
            pair = hub_state(hub).client
            pairs.append(place / f"hub-{number}.pem")
            files.write_new(pairs[-1], (pair.key_pem + pair.certificate_pem).encode(), files.PRIVATE)
            rotate_client_certificate(hub)
        dns = stack.enter_context(serving_dns())
        dns.records = {("api.ppr.hub.localhost", "A"): ["1 127.0.0.1"]}
        [port] = free_ports(1)
        local = moved(spoke, place / "local", "localhost", port)
        pki = make_pki(local.directory / "pki", local.contract.trust.issuing_ca, "localhost")
        (local.directory / "ca.crt").write_text(pki.root)
        stack.enter_context(hub_server(pki, "127.0.0.1", port, local.contract.trust.issuing_ca, ISSUER))
        application = stack.enter_context(serving(answer))
        server = make_server_files(place, "First Bank", "callbacks.localhost")
        # Nobody; a certificate of the hub's other CA; and one with the hub's name, of a CA that nobody knows.
        (place / "twin").mkdir()
        twin = make_pki(place / "twin", "", hub.terms.hub)
        strangers = (
            None,
            pem(place / "other.pem", spoke.certificate_file, spoke.key_file),
            pem(place / "twin.pem", twin.certificate, twin.key),
        )
        yield Scene(hub, spoke, local, server, place, application, dns, (pairs[0], pairs[1]), strangers)


def moved(spoke: Spoke, directory: Path, host: str, port: int) -> Spoke:
    """Return the spoke with the endpoint elsewhere, in a directory of its own."""
    shutil.copytree(spoke.directory, directory, symlinks=True, ignore=shutil.ignore_patterns("envoy"))
    (directory / "pki").mkdir()
    terms = replace(spoke.contract.terms, endpoint=f"https://{host}:{port}")
    return Spoke(directory, replace(spoke.contract, terms=terms), spoke.tsp_id)


def pem(path: Path, certificate: Path, key: Path) -> Path:
    """Put certificate and key into one file."""
    files.write_new(path, key.read_bytes() + certificate.read_bytes(), files.PRIVATE)
    return path


def program(stack: Stack) -> str:
    path = PROGRAMS[stack]
    if path is None:
        names = {Stack.APACHE: ("apache2",), Stack.JAVA: ("java", "javac")}.get(stack, (stack.value,))
        skip_if(absent(*names) or f"{stack.value} is not there ({brought(stack.value)})")
    return str(path)


@contextmanager
def serving_process(
    command: list[str], port: int, log: Path, environment: dict[str, str] | None = None
) -> Iterator[None]:
    """Run a command until its port takes connections, and end it with all that it started."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True, env=environment
        )
    try:
        end = time.monotonic() + START
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        process.wait(SECONDS)


@contextmanager
def proxy(stack: Stack, spoke: Spoke, wiring: Wiring, place: Path) -> Iterator[None]:
    """Run a proxy with what is printed for it."""
    path, text = place / f"{stack.value}.conf", snippet(stack, spoke, wiring)
    path.write_text(text)
    if stack is Stack.NGINX:
        temporary = " ".join(
            f"{each}_temp_path {place}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        main = place / "nginx-main.conf"
        main.write_text(
            # With workers, as it runs everywhere: what they use of a token has to outlive the fork.
            f"daemon off; user root; env SOFTHSM2_CONF; pid {place}/nginx.pid; error_log stderr;\nevents {{}}\n"
            f"http {{ access_log off; {temporary} include {path}; }}\n"
        )
        command = [program(stack), "-e", "stderr", "-p", str(place), "-c", str(main)]
    elif stack is Stack.HAPROXY:
        command = [program(stack), "-db", "-f", str(path)]
    elif stack is Stack.APACHE:
        [made] = [line.strip("# \n") for line in text.splitlines() if "umask 077" in line]
        subprocess.run(["sh", "-c", made], check=True, timeout=SECONDS)
        main = place / "httpd.conf"
        modules = (f"LoadModule {each}_module {APACHE_PLACE}/mod_{each}.so" for each in APACHE_MODULES)
        main.write_text(
            "\n".join(modules) + f"\nServerRoot {place}\nPidFile {place}/apache.pid\nErrorLog {place}/apache.log\n"
            f"ServerName localhost\nDefaultRuntimeDir {place}\nMutex file:{place}\nInclude {path}\n"
        )
        command = [program(stack), "-DFOREGROUND", "-f", str(main)]
    else:
        subprocess.run(["sh", str(path)], check=True, timeout=SECONDS, capture_output=True)
        command = [str(find_envoy()), "--disable-hot-restart", "-c", str(spoke.directory / "envoy" / "envoy.json")]
    with serving_process(command, wiring.local_port, place / f"{stack.value}.log"):
        yield


def until(local_port: int, path: str) -> httpx2.Response:
    """Call the hub through a proxy until it knows the hub's address."""
    end = time.monotonic() + SECONDS
    while True:
        response = httpx2.get(f"http://127.0.0.1:{local_port}{path}", timeout=SECONDS, trust_env=False)
        if response.status_code not in {502, 503} or time.monotonic() > end:
            return response
        time.sleep(0.1)


@pytest.mark.parametrize("stack", list(Stack))
def test_a_page_prints_what_is_run_here_but_for_the_names(scene: Scene, stack: Stack) -> None:
    place, terms = scene.local.directory, scene.local.contract.terms
    wiring = replace(scene.wiring(), server_certificate=place / "server.crt", server_key=place / "server.key")
    _, printed, _ = blocks(f"howto-{stack.value}")
    here: dict[str, object] = {
        "/etc/bothways": place,
        "bank.example": wiring.server_name,
        "8443": wiring.port,
        "8080": scene.application.port,
        str(LOCAL_PORT): wiring.local_port,
        "127.0.0.53:53": wiring.resolvers[0],
    }
    # In one pass: a port of this machine may have one of the page's in it.
    text = re.sub("|".join(map(re.escape, here)), lambda found: str(here[found[0]]), printed.text)
    text = Names(terms.endpoint, terms.portal, terms.hub, ISSUER).fill(text)
    assert text == without_certificates(snippet(stack, scene.local, wiring)).strip() + "\n"


@pytest.mark.parametrize("stack", PROXIES)
def test_a_proxy_is_both_ends(scene: Scene, stack: Stack) -> None:
    require("sh")
    program(stack)
    wiring = scene.wiring()
    with proxy(stack, scene.local if stack is Stack.APACHE else scene.spoke, wiring, scene.place):
        response = until(wiring.local_port, "/connectivity")
        assert (response.status_code, response.json()["customer"]) == (200, ISSUER), response.text
        scene.judge(wiring.port)
        head = scene.application.heads[-1].lower()
    assert "bothways-hub: ppr.hub.localhost\r\n" in head
    assert "bothways-environment: ppr\r\n" in head
    assert "evil" not in head


@pytest.mark.parametrize("stack", LANGUAGES)
def test_a_program_is_both_ends(scene: Scene, stack: Stack) -> None:
    run, wiring = program(stack), scene.wiring()
    path, text = scene.place / SOURCES[stack], snippet(stack, scene.local, wiring)
    path.write_text(text)
    command, environment = [run, str(path)], dict(os.environ)
    if stack is Stack.JAVA:
        _make_p12(text)
    if stack is Stack.DOTNET:
        command = [str(compiled(path, scene.place))]
        environment |= NO_LIBICU
    if stack is Stack.GO:
        environment |= {"GO111MODULE": "off"}
        subprocess.run(
            [run, "build", "-o", "hub-go", path.name], cwd=scene.place, check=True, timeout=START, env=environment
        )
        command = [str(scene.place / "hub-go")]
    done = subprocess.run(
        [*command, "call", "/connectivity"], capture_output=True, text=True, timeout=START, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert f'"{ISSUER}"' in done.stdout
    refused = subprocess.run(
        [*command, "call", "/nothing"], capture_output=True, text=True, timeout=START, check=False, env=environment
    )
    assert refused.returncode == 1, refused.stdout
    log = path.with_suffix(".log")
    with serving_process([*command, "serve"], wiring.port, log, environment):
        scene.judge(wiring.port)


def _make_p12(text: str) -> None:
    """Do what the first lines of the program say."""
    lines = [each.removeprefix("//   ") for each in text.splitlines() if each.startswith("//   ")][1:]
    commands = "\n".join(lines).replace("bothways ", f"{sys.executable} -m bothways ", 1)
    subprocess.run(["sh", "-ec", commands], check=True, timeout=START, capture_output=True)


def test_curl_calls_the_hub(scene: Scene) -> None:
    program(Stack.CURL)
    text = snippet(Stack.CURL, scene.spoke, scene.wiring())
    done = subprocess.run(["sh", "-ec", text], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    assert f'"{ISSUER}"' in done.stdout


def test_openssl_calls_the_hub_and_is_called(scene: Scene) -> None:
    program(Stack.OPENSSL)
    wiring = scene.wiring()
    text = snippet(Stack.OPENSSL, scene.local, wiring)
    calling, _, listening = text.partition("# From the hub")
    done = subprocess.run(["sh", "-ec", calling], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert f'"{ISSUER}"' in done.stdout, done.stderr
    command = "openssl s_server" + listening.partition("openssl s_server")[2]
    with serving_process(["sh", "-c", f"exec {command}"], wiring.port, scene.place / "s_server.log"):
        scene.judge(wiring.port)


@pytest.fixture(scope="module")
def in_token(scene: Scene, softhsm: Path, pkcs11_provider: None) -> Spoke:  # noqa: ARG001 - it has to be there
    """A spoke of the same customer whose key lies in a PKCS#11 token, at the server in the hub's role."""
    place = scene.place / "token"
    place.mkdir()
    uri = parse_token_uri(new_token(softhsm, place, "bank"))
    (place / "contract.toml").write_text(render_contract(contract(scene.hub)))
    spoke = init_spoke(place / "bank", str(place / "contract.toml"), ISSUER)
    make_request(spoke, KeyType.ECDSA, Subject("FR", "Ile-de-France", "Paris", "Bank", "Payments"), token=uri)
    stored = submit_request(scene.hub, ISSUER, spoke.request_file.read_bytes())
    install_certificate(spoke, certificate_chain(scene.hub, approve_request(scene.hub, stored.id)).encode())
    shutil.copy(scene.local.directory / "ca.crt", spoke.directory / "ca.crt")
    return replace(spoke, contract=scene.local.contract)


@pytest.mark.parametrize("stack", [Stack.NGINX, Stack.HAPROXY])
def test_a_proxy_calls_the_hub_with_a_key_in_a_token(
    scene: Scene, in_token: Spoke, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(stack)
    wiring = scene.wiring()
    text = snippet(stack, in_token, wiring)
    [conf] = re.findall(r"^# +Environment=OPENSSL_CONF=(\S+)$", text, flags=re.MULTILINE)
    monkeypatch.setenv("OPENSSL_CONF", conf)
    scene.dns.records["localhost", "A"] = ["1 127.0.0.1"]
    with proxy(stack, in_token, wiring, tmp_path):
        for _ in range(3):
            response = until(wiring.local_port, "/connectivity")
            assert (response.status_code, response.json()["customer"]) == (200, ISSUER), response.text
        scene.judge(wiring.port)


@pytest.mark.parametrize("stack", [Stack.CURL, Stack.OPENSSL, Stack.PYTHON])
def test_a_program_calls_the_hub_with_a_key_in_a_token(
    scene: Scene, in_token: Spoke, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, text = program(stack), snippet(stack, in_token, scene.wiring())
    command = ["sh", "-ec", text.partition("# From the hub")[0]]
    if stack is Stack.PYTHON:
        (tmp_path / "hub.py").write_text(text)
        [conf] = re.findall(r"^# Start it with: OPENSSL_CONF=(\S+)$", text, flags=re.MULTILINE)
        monkeypatch.setenv("OPENSSL_CONF", conf)
        command = [run, str(tmp_path / "hub.py"), "call", "/connectivity"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert f'"{ISSUER}"' in done.stdout, done.stderr


@pytest.mark.parametrize("stack", [Stack.NGINX, Stack.HAPROXY])
def test_a_proxy_that_asks_dns_itself_follows_the_address(scene: Scene, stack: Stack, tmp_path: Path) -> None:
    program(stack)
    [port], name = free_ports(1), "api.hub.test"
    spoke = moved(scene.spoke, tmp_path / "spoke", name, port)
    pki = make_pki(spoke.directory / "pki", spoke.contract.trust.issuing_ca, name)
    (spoke.directory / "ca.crt").write_text(pki.root)
    scene.dns.records[name, "A"] = ["2 127.0.0.1"]
    issuing, wiring = spoke.contract.trust.issuing_ca, scene.wiring()
    with (
        hub_server(pki, "127.0.0.1", port, issuing) as old,
        hub_server(pki, "127.0.0.2", port, issuing) as new,
        proxy(stack, spoke, wiring, tmp_path),
    ):

        def call() -> None:
            assert until(wiring.local_port, "/connectivity").status_code == 200

        call()
        assert old.requests > 0
        scene.dns.records[name, "A"] = ["2 127.0.0.2"]
        end = time.monotonic() + SECONDS
        while not new.requests:
            call()
            assert time.monotonic() < end
        used = old.requests
        call()
        assert old.requests == used
