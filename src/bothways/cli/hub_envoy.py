"""The process beside Envoy that `bothways hub envoy` is, put together from the hub's directory."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bothways.cli import logs
from bothways.cli.exit import OK
from bothways.dataplane.supervisor import Site, supervise
from bothways.operations.directory import passphrase, read_terms
from bothways.operations.settings import LogFormat, Settings, read_settings
from bothways.xds.names import embedded_node


def keep_envoy(directory: Path, log_format: LogFormat | None = None) -> int:
    """Keep the Envoy of the hub in `directory` running until a signal ends it.

    Neither the database nor the signers are opened, for Envoy has to start without them. Raises as `supervise` does.
    """
    settings = read_settings(directory)
    logs.set_up(log_format or settings.log_format)
    supervise(hub_site(directory, settings), partial(datetime.now, UTC))
    return OK


def hub_site(directory: Path, settings: Settings) -> Site:
    """Return the place of the Envoy beside the hub in `directory`."""
    node = embedded_node(read_terms(directory).environment.value)
    return Site(directory / "run", node, settings.envoy, lambda: passphrase(directory, settings))
