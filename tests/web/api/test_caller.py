"""What a caller may give to others: never more than it may do itself."""

import pytest
from tests.web.conftest import applied

from bothways.errors import NotAuthorized, NotFound
from bothways.operations.hub import Hub
from bothways.registry.access import Action, Principal, Role
from bothways.web.api.caller import Caller, Running

ADMINISTRATOR, MEMBER = Role.CUSTOMER_ADMINISTRATOR, Role.CUSTOMER_MEMBER


def caller(hub: Hub, role: Role, scopes: frozenset[Action] | None = None) -> Caller:
    principal = Principal("ann", role, "bank" if role.of_customer else None, scopes)
    return Caller(hub, principal, Running(applied))


def test_the_hub_is_handed_out_in_the_callers_name(hub: Hub) -> None:
    assert caller(hub, Role.OPERATOR).may(Action.HUB_READ).actor == "ann"
    with pytest.raises(NotAuthorized):
        caller(hub, Role.AUDITOR).may(Action.HUB_WRITE)


def test_what_is_anothers_is_absent(hub: Hub) -> None:
    absent = NotFound("there is no chain 7")
    for owner in ("shop", None):
        with pytest.raises(NotFound, match="no chain 7"):
            caller(hub, MEMBER).may_with(Action.CUSTOMER_READ, owner, absent)
    caller(hub, MEMBER).may_with(Action.CUSTOMER_READ, "bank", absent)


def test_nobody_gives_more_than_they_have(hub: Hub) -> None:
    reads = frozenset({Action.CUSTOMER_READ})
    assert caller(hub, Role.OPERATOR).require_within(Role.REVIEWER) is None
    assert caller(hub, ADMINISTRATOR).require_within(MEMBER) is None
    limited = caller(hub, ADMINISTRATOR, reads | {Action.TOKEN_WRITE})
    assert limited.require_within(MEMBER, [Action.CUSTOMER_READ]) == reads
    with pytest.raises(NotAuthorized, match="probe, request-submit is beyond"):
        limited.require_within(MEMBER)
    with pytest.raises(NotAuthorized, match="hub-read"):
        caller(hub, ADMINISTRATOR).require_within(Role.AUDITOR)
