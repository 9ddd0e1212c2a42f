"""`node.toml`: who a remote node is, and where it finds the hub. The hub writes it, the agent on the node reads it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from bothways import files
from bothways.errors import Unusable
from bothways.xds.state import Address, RemoteHub

NODE_FILE = "node.toml"
_HEAD = "# Who this node is, and where it finds the hub. Made by `bothways hub envoy-bootstrap`; make it anew there.\n"


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """The name of a node, and its hub."""

    node: str
    hub: RemoteHub


def render_node(settings: NodeSettings) -> str:
    """Return the file's text."""
    hub = settings.hub
    document = {
        "node": settings.node,
        "control_plane_name": hub.name,
        "control_plane": [{"host": each.host, "port": each.port} for each in hub.control_planes],
        "connectivity": [{"host": each.host, "port": each.port} for each in hub.connectivity],
    }
    return _HEAD + tomli_w.dumps(document)


def read_node(directory: Path) -> NodeSettings:
    """Return what the directory of a node says. Raises `Unusable` if it is none."""
    path = directory / NODE_FILE
    if not path.is_file():
        raise Unusable(
            f"{directory} is not the directory of a node: there is no {NODE_FILE}. Make it at the hub, and carry it "
            f"here: bothways hub envoy-bootstrap --node eu-1 --out eu-1"
        )
    try:
        found = tomllib.loads(files.read(path, "the node's settings").decode())
        hub = RemoteHub(
            _addresses(found["control_plane"]), _addresses(found["connectivity"]), str(found["control_plane_name"])
        )
        return NodeSettings(str(found["node"]), hub)
    except (KeyError, TypeError, ValueError) as error:
        raise Unusable(
            f"{path} is not as the hub wrote it ({type(error).__name__}: {error}). Make it anew at the hub: "
            "bothways hub envoy-bootstrap"
        ) from error


def _addresses(found: Any) -> tuple[Address, ...]:
    # An earlier hub knew one, and wrote it without the list.
    listed = found if isinstance(found, list) else [found]
    if not listed:
        raise ValueError("an address is missing")
    return tuple(Address(str(each["host"]), int(each["port"])) for each in listed)
