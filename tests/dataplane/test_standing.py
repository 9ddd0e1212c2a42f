from bothways.dataplane.standing import hub_standing
from bothways.operations.hub import Hub


def test_a_hub_that_does_not_run_says_what_is_stored(hub: Hub) -> None:
    found = hub_standing(hub, None)
    assert (found["environment"], found["running"], found["envoy"]["pid"]) == ("PPR", None, None)
    assert found["portal"] == hub.terms.portal
    assert (found["expiring"], found["notices"]["failing"]) == ([], [])


def test_what_a_running_hub_says_of_itself_stands_beside_it(hub: Hub) -> None:
    assert hub_standing(hub, {"nodes": []})["running"] == {"nodes": []}
