"""The process beside Envoy that `bothways hub envoy` is, put together from the hub's directory."""

import logging
from pathlib import Path

from bothways.cli.exit import OK
from bothways.dataplane.supervisor import Site, supervise
from bothways.operations.hub import now, passphrase, read_terms
from bothways.operations.settings import Settings, read_settings
from bothways.xds.names import embedded_node


def keep_envoy(directory: Path) -> int:
    """Keep the Envoy of the hub in `directory` running until a signal ends it.

    Neither the database nor the signers are opened, for Envoy has to start without them. Raises as `supervise` does.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    # Each question to Envoy's admin interface would be a line.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    supervise(hub_site(directory, read_settings(directory)), now)
    return OK


def hub_site(directory: Path, settings: Settings) -> Site:
    """Return the place of the Envoy beside the hub in `directory`."""
    node = embedded_node(read_terms(directory).environment.value)
    return Site(directory / "run", node, settings.envoy, passphrase(directory, settings))
