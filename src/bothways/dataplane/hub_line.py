"""A remote node's line to the control plane: gRPC over mutual TLS, with the certificate that is in its files."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from bothways import files
from bothways.errors import Unreachable
from bothways.xds import names
from bothways.xds.state import RemoteHub

_UNLIMITED = -1
_BACK_OFF_MILLISECONDS, _BACK_OFF_MOST_MILLISECONDS = 200, 2_000
_PING_MILLISECONDS, _PING_TIMEOUT_MILLISECONDS = 30_000, 10_000
_FIRST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Identity:
    """What a node shows to the control plane, and knows it by: key, certificate and CAs, in PEM."""

    key: bytes
    certificate: bytes
    trust: bytes

    def __repr__(self) -> str:
        return "Identity()"


def identity_of(directory: Path) -> Identity:
    """Return what is in a node's files. Raises `Unusable` if one cannot be read, or others can read the key."""
    return Identity(
        files.read_private(directory / names.KEY_FILE, "the node's private key"),
        files.read(directory / names.CERTIFICATE_FILE, "the node's certificate"),
        files.read(directory / names.TRUST_FILE, "the CA of the control plane"),
    )


class HubLine:
    """One channel to the control plane, which connects again by itself for as long as it is open.

    The control plane is known by its name under the node CA, and by nothing else: whoever else answers at its address
    is nobody. Raises `Unusable` if a file cannot be read, or others can read the key.
    """

    def __init__(self, directory: Path, hub: RemoteHub) -> None:
        self._hub = hub
        self._changed = asyncio.Event()
        self.channel = self._open(identity_of(directory))

    async def change(self, identity: Identity) -> None:
        """Show another certificate from now on. What goes on over the channel before ends.

        Raises `Unreachable`, and nothing has changed, if the control plane does not answer to it.
        """
        following = self._open(identity)
        try:
            async with asyncio.timeout(_FIRST_SECONDS):
                while (state := following.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
                    await following.wait_for_state_change(state)
        except TimeoutError:
            await following.close()
            raise Unreachable("the control plane does not answer to the new certificate. It is tried again.") from None
        before, self.channel = self.channel, following
        self._changed.set()
        await before.close()

    async def first_word(self) -> bool:
        """Tell whether the control plane answers, as soon as that is known, or after five seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_SECONDS):
                async for state in self._states():
                    if state in {grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.TRANSIENT_FAILURE}:
                        return state is grpc.ChannelConnectivity.READY
        return False

    async def follow(self, answers: Callable[..., Awaitable[None]]) -> None:
        """Call `answers(there=...)` now and with each change, until this task is cancelled."""
        async for state in self._states():
            await answers(there=state is grpc.ChannelConnectivity.READY)

    async def close(self) -> None:
        """Hang up."""
        await self.channel.close()

    async def _states(self) -> AsyncIterator[Any]:
        while True:
            self._changed.clear()
            state = self.channel.get_state(try_to_connect=True)
            yield state
            waiting = [
                asyncio.ensure_future(each)
                for each in (self.channel.wait_for_state_change(state), self._changed.wait())
            ]
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in waiting:
                    each.cancel()
                await asyncio.gather(*waiting, return_exceptions=True)

    def _open(self, identity: Identity) -> Any:
        return grpc.aio.secure_channel(
            str(self._hub.control_plane),
            grpc.ssl_channel_credentials(identity.trust, identity.key, identity.certificate),
            [
                ("grpc.ssl_target_name_override", self._hub.name),
                ("grpc.max_receive_message_length", _UNLIMITED),
                ("grpc.max_send_message_length", _UNLIMITED),
                ("grpc.min_reconnect_backoff_ms", _BACK_OFF_MILLISECONDS),
                ("grpc.initial_reconnect_backoff_ms", _BACK_OFF_MILLISECONDS),
                ("grpc.max_reconnect_backoff_ms", _BACK_OFF_MOST_MILLISECONDS),
                ("grpc.keepalive_time_ms", _PING_MILLISECONDS),
                ("grpc.keepalive_timeout_ms", _PING_TIMEOUT_MILLISECONDS),
                ("grpc.keepalive_permit_without_calls", 1),
                # One certificate, one connection: another channel of this process must not lend it its own.
                ("grpc.use_local_subchannel_pool", 1),
            ],
        )
