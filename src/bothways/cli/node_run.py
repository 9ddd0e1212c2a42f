"""`bothways node run` and `status`: a remote Envoy on its own machine, and the agent that keeps it running."""

import contextlib
import os
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from cryptography import x509
from cyclopts import Parameter

from bothways import files
from bothways.cli import logs
from bothways.cli.addresses import reached
from bothways.cli.exit import EXPIRING, FAILED, OK
from bothways.cli.output import HERE, Json, minute, result
from bothways.errors import Conflict, Unusable
from bothways.operations.node_settings import NodeSettings, read_node
from bothways.operations.settings import LogFormat
from bothways.signer.secret import read_secret
from bothways.xds.names import CERTIFICATE_FILE

PASSPHRASE_FILE = "passphrase"  # noqa: S105 - the name of a file
RUN_DIRECTORY = "run"
_SOCKET_PATH_LIMIT = 100
_SOON = timedelta(days=30)

ControlPlanes = Annotated[
    list[str] | None,
    Parameter(negative="", help="HOST:PORT of a control plane, if not as node.toml says; once for each of several."),
]
Pages = Annotated[
    list[str] | None,
    Parameter(negative="", help="HOST:PORT of /connectivity and EST, if not as node.toml says; once for each."),
]
Place = Annotated[Path, Parameter(help="The directory of the node, which `bothways hub envoy-bootstrap` made.")]


def run(
    *,
    directory: Place = HERE,
    envoy: Annotated[str, Parameter(help="An Envoy to run in place of the one that is installed with this.")] = "",
    passphrase_file: Annotated[
        Path | None,
        Parameter(help="The file with what the saved snapshot is encrypted with, if it is not to be made beside it."),
    ] = None,
    control_plane: ControlPlanes = None,
    connectivity: Pages = None,
    log_format: Annotated[LogFormat, Parameter(help="How the log is written: text, or json.")] = LogFormat.TEXT,
) -> int:
    """Keep this node's Envoy running, until Ctrl-C or SIGTERM drains and ends it.

    It brings Envoy the hub's configuration, and saves what Envoy has confirmed, encrypted: while the hub is away, an
    Envoy that starts is given that. SIGHUP has a new Envoy take over, and no connection is lost. See docs/nodes.md.
    """
    from bothways.dataplane.supervisor import Site, supervise  # noqa: PLC0415 - gRPC, which only this needs

    logs.set_up(log_format)
    settings = read_node(directory)
    hub = replace(
        settings.hub,
        control_planes=tuple(map(reached, control_plane or ())) or settings.hub.control_planes,
        connectivity=tuple(map(reached, connectivity or ())) or settings.hub.connectivity,
    )
    _require_short(directory)
    supervise(
        Site(directory / RUN_DIRECTORY, settings.node, envoy, lambda: _secret(directory, passphrase_file), hub),
        lambda: datetime.now(UTC),
    )
    return OK


def status(*, directory: Place = HERE, json: Json = False) -> int:
    """Show whether this node serves, whose configuration, and until when its certificate lasts.

    Exits with 1 if nothing runs here or Envoy has no configuration, with 5 if the certificate is to expire soon.
    """
    from bothways.dataplane.envoy_state import state_of  # noqa: PLC0415 - as above

    settings, now = read_node(directory), datetime.now(UTC)
    until = _until(directory)
    document = {"node": settings.node, "certificate": {"not_after": until.isoformat()}} | state_of(
        directory / RUN_DIRECTORY
    )
    result(document, "\n".join(_lines(settings, document, until, now)), as_json=json)
    if document["pid"] is None or document["source"] == "nobody" or document["problem"] or until <= now:
        return FAILED
    return EXPIRING if until - now < _SOON else OK


def _lines(settings: NodeSettings, document: dict[str, Any], until: datetime, now: datetime) -> list[str]:
    ended = " (it has ended)" if until <= now else ""
    places = " and ".join(str(each) for each in settings.hub.control_planes)
    lines = [f"node {settings.node} of the hub at {places}, certificate until {until:%Y-%m-%d}{ended}"]
    if document["pid"] is None:
        return [*lines, "no Envoy runs here. Start it: bothways node run"]
    again = f", started again {document['restarts']} times" if document["restarts"] else ""
    lines.append(f"Envoy runs since {minute(document['started_at'])} UTC{again}")
    held = document["snapshot"]
    lines.append(
        {
            "hub": "its configuration comes from the hub",
            "snapshot": "the hub is away: "
            + (f"what was in force at {minute(held['saved_at'])} UTC serves" if held else ""),
            "nobody": "the hub is away, and nothing was saved: Envoy that starts now serves nothing",
        }[document["source"]]
    )
    return lines + ([f"problem: {document['problem']}"] if document["problem"] else [])


def _require_short(directory: Path) -> None:
    longest = len(os.fsencode(directory.absolute() / RUN_DIRECTORY / "standin.sock"))
    if longest > _SOCKET_PATH_LIMIT:
        raise Unusable(
            f"the path {directory.absolute()} is too long for unix sockets: {longest} bytes with the file names, "
            f"at most {_SOCKET_PATH_LIMIT} work. Use a shorter path, like /var/lib/bothways-node."
        )


def _secret(directory: Path, passphrase_file: Path | None) -> bytes:
    """Return what guards the saved snapshot, made at the first start unless a file is named."""
    what = "what the saved snapshot is encrypted with"
    if passphrase_file is not None:
        return read_secret(passphrase_file, what)
    made = directory / PASSPHRASE_FILE
    if not made.exists():
        # Another start may be as fast: then theirs is as good.
        with contextlib.suppress(Conflict):
            files.write_new(made, secrets.token_urlsafe(32).encode() + b"\n", files.PRIVATE)
    return read_secret(made, what)


def _until(directory: Path) -> datetime:
    path = directory / CERTIFICATE_FILE
    try:
        return x509.load_pem_x509_certificate(files.read(path, "the node's certificate")).not_valid_after_utc
    except ValueError as error:
        raise Unusable(f"{path} is no certificate. Make it anew at the hub: bothways hub envoy-bootstrap") from error
