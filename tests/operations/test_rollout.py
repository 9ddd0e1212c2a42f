"""What all nodes may have in common, and what is held back, as control planes read and write it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bothways.errors import Conflict
from bothways.operations.audit import export_audit
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.operations.rollout import (
    Record,
    good_state,
    hold_back,
    keep_given,
    pass_to_all,
    read_rollout,
    release,
    try_again,
)
from bothways.operations.rotation import rotate_client_certificate
from bothways.xds.kept import in_common
from bothways.xds.staging import HeldBack

HELD = HeldBack("v2", "eu-1", "and refused it: no such port", "digest")


def test_certificates_that_were_replaced_come_back_with_their_keys(hub: Hub) -> None:
    before = hub_state(hub)
    assert good_state(hub, read_rollout(hub), before) is None
    keep_given(hub, before, before, Record())
    rotate_client_certificate(hub)
    after = hub_state(hub)
    assert after.client != before.client
    found = good_state(hub, read_rollout(hub), after)
    assert found
    assert (found.client, found.server) == (before.client, before.server)
    pass_to_all(hub, after)
    assert read_rollout(hub) == Record(in_common(after), None)


def test_who_was_slower_takes_nothing_back(hub: Hub) -> None:
    state = hub_state(hub)
    shut = replace(state, shut="let in", closures=1)
    keep_given(hub, state, state, Record())
    read = read_rollout(hub)
    keep_given(hub, shut, shut, read)
    keep_given(hub, state, state, Record())
    assert read_rollout(hub).given == in_common(shut)


def test_what_is_held_back_is_on_record_with_when_it_is_tried_again_and_ends_with_what_mends_it(hub: Hub) -> None:
    silent = replace(HELD, why="and said nothing in 10 s", again_at=hub.now() + timedelta(seconds=60))
    hold_back(hub, HELD)
    hold_back(hub, silent)
    hold_back(hub, silent)
    assert read_rollout(hub).held == silent
    state = hub_state(hub)
    keep_given(hub, state, replace(state, services=()), replace(read_rollout(hub), given=None))
    release(hub, HELD)
    assert (read_rollout(hub).held, read_rollout(hub).given) == (None, in_common(state))


def test_a_person_has_it_tried_again_and_both_are_in_the_audit(hub: Hub) -> None:
    with pytest.raises(Conflict, match="nothing is held back"):
        try_again(hub)
    hold_back(hub, HELD)
    hold_back(hub, HELD)
    assert try_again(hub, "its disk was full") == HELD
    assert read_rollout(hub).held is None
    lines = [each for each in export_audit(hub) if each["action"] in {"hub.hold", "hub.retry"}]
    assert [(each["action"], each["detail"]["reason"]) for each in lines] == [
        ("hub.hold", HELD.why),
        ("hub.retry", "its disk was full"),
    ]
