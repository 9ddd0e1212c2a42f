"""What only the connector does; what all clients promise is in `test_line.py`."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from tests.spoke.hubs import HOST, Hubs

from bothways.spoke.addresses import Found
from bothways.spoke.aiohttp_connector import Connector, open_session


def run(hubs: Hubs, action: Callable[[aiohttp.ClientSession], Awaitable[Any]], **options: Any) -> Any:
    async def inside() -> Any:
        async with open_session(hubs.spoke, ask=hubs.question().ask, **options) as session:
            return await action(session)

    return asyncio.run(inside())


def test_a_connector_serves_a_session_of_ones_own(hubs: Hubs) -> None:
    async def inside() -> tuple[str, Connector]:
        connector = Connector(hubs.spoke, ask=hubs.question().ask)
        async with aiohttp.ClientSession(connector=connector) as session, session.get(connector.endpoint) as answer:
            return await answer.text(), connector

    text, connector = asyncio.run(inside())
    assert text == "127.0.0.1"
    assert connector.closed


def test_many_requests_at_once_share_the_connections(hubs: Hubs) -> None:
    hubs.at("127.0.0.1", ttl=60)

    async def many(session: aiohttp.ClientSession) -> list[str]:
        async def load() -> list[str]:
            seen = []
            for _ in range(5):
                async with session.get("/") as answer:
                    seen.append(await answer.text())
            return seen

        return [each for seen in await asyncio.gather(*(load() for _ in range(10))) for each in seen]

    assert run(hubs, many) == ["127.0.0.1"] * 50
    assert hubs.first.accepted <= 10


@pytest.mark.parametrize(
    "options",
    [{"ssl": False}, {"ssl": ssl.create_default_context()}, {"proxy": "http://127.0.0.1:1"}],
    ids=["unverified", "context", "proxy"],
)
def test_options_that_would_lead_around_mutual_tls_are_refused(hubs: Hubs, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the spoke's contract says whom to trust"):
        run(hubs, lambda session: session.get("/", **options))
    assert hubs.first.accepted == 0


def test_what_has_no_tls_is_refused(hubs: Hubs) -> None:
    async def plain(session: aiohttp.ClientSession) -> None:
        # Another session, for this one has the hub's address as its base.
        async with aiohttp.ClientSession(connector=session.connector, connector_owner=False) as other:
            await other.get("http://localhost:1/")

    with pytest.raises(aiohttp.ClientError, match="Use https://"):
        run(hubs, plain)


def test_an_address_that_is_written_in_another_way_is_the_same(hubs: Hubs) -> None:
    async def inside() -> str:
        connector = Connector(hubs.spoke, ask=lambda _: Found({"0:0::0009": 60}))
        await connector._resolve_host(HOST, 443)
        found = connector._as_answered(HOST, "::9")
        await connector.close()
        return found

    assert asyncio.run(inside()) == "0:0::0009"


def test_an_ip_address_is_known_to_the_line_like_a_name(hubs: Hubs) -> None:
    async def inside() -> list[Any]:
        connector = Connector(hubs.spoke)
        found = await connector._resolve_host("127.0.0.1", hubs.port)
        assert "127.0.0.1" in connector._line.resolver.known("127.0.0.1").until
        await connector.close()
        return found

    [found] = asyncio.run(inside())
    assert (found["host"], found["port"]) == ("127.0.0.1", hubs.port)
