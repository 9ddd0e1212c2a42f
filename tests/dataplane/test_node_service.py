"""A node asks for its next certificate where it gets its configuration: as who it is by what it shows, and not else."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial

import grpc
import grpc.aio
import pytest
from cryptography import x509
from tests.dataplane.test_relay import Place, nodes_hub, with_relay  # noqa: F401 - a fixture
from tests.operations.test_node_renewal import request

from bothways.dataplane.node_service import RENEW, SERVICE, TRUST, node_handler
from bothways.operations.authorities import add_node_authority
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.operations.node_renewal import current_trust, renew_node
from bothways.operations.nodes import withdraw_node
from bothways.pki.chain import certificate_pem, fingerprint
from bothways.xds import names


async def asked(channel: grpc.aio.Channel, csr: bytes, method: str = RENEW) -> bytes:
    return bytes(await channel.unary_unary(f"/{SERVICE}/{method}")(csr, timeout=30))


def run(hub: Hub, test: Callable[[Place], Awaitable[None]]) -> None:
    asyncio.run(with_relay(hub, test))


def test_a_node_is_given_a_certificate_that_is_known_when_it_has_it(nodes_hub: Hub) -> None:  # noqa: F811
    async def test(place: Place) -> None:
        asking = asyncio.create_task(asked(place.line.channel, request()))
        while not asking.done():
            # A round of the publisher.
            place.ads.follow(await asyncio.to_thread(hub_state, place.hub))
            await asyncio.sleep(0.02)
        answer = json.loads(asking.result())
        assert answer["trust"] == (place.directory / names.TRUST_FILE).read_text()
        shown = fingerprint(x509.load_pem_x509_certificate(answer["certificate"].encode()))
        assert place.admission.admits("eu-1", shown)

    run(nodes_hub, test)


def test_what_is_refused_is_told_and_a_withdrawn_node_is_given_nothing(
    nodes_hub: Hub,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test(place: Place) -> None:
        with pytest.raises(grpc.aio.AioRpcError, match="NODE-REQUEST-01"):
            await asked(place.line.channel, request("eu-2"))
        withdraw_node(place.hub, "eu-1", "tested")
        place.ads.follow(hub_state(place.hub))
        for method in (RENEW, TRUST):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await asked(place.line.channel, request(), method)
            assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED

    run(nodes_hub, test)
    assert caplog.text.count("is turned away: it shows a certificate that is no node's on record") == 1


def test_a_node_is_told_which_ca_signs_now_and_which_is_trusted_besides(nodes_hub: Hub) -> None:  # noqa: F811
    async def test(place: Place) -> None:
        before = (place.directory / names.TRUST_FILE).read_text()
        assert json.loads(await asked(place.line.channel, b"", TRUST)) == {"trust": before}
        added = add_node_authority(place.hub)
        now = json.loads(await asked(place.line.channel, b"", TRUST))
        assert now == {"trust": certificate_pem(added.certificate) + before}

    run(nodes_hub, test)


def test_whoever_shows_no_certificate_is_given_none(hub: Hub) -> None:
    async def test() -> None:
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((node_handler(partial(renew_node, hub), partial(current_trust, hub)),))
        place = hub.run_directory / "ads.sock"
        server.add_insecure_port(f"unix:{place}")
        await server.start()
        async with grpc.aio.insecure_channel(f"unix:{place}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await asked(channel, request())
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
        await server.stop(None)

    asyncio.run(test())
