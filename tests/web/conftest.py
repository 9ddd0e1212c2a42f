"""Requests to an application in this process, without a port."""

import asyncio
from collections.abc import Callable

import httpx2
import pytest
from fastapi import FastAPI
from tests.web.conforming import wrong_with

from bothways.dataplane.applied import Applied

Ask = Callable[..., httpx2.Response]


async def applied() -> Applied:
    """Stand for a publisher whose nodes serve everything at once."""
    return Applied("1", in_force=True, milliseconds=0.1)


async def sent(tsp_id: str) -> bool:
    """Stand for a publisher that knows one customer."""
    return tsp_id == "12345678"


@pytest.fixture
def ask() -> Ask:
    """Return a function that sends one request to an application; the API has to answer as its document says."""

    def send(
        app: FastAPI,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: object = None,
        raw: bytes | None = None,
    ) -> httpx2.Response:
        async def once() -> httpx2.Response:
            transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url="http://hub") as client:
                return await client.request(method, path, headers=headers, json=body, content=raw)

        answer = asyncio.run(once())
        assert wrong_with(answer, method, answer.request.url.path) == []
        return answer

    return send
