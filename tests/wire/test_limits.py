"""What the whole endpoint takes at most: whoever comes then is turned away, and the hub itself goes on calling."""

import asyncio
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import pytest
from tests.wire.conftest import World, with_envoy

from bothways.dataplane.ads import AdsServer
from bothways.dataplane.publisher import current_snapshot
from bothways.operations.hub import Hub
from bothways.xds import overload

pytestmark = pytest.mark.envoy


def test_one_connection_too_many_is_closed_and_the_hub_still_calls(
    hub: Hub, issuer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overload, "CONNECTIONS", 2)
    world = World(hub, tmp_path)
    spoke, _ = world.certified(issuer)

    def crowd() -> None:
        with ExitStack() as stack:
            lines = [stack.enter_context(world.open(spoke)) for _ in range(2)]
            assert [line.ask("/nothing")[0] for line in lines] == [404, 404]
            with pytest.raises(OSError, match=r"reset|EOF|closed"), world.open(spoke) as refused:
                refused.ask("/nothing")
            egress = HTTPConnection(hub.settings.egress_address, hub.settings.egress_port, timeout=10)
            egress.request("GET", "/")
            # No customer is established: Envoy itself answers, and that it does is the point.
            assert egress.getresponse().status == 404
            egress.close()
            assert [line.ask("/nothing")[0] for line in lines] == [404, 404]

    async def test(ads: AdsServer) -> None:
        async with asyncio.timeout(20):
            assert await ads.settled() is True
        await asyncio.to_thread(crowd)

    asyncio.run(with_envoy(hub, current_snapshot(hub), test))
