"""The gRPC servers of the control plane: on a unix socket for the hub's own Envoy, over mutual TLS for remote nodes.

Two servers and not one with two ports: what a service is registered at decides for whom it is, and no message can.
Whoever starts one keeps it: the garbage collector ends one that nobody refers to.
"""

from pathlib import Path
from typing import Any

import grpc
import grpc.aio

_UNLIMITED = -1
_REQUEST_BYTES = 64 << 20
_HANDSHAKE_MILLISECONDS = 10_000
_PING_MILLISECONDS, _PING_TIMEOUT_MILLISECONDS = 30_000, 10_000
_PING_LEAST_MILLISECONDS = 1_000


async def start_local(socket: Path, *services: Any) -> Any:
    """Serve the services (generic handlers) on a unix socket that this user alone can reach; return the server."""
    socket.unlink(missing_ok=True)
    server = _server(services, [("grpc.max_receive_message_length", _UNLIMITED)])
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    socket.chmod(0o600)
    return server


async def start_remote(address: str, port: int, credentials: grpc.ServerCredentials, *services: Any) -> Any:
    """Serve the services over TLS on a port; return the server. Raises `RuntimeError` if the port cannot be used.

    The credentials let nobody in: each service looks at the certificate that the peer shows.
    """
    options = [
        ("grpc.max_receive_message_length", _REQUEST_BYTES),
        ("grpc.server_handshake_timeout_ms", _HANDSHAKE_MILLISECONDS),
        # Another process that binds the same port would silently get half of the nodes.
        ("grpc.so_reuseport", 0),
        # A node whose machine is gone says no word: without pings it would count as connected for hours.
        ("grpc.keepalive_time_ms", _PING_MILLISECONDS),
        ("grpc.keepalive_timeout_ms", _PING_TIMEOUT_MILLISECONDS),
        # The time-out above is one of two: this one is a minute unless it is said.
        ("grpc.http2.ping_timeout_ms", _PING_TIMEOUT_MILLISECONDS),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.keepalive_permit_without_calls", 1),
        # What the node's pings may be apart at least: by default five minutes, and whoever comes sooner is cut off.
        ("grpc.http2.min_ping_interval_without_data_ms", _PING_LEAST_MILLISECONDS),
    ]
    server = _server(services, options)
    host = f"[{address}]" if ":" in address else address
    server.add_secure_port(f"{host}:{port}", credentials)
    await server.start()
    return server


def _server(services: tuple[Any, ...], options: list[tuple[str, int]]) -> Any:
    server = grpc.aio.server(options=[*options, ("grpc.max_send_message_length", _UNLIMITED)])
    server.add_generic_rpc_handlers(services)
    return server
