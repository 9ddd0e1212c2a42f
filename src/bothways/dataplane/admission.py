"""Who of the remote nodes is let in to the control plane: whoever shows a certificate that is on record now."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from cryptography import x509

from bothways.operations.hub import Hub
from bothways.operations.nodes import note_use
from bothways.pki.chain import fingerprint
from bothways.xds.state import ControlPlane, HubState

_log = logging.getLogger(__name__)


async def _nothing() -> str:
    return ""


class Admission:
    """The nodes on record, by the certificates that are theirs; it knows what the last round of the publisher read.

    The handshake has proved that the peer has the key, and that the node CA signed; neither lets anybody in. `lacks`
    tells what was committed and is not published here yet: until then nobody is judged, and nobody served.
    """

    def __init__(self, state: HubState, lacks: Callable[[], Awaitable[str]] = _nothing) -> None:
        self._lacks, self._lags = lacks, False
        self._turned_away: set[tuple[str, str]] = set()
        self.names: tuple[str, ...] = ()
        self._of: dict[str, str] = {}
        self._control_plane: ControlPlane | None = None
        self._shown: set[str] = set()
        self._uses: asyncio.Queue[str] = asyncio.Queue()
        self.follow(state)

    def follow(self, state: HubState) -> None:
        """Let in, from now on, the nodes of this state and no others."""
        self.names = tuple(node.name for node in state.nodes)
        self._of = {each: node.name for node in state.nodes for each in node.fingerprints}
        self._control_plane = state.control_plane

    def node_of(self, certificate_pem: bytes) -> tuple[str, str] | None:
        """Return the name of the node that shows this certificate, and the fingerprint, or None for a stranger."""
        try:
            shown = fingerprint(x509.load_pem_x509_certificate(certificate_pem))
        except ValueError:
            return None
        name = self._of.get(shown)
        if name is None:
            return None
        if shown not in self._shown:
            self._shown.add(shown)
            self._uses.put_nowait(shown)
        return name, shown

    async def admitted(self, context: Any) -> tuple[str, str]:
        """Return name and fingerprint of the node that makes this call over gRPC.

        It is ended for whoever is none, and with UNAVAILABLE for everybody while something is lacking here.
        """
        lacking = await self._lacks()
        if lacking and not self._lags:
            # Once, and not with each node that comes.
            _log.warning("nodes that come are turned away: %s", lacking)
        self._lags = bool(lacking)
        if lacking:
            await context.abort(grpc.StatusCode.UNAVAILABLE, f"this control plane lags behind: {lacking}")
        known = self.node_of(b"".join(context.auth_context().get("x509_pem_cert", ())))
        if known is None:
            self.turn_away(context.peer(), "", "it shows a certificate that is no node's on record")
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "this certificate is no node's on record")
            raise AssertionError
        return known

    def turn_away(self, peer: str, node: str, why: str) -> None:
        """Tell that somebody is turned away."""
        # Once for each host and node: Envoy comes again every two seconds.
        if (told := (peer.rpartition(":")[0], node)) not in self._turned_away:
            self._turned_away.add(told)
            _log.warning("whoever comes from %s is turned away: %s", peer, why)

    def admits(self, name: str, shown: str) -> bool:
        """Tell whether the node with this name and fingerprint, which was let in, still is."""
        return self._of.get(shown) == name

    def credentials(self) -> grpc.ServerCredentials:
        """Return what a gRPC server shows, looked up at each handshake, and that it asks for a node's certificate.

        Raises `ValueError` if remote nodes are not let in at all.
        """
        return grpc.dynamic_ssl_server_credentials(
            self._configuration(), self._configuration, require_client_authentication=True
        )

    async def note_uses(self, hub: Hub) -> None:
        """Record which certificates were shown, until this task is cancelled."""
        while True:
            shown = await self._uses.get()
            try:
                await asyncio.to_thread(note_use, hub, shown)
            except Exception as error:  # noqa: BLE001 - whatever it was: a node is not cut off for it
                self._shown.discard(shown)
                _log.error("the use of a node's certificate cannot be recorded: %s", error)

    def _configuration(self) -> grpc.ServerCertificateConfiguration:
        if self._control_plane is None:
            raise ValueError("remote nodes are not let in")
        pair, anchors = self._control_plane.pair, self._control_plane.anchors
        return grpc.ssl_server_certificate_configuration(
            [(pair.key_pem.encode(), pair.certificate_pem.encode())], anchors.pem.encode()
        )
