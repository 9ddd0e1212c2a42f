from dataclasses import replace
from pathlib import Path

from bothways.dataplane.standing import hub_standing
from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.hub import Hub
from bothways.operations.nodes import list_nodes, note_use
from bothways.operations.standing import unknown
from bothways.xds.state import Address


def test_a_hub_that_does_not_run_says_what_is_stored(hub: Hub) -> None:
    found = hub_standing(hub, None)
    assert (found["environment"], found["running"], found["envoy"]["pid"]) == ("PPR", None, None)
    assert found["portal"] == hub.terms.portal
    assert (found["expiring"], found["notices"]["failing"]) == ([], [])


def test_what_a_running_hub_says_of_itself_stands_beside_it(hub: Hub) -> None:
    assert hub_standing(hub, {"nodes": []})["running"] == {"nodes": []}


def test_of_each_node_is_told_which_ca_signed_its_certificate_and_of_the_hubs_own_envoy_none(
    hub: Hub, tmp_path: Path
) -> None:
    letting_in = replace(hub, settings=replace(hub.settings, nodes_port=18000, nodes_connectivity_port=18001))
    bootstrap_node(letting_in, "eu-1", tmp_path / "eu-1", [Address("127.0.0.1", 18000)], [Address("127.0.0.1", 18001)])
    [certificate] = list_nodes(hub)[0]["certificates"]
    note_use(hub, certificate["fingerprint"])
    running = hub_standing(hub, {"nodes": [unknown("eu-1"), unknown("ppr")]})["nodes"]
    assert [each["authority"] for each in running] == [certificate["authority"], None]
    assert [each["authority"] for each in hub_standing(hub, None)["nodes"]] == [certificate["authority"]]
