"""HTTP/2 at the endpoint: the same hosts, paths and headers as over HTTP/1.1, spoken by curl."""

import json
import subprocess

import pytest
from tests.programs import brought, found, require
from tests.wire.conftest import ISSUER, MERCHANT, World

from bothways.spoke.directory import Spoke

pytestmark = pytest.mark.envoy


def ask(world: World, spoke: Spoke, path: str, *options: str) -> tuple[int, str]:
    """Send one GET over HTTP/2, and return status and body."""
    require("curl")
    curl = str(found("curl"))
    if " HTTP2 " not in subprocess.run([curl, "-V"], capture_output=True, text=True, check=True).stdout:
        pytest.skip(f"curl on PATH speaks no HTTP/2 (wanted: that of {brought('curl')})")
    identity = ["--cert", str(spoke.certificate_file), "--key", str(spoke.key_file), "--cacert", str(ca_of(world))]
    asked = ["--http2", "--path-as-is", "--max-time", "10", *options, f"https://{world.host}{path}"]
    command = [curl, "-sS", *identity, *asked, "-w", "\n%{http_version} %{http_code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    body, _, told = done.stdout.rpartition("\n")
    version, status = told.split()
    assert version == "2"
    return int(status), body


def ca_of(world: World) -> object:
    path = world.directory / "server-ca.pem"
    path.write_text(world.spokes[0].contract.trust.server_ca)
    return path


def test_a_granted_service_is_told_who_calls_and_no_forged_identity(world: World, caller: Spoke) -> None:
    forged = (
        "-H",
        f"Bothways-Customer: {MERCHANT}",
        "-H",
        "Client-Cert: :forged:",
        "-H",
        "X-Forwarded-For: 192.0.2.99",
    )
    status, body = ask(world, caller, "/tokens/new?n=1", *forged)
    echo = json.loads(body)
    assert (status, echo["path"], echo["headers"]["bothways-customer"]) == (200, "/tokens/new?n=1", ISSUER)
    assert echo["headers"]["client-cert"] not in {"", ":forged:"}
    assert "192.0.2.99" not in body


@pytest.mark.parametrize("host", ["other.example", "portal.ppr.hub.localhost", "127.0.0.1"])
def test_another_authority_answers_421(world: World, caller: Spoke, host: str) -> None:
    status, body = ask(world, caller, "/tokens", "-H", f"Host: {host}")
    assert (status, json.loads(body)["status"]) == (421, 421)


def test_the_authority_is_taken_with_and_without_port_in_any_case(world: World, caller: Spoke) -> None:
    for host in (world.host, world.host.split(":")[0], world.host.upper()):
        assert ask(world, caller, "/tokens", "-H", f"Host: {host}")[0] == 200


def test_an_underscore_variant_is_refused(world: World, caller: Spoke) -> None:
    # Envoy ends the stream without an answer, or with 400: either way the service sees nothing.
    try:
        status, _ = ask(world, caller, "/tokens", "-H", f"Bothways_Customer: {MERCHANT}")
    except subprocess.CalledProcessError as refused:
        assert "stream" in refused.stderr  # noqa: PT017 - both ways are right
    else:
        assert status == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/vault", 403),
        ("/TOKENS", 404),
        ("/tokensX", 404),
        ("/tokens/../vault", 403),
        ("/tokens/%2e%2e/vault", 403),
        ("/tokens/..;/vault", 403),
        ("/tokens;/../vault", 403),
        ("//vault", 403),
        ("/tokens/..%2fvault", 400),
        ("/tokens%5c..%5cvault", 400),
        ("/tokens/..\\vault", 403),
        ("/tokens%00", 400),
        ("/%76ault", 403),
    ],
)
def test_path_tricks_reach_no_service_that_is_not_granted(world: World, caller: Spoke, path: str, status: int) -> None:
    assert ask(world, caller, path)[0] == status
