"""What a running hub serves to remote nodes, put together."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from fastapi import FastAPI

from bothways.dataplane.access_log import access_log_handler
from bothways.dataplane.admission import Admission
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.caught_up import CaughtUp
from bothways.dataplane.intake import Intake
from bothways.dataplane.load_report import load_report_handler
from bothways.dataplane.loads import Loads
from bothways.dataplane.node_service import node_handler
from bothways.operations.hub import Hub
from bothways.operations.node_renewal import current_trust, renew_node
from bothways.web.nodes import nodes_only
from bothways.web.server import ServerCertificate, serve_over_tls
from bothways.xds.state import HubState


def services_for_nodes(hub: Hub, intake: Intake, loads: Loads) -> tuple[Callable[[Admission | None], Any], ...]:
    """Return what is served beside the configuration: the intakes of logs and reports, and what nodes want of us."""
    return (
        partial(access_log_handler, intake.take),
        partial(load_report_handler, loads.take),
        partial(node_handler, partial(renew_node, hub), partial(current_trust, hub)),
    )


class TowardsNodes:
    """What the hub serves to remote nodes, if it lets any in: configuration on one port, `/connectivity` on another.

    `published` tells the number of the last change that is published here.
    """

    def __init__(self, hub: Hub, state: HubState, published: Callable[[], int]) -> None:
        self._hub = hub
        self.admission = Admission(state, CaughtUp(hub.database, published).lacks)
        self._certificate = None
        if state.control_plane is not None:
            anchors = state.control_plane.anchors.pem
            self._certificate = ServerCertificate(hub.run_directory, state.control_plane.pair, anchors)

    def follow(self, latest: HubState) -> None:
        """Show the certificate that is in force, and take those of the CAs that are."""
        if self._certificate is not None and latest.control_plane is not None:
            self._certificate.follow(latest.control_plane.pair, latest.control_plane.anchors.pem)

    def parts(self, ads: AdsServer, app: FastAPI) -> list[Coroutine[Any, Any, None]]:
        """Return what has to run, nothing if no node is let in."""
        if self._certificate is None:
            return []
        settings, gate = self._hub.settings, nodes_only(app, self.admission.node_of)
        port = settings.nodes_connectivity_port
        return [self._configure(ads), serve_over_tls(gate, settings.nodes_address, port, self._certificate)]

    async def _configure(self, ads: AdsServer) -> None:
        await ads.start_remote(self._hub.settings.nodes_address, self._hub.settings.nodes_port)
        await self.admission.note_uses(self._hub)
