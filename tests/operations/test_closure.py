"""The endpoint is shut once, for everybody, and opened by a person alone; both are in the audit."""

import pytest
from tests.operations.conftest import Audit

from bothways.errors import Conflict
from bothways.operations.closure import current_closure, reopen_endpoint, shut_endpoint
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, open_hub


def test_it_stays_shut_until_it_is_opened_also_after_a_restart(hub: Hub, audited: Audit) -> None:
    assert (current_closure(hub), hub_state(hub).shut, hub_state(hub).opening) == (None, "", 0)
    for reason in ("let in", "let in again"):
        shut_endpoint(hub, reason)
    with open_hub(hub.directory, "another") as again:
        closure = current_closure(again)
        assert closure is not None
        assert (closure.reason, hub_state(again).shut, hub_state(again).opening) == ("let in", "let in", 0)
    assert reopen_endpoint(hub).reason == "let in"
    assert (current_closure(hub), hub_state(hub).shut, hub_state(hub).opening) == (None, "", 1)
    assert audited()[-2:] == [("hub.shut", "PPR"), ("hub.reopen", "PPR")]


def test_what_is_open_is_not_opened(hub: Hub) -> None:
    with pytest.raises(Conflict, match="is not shut"):
        reopen_endpoint(hub)
