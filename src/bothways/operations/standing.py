"""How one node stands, as a document: the same from each control plane, and in the status, the API and the portal."""

from typing import Any

Document = dict[str, Any]
"""What the status says of one connection, or of a node that is not connected."""


def unknown(name: str) -> Document:
    """Return what is told of a node on record that nobody has seen."""
    return {
        "node": name,
        "connected": False,
        "peer": "",
        "since": None,
        "version": "",
        "answered_at": None,
        "settled": False,
        "behind_since": None,
        "refused": {},
        "customers": 0,
        "canary": None,
        "control_plane": "",
    }
