"""What the real Envoy makes of revocation lists, and that no list of ours shuts out whom it does not name."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.wire.conftest import Line, World

from bothways import files
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.envoy import EnvoyProcess, find_envoy
from bothways.operations.certificates import certificate_chain, revoke_certificate
from bothways.operations.customers import add_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.revocation import current_list, list_pem, publish_list
from bothways.operations.upkeep import upkeep
from bothways.pki.revocation import LIST_MARGIN, RevocationReason
from bothways.registry.customer import CustomerKind
from bothways.store import authorities
from bothways.store.authorities import Role
from bothways.xds.bootstrap import bootstrap
from bothways.xds.snapshot import build_snapshot
from bothways.xds.state import HubState

pytestmark = pytest.mark.envoy
REVOKED = "CERTIFICATE_REVOKED"


def at(hub: Hub, moment: datetime) -> Hub:
    return replace(hub, now=lambda: moment)


@asynccontextmanager
async def serving(hub: Hub, state: HubState) -> AsyncIterator[AdsServer]:
    """Run an Envoy that serves a state, and nothing else."""
    run = hub.run_directory
    ads = AdsServer(run / "ads.sock", build_snapshot(state))
    files.replace(run / "envoy.json", bootstrap("node", str(run / "ads.sock"), str(run / "admin.sock")).encode())
    envoy = asyncio.create_task(EnvoyProcess(find_envoy(), run / "envoy.json", run / "envoy.log").run())
    await ads.start()
    try:
        async with asyncio.timeout(60):
            await ads.confirmed()
            yield ads
    finally:
        envoy.cancel()
        await asyncio.gather(envoy, return_exceptions=True)
        await ads.stop()


async def publish(ads: AdsServer, state: HubState) -> None:
    ads.publish(build_snapshot(state))
    assert await ads.settled()


@pytest.fixture
def client(hub: Hub, make_csr: Callable[..., bytes], ecdsa_key: object, tmp_path: Path) -> ssl.SSLContext:
    """A client's context with the certificate of a customer that nobody revoked."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat  # noqa: PLC0415

    add_customer(hub, "12345678", CustomerKind.ISSUER, "First Bank")
    record = approve_request(hub, submit_request(hub, "12345678", make_csr(ecdsa_key)).id)
    pem = ecdsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined]
    (tmp_path / "tls.pem").write_bytes(pem + certificate_chain(hub, record).encode())
    context = ssl.create_default_context(cadata=contract(hub).trust.server_ca)
    context.load_cert_chain(tmp_path / "tls.pem")
    # So that the handshake tells what the server thinks of the certificate.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


async def handshake(hub: Hub, context: ssl.SSLContext) -> str:
    """Shake hands, and return what went wrong, or nothing."""
    host = hub.terms.endpoint.removeprefix("https://").split(":")[0]
    try:
        _, writer = await asyncio.open_connection(
            "127.0.0.1", hub.settings.inbound_port, ssl=context, server_hostname=host
        )
    except ssl.SSLError as error:
        return str(error.reason)
    writer.close()
    return ""


def test_envoy_shuts_everybody_out_under_a_list_that_has_ended_and_so_is_not_given_one(
    hub: Hub, client: ssl.SSLContext
) -> None:
    with hub.read() as connection:
        authority = authorities.signing_authority(connection, Role.ISSUING)
    publish_list(at(hub, hub.now() - timedelta(days=60)), authority)
    ended, ours = list_pem(current_list(hub)), hub_state(hub)
    assert ours.trust.lists == ()

    async def run() -> None:
        async with serving(hub, ours) as ads:
            assert await handshake(hub, client) == ""
            # What Envoy would do with it: the reason for all the rest.
            await publish(ads, replace(ours, trust=replace(ours.trust, lists=(ended,))))
            assert "ALERT" in await handshake(hub, client)
            # A list in force, and one within its margin, which is the last that Envoy is ever given.
            upkeep(hub)
            fresh = hub_state(hub)
            assert len(fresh.trust.lists) == 1
            await publish(ads, fresh)
            assert await handshake(hub, client) == ""
            late = hub_state(at(hub, current_list(hub).next_update - LIST_MARGIN))
            assert late.trust.lists == ()
            await publish(ads, replace(fresh, trust=late.trust))
            assert await handshake(hub, client) == ""

    asyncio.run(run())


def test_a_revoked_certificate_is_refused_at_the_handshake_and_others_are_not(world: World) -> None:
    (spoke, serial), (other, _) = world.connected(), world.connected()
    revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
    world.apply()
    context = world.context(spoke)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match=REVOKED):
        world.tls(context)
    with world.open(other) as line:
        assert line.ask("/connectivity")[0] == 200


def test_a_list_that_is_published_anew_disturbs_no_open_connection(world: World) -> None:
    (spoke, _), (_, serial) = world.connected(), world.connected()
    with Line(world.tls(world.context(spoke)), world.host) as line:
        assert line.ask("/connectivity")[0] == 200
        before = current_list(world.hub).number
        revoke_certificate(world.hub, serial, RevocationReason.SUPERSEDED)
        world.apply()
        assert current_list(world.hub).number == before + 1
        assert line.ask("/connectivity")[0] == 200
