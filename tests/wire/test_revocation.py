"""What was open is closed on the very next request, on connections that stay open (lab: a CRL alone never does)."""

import json
import ssl

import pytest
from tests.wire.conftest import ISSUER, MERCHANT, Line, World
from tests.wire.http2 import Http2Line

from bothways.cli.opening import control
from bothways.operations.certificates import revoke_certificate
from bothways.operations.customers import resume_customer, suspend_customer
from bothways.operations.services import grant_service, withdraw_service
from bothways.pki.revocation import RevocationReason
from bothways.spoke.directory import Spoke

pytestmark = pytest.mark.envoy


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
LINES: dict[str, type[Line | Http2Line]] = {"http/1.1": Line, "h2": Http2Line}


def context_of(world: World, spoke: Spoke, version: ssl.TLSVersion, protocol: str) -> ssl.SSLContext:
    context = world.context(spoke)
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols([protocol])
    return context


@pytest.mark.parametrize("protocol", LINES)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_revoked_certificate_is_refused_on_its_open_connection(
    world: World, version: ssl.TLSVersion, protocol: str
) -> None:
    (spoke, serial), (other, _) = world.connected(), world.connected()
    context = context_of(world, spoke, version, protocol)
    with LINES[protocol](world.tls(context), world.host) as line, world.open(other) as unharmed:
        assert line.tls_version == version.name.replace("_", ".")
        assert line.ask("/tokens/before")[0] == 200
        assert unharmed.ask("/tokens/before")[0] == 200
        revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
        world.apply()
        assert [line.ask(path)[0] for path in ("/tokens/after", "/connectivity", "/")] == [403, 403, 403]
        assert unharmed.ask("/tokens/after")[0] == 200
    # In TLS 1.3 the client's handshake is over before the server says what it thinks of the certificate.
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_REVOKED"), world.tls(context) as again:
        again.recv(1)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_in_flight_when_its_certificate_is_revoked_is_finished_and_nothing_is_begun(
    world: World, version: ssl.TLSVersion
) -> None:
    """A request is let in when it begins: what it may last is bounded by the time-outs of `docs/defaults.md`."""
    spoke, serial = world.connected()
    with Http2Line(world.tls(context_of(world, spoke, version, "h2")), world.host) as line:
        stream = line.begin("/tokens/long", (("content-length", "8"),), method="POST", end=False)
        # The endpoint has taken the first when it answers what comes after it.
        assert line.ask("/tokens/before")[0] == 200
        revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
        world.apply()
        assert line.ask("/tokens/after")[0] == 403
        line.finish(stream, b"the rest")
        status, body = line.answer(stream)
        assert (status, json.loads(body)["body"]) == (200, "the rest")
        assert line.ask("/tokens/after")[0] == 403


def test_a_suspended_customer_is_refused_on_its_open_connection_until_it_is_resumed(world: World) -> None:
    spoke, _ = world.connected()
    with world.open(spoke) as line:
        assert line.ask("/tokens")[0] == 200
        suspend_customer(world.hub, ISSUER, "tested")
        world.apply()
        assert [line.ask(path)[0] for path in ("/tokens", "/connectivity")] == [403, 403]
        resume_customer(world.hub, ISSUER)
        world.apply()
        assert line.ask("/tokens")[0] == 200


def test_whoever_was_taken_away_is_refused_all_the_while_until_the_maps_have_followed(world: World) -> None:
    (spoke, serial), (other, _) = world.connected(), world.connected()
    with world.open(spoke) as line, world.open(other) as unharmed:
        assert line.ask("/tokens")[0] == unharmed.ask("/tokens")[0] == 200
        revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
        world.apply()
        before = now = version(world)
        while now == before:
            now = version(world)
            assert (line.ask("/connectivity")[0], unharmed.ask("/tokens")[0]) == (403, 200)
        world.apply()
        assert (version(world), line.ask("/tokens")[0], unharmed.ask("/tokens")[0]) == (now, 403, 200)
        # What is new does not wait for that, nor lets anybody in whose list goes with it.
        revoked, serial = world.connected()
        with world.open(revoked) as another:
            revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
            world.apply()
            late, _ = world.certified(MERCHANT, "Shop")
            world.apply()
            with world.open(late) as third:
                assert third.ask("/connectivity")[0] == 200
            assert [each.ask("/connectivity")[0] for each in (line, another, unharmed)] == [403, 403, 200]


def version(world: World) -> str:
    """Return what the hub has published last: another one when the maps have followed."""
    status = control(world.hub, "GET", "/status")
    assert status is not None
    return str(status["version"])


def test_a_service_is_granted_and_withdrawn_on_an_open_connection(world: World) -> None:
    spoke, _ = world.connected(MERCHANT)
    with world.open(spoke) as line:
        assert line.ask("/vault")[0] == 403
        grant_service(world.hub, "vault", MERCHANT)
        world.apply()
        assert line.ask("/vault")[0] == 200
        withdraw_service(world.hub, "vault", MERCHANT, "tested")
        world.apply()
        assert [line.ask(path)[0] for path in ("/vault", "/connectivity")] == [403, 200]
