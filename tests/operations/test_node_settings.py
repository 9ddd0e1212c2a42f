from pathlib import Path

import pytest

from bothways.errors import Unusable
from bothways.operations.node_settings import NODE_FILE, NodeSettings, read_node, render_node
from bothways.xds.state import Address, RemoteHub

SETTINGS = NodeSettings(
    "eu-1",
    RemoteHub(
        (Address("::1", 18000), Address("cp.hub.example", 18000)),
        (Address("cp.hub.example", 18001),),
        "control-plane.hub.example",
    ),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    (tmp_path / NODE_FILE).write_text(render_node(SETTINGS))
    assert read_node(tmp_path) == SETTINGS


def test_a_directory_that_is_no_nodes_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="bothways hub envoy-bootstrap"):
        read_node(tmp_path)


@pytest.mark.parametrize("text", ["", "node = 1", 'node = "eu-1"\ncontrol_plane = 3', "=", "control_plane.port = 'x'"])
def test_a_file_that_is_not_as_it_was_written_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / NODE_FILE).write_text(text)
    with pytest.raises(Unusable, match="not as the hub wrote it"):
        read_node(tmp_path)
