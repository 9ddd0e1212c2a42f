"""A remote node's line to the control plane: gRPC over mutual TLS, with the certificate that is in its files."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from bothways import files
from bothways.dataplane.node_service import SERVICE, TRUST
from bothways.errors import Unreachable
from bothways.xds import names
from bothways.xds.state import RemoteHub

_UNLIMITED = -1
_BACK_OFF_MILLISECONDS, _BACK_OFF_MOST_MILLISECONDS = 200, 2_000
_PING_MILLISECONDS, _PING_TIMEOUT_MILLISECONDS = 5_000, 3_000
_FIRST_SECONDS = 5.0
_AGAIN_MOST_SECONDS = 2.0
_KNOWN = {grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.TRANSIENT_FAILURE}
_OPTIONS = (
    ("grpc.max_receive_message_length", _UNLIMITED),
    ("grpc.max_send_message_length", _UNLIMITED),
    ("grpc.min_reconnect_backoff_ms", _BACK_OFF_MILLISECONDS),
    ("grpc.initial_reconnect_backoff_ms", _BACK_OFF_MILLISECONDS),
    ("grpc.max_reconnect_backoff_ms", _BACK_OFF_MOST_MILLISECONDS),
    ("grpc.keepalive_time_ms", _PING_MILLISECONDS),
    ("grpc.keepalive_timeout_ms", _PING_TIMEOUT_MILLISECONDS),
    # The time-out above is one of two: this one is a minute unless it is said.
    ("grpc.http2.ping_timeout_ms", _PING_TIMEOUT_MILLISECONDS),
    # By default, it would ping twice, and then no more before something is sent.
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    # One certificate, one connection: another channel of this process must not lend it its own.
    ("grpc.use_local_subchannel_pool", 1),
)


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
    """A channel to each control plane, of which one is used: it connects again by itself for as long as it is open.

    The control plane is known by its name under the node CA, and by nothing else: whoever else answers at its address
    is nobody. Raises `Unusable` if a file cannot be read, or others can read the key.
    """

    def __init__(self, directory: Path, hub: RemoteHub) -> None:
        self._hub = hub
        self._changed = asyncio.Event()
        self._ended = False
        self._one_at_a_time = asyncio.Lock()
        self._channels, self._at = self._open(identity_of(directory)), 0

    @property
    def channel(self) -> Any:
        """The channel to the control plane that is used now."""
        return self._channels[self._at]

    async def change(self, identity: Identity) -> None:
        """Show another certificate from now on. What goes on over the channel before ends.

        Raises `Unreachable`, and nothing has changed, if no control plane answers to it.
        """
        following = self._open(identity)
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(_FIRST_SECONDS):
                    while (found := await self._first(following, _ready)) is None:  # noqa: ASYNC110 - a network
                        await asyncio.sleep(_BACK_OFF_MILLISECONDS / 1000)
            except TimeoutError:
                await _closed(following)
                raise Unreachable(
                    "the control plane does not answer to the new certificate. It is tried again."
                ) from None
            before, self._channels, self._at = self._channels, following, found
        self._changed.set()
        await _closed(before)

    async def first_word(self) -> bool:
        """Tell whether a control plane answers, as soon as that is known, or after five seconds."""
        async with self._one_at_a_time:
            found = await self._first(self._channels, _serves)
            self._at = self._at if found is None else found
            return found is not None

    async def follow(self, answers: Callable[..., Awaitable[None]]) -> None:
        """Call `answers(there=...)` now and with each change, until this task is cancelled."""
        while True:
            self._changed.clear()
            there, self._ended = await self.first_word(), False
            await answers(there=there)
            if not there:
                await self._change_of(self._channels)
                continue
            while (ready := _is_ready(self.channel)) and not self._changed.is_set():
                await self._change_of([self.channel])
            if not ready:
                await answers(there=False)
            if not ready or self._ended:
                # The next one first: this one would be waited for.
                self._at = (self._at + 1) % len(self._channels)

    def look_again(self, channel: Any) -> None:
        """Ask who serves, the next one first: the control plane at this channel has ended what went on over it."""
        if channel is self.channel:
            self._ended = True
            self._changed.set()

    async def close(self) -> None:
        """Hang up."""
        await _closed(self._channels)

    async def _first(self, channels: Sequence[Any], test: Callable[[Any], Awaitable[bool]]) -> int | None:
        """Return the first channel of which the test holds, from the one that is used on; None if there is none."""
        for number in range(len(channels)):
            found = (self._at + number) % len(channels)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FIRST_SECONDS / len(channels)):
                    if await test(channels[found]):
                        return found
        return None

    async def _change_of(self, channels: Sequence[Any]) -> None:
        """Wait until the state of a channel changes or another certificate is shown, and for two seconds at most."""
        watched = [each.wait_for_state_change(each.get_state(try_to_connect=True)) for each in channels]
        waiting = [asyncio.ensure_future(each) for each in (*watched, self._changed.wait())]
        try:
            await asyncio.wait(waiting, timeout=_AGAIN_MOST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def _open(self, identity: Identity) -> list[Any]:
        credentials = grpc.ssl_channel_credentials(identity.trust, identity.key, identity.certificate)
        options = [*_OPTIONS, ("grpc.ssl_target_name_override", self._hub.name)]
        return [grpc.aio.secure_channel(str(each), credentials, options) for each in self._hub.control_planes]


def _is_ready(channel: Any) -> bool:
    return channel.get_state() is grpc.ChannelConnectivity.READY


async def _ready(channel: Any) -> bool:
    """Tell whether the control plane is reached, as soon as that is known."""
    while (state := channel.get_state(try_to_connect=True)) not in _KNOWN:
        await channel.wait_for_state_change(state)
    return state is grpc.ChannelConnectivity.READY


async def _serves(channel: Any) -> bool:
    """Tell whether the control plane is reached, and does not say itself that it serves nobody now."""
    if not await _ready(channel):
        return False
    try:
        await channel.unary_unary(f"/{SERVICE}/{TRUST}")(b"")
    except grpc.aio.AioRpcError as error:
        return error.code() is not grpc.StatusCode.UNAVAILABLE
    return True


async def _closed(channels: Sequence[Any]) -> None:
    for each in channels:
        await each.close()
