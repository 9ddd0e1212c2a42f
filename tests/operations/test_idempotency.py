from dataclasses import replace
from datetime import timedelta

import pytest

from bothways.errors import Conflict
from bothways.operations.hub import Hub
from bothways.operations.idempotency import KEPT, begin, finish, give_up
from bothways.store.answered import Answered


def test_the_first_is_done_and_the_second_is_answered_the_same(hub: Hub) -> None:
    assert begin(hub, "k", "digest") is None
    finish(hub, "k", 201, '{"id": 1}')
    assert begin(hub, "k", "digest") == Answered("digest", 201, '{"id": 1}')
    assert begin(replace(hub, actor="bob"), "k", "digest") is None


def test_another_request_under_the_key_is_a_conflict(hub: Hub) -> None:
    begin(hub, "k", "digest")
    with pytest.raises(Conflict, match="another request"):
        begin(hub, "k", "other")


def test_what_is_not_known_is_not_done_again(hub: Hub) -> None:
    begin(hub, "k", "digest")
    with pytest.raises(Conflict, match="is being done"):
        begin(hub, "k", "digest")
    give_up(hub, "k")
    assert begin(hub, "k", "digest") is None
    finish(hub, "k", 201, None)
    with pytest.raises(Conflict, match="held a secret"):
        begin(hub, "k", "digest")


def test_a_key_is_kept_for_a_day(hub: Hub) -> None:
    begin(hub, "k", "digest")
    at = hub.now() + KEPT + timedelta(seconds=1)
    assert begin(replace(hub, now=lambda: at), "k", "other") is None
