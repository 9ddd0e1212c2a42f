"""`bothways hub envoy`: the process beside Envoy. It is started with each hub, and imports what it needs alone."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bothways.cli import logs
from bothways.cli.exit import OK
from bothways.cli.output import HERE, Directory
from bothways.dataplane.supervisor import Site, supervise
from bothways.operations.directory import passphrase, read_terms
from bothways.operations.settings import Settings, read_settings
from bothways.xds.names import embedded_node


def envoy(*, directory: Directory = HERE, log_format: logs.Logs = None) -> int:
    """Keep the hub's Envoy running, until Ctrl-C or SIGTERM drains and ends it.

    It serves the last snapshot while the hub is away. SIGHUP has a new Envoy take over, and no connection is lost.
    `hub run` starts this by itself, unless envoy.lifetime is "service". See docs/operation.md.
    """
    # Neither the database nor the signers are opened, for Envoy has to start without them.
    settings = read_settings(directory)
    logs.set_up(log_format or settings.log_format)
    supervise(hub_site(directory, settings), partial(datetime.now, UTC))
    return OK


def hub_site(directory: Path, settings: Settings) -> Site:
    """Return the place of the Envoy beside the hub in `directory`."""
    node = embedded_node(read_terms(directory).environment.value)
    return Site(directory / "run", node, settings.envoy, lambda: passphrase(directory, settings))
