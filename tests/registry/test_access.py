"""Every role, action and owner: what passes is exactly what the table of this file says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bothways.errors import BothwaysError, NotAuthorized, NotFound
from bothways.registry.access import Action, Principal, Role, actions_of, require

READS = {Action.HUB_READ, Action.CUSTOMER_READ, Action.AUDIT_READ}
MAY = {
    Role.OPERATOR: set(Action),
    Role.REVIEWER: READS | {Action.REQUEST_DECIDE, Action.CHAIN_DECIDE, Action.ENDPOINT_DECIDE, Action.PERSON_DECIDE},
    Role.AUDITOR: READS,
    Role.CUSTOMER_ADMINISTRATOR: {
        Action.CUSTOMER_READ,
        Action.REQUEST_SUBMIT,
        Action.CERTIFICATE_REVOKE,
        Action.CHAIN_SUBMIT,
        Action.ENDPOINT_WRITE,
        Action.PROBE,
        Action.TOKEN_WRITE,
        Action.PERSON_WRITE,
    },
    Role.CUSTOMER_MEMBER: {Action.CUSTOMER_READ, Action.REQUEST_SUBMIT, Action.PROBE},
}
OWNERS = st.sampled_from([None, "bank", "other"])


def principal(role: Role, scopes: frozenset[Action] | None = None) -> Principal:
    return Principal("token:ci", role, "bank" if role.of_customer else None, scopes)


def outcome(asker: Principal, action: Action, owner: str | None) -> type[BothwaysError] | None:
    try:
        require(asker, action, owner)
    except BothwaysError as error:
        return type(error)
    return None


@given(st.sampled_from(Role), st.sampled_from(Action), OWNERS)
def test_what_passes_is_what_the_role_may_do_with_its_own(role: Role, action: Action, owner: str | None) -> None:
    wanted: type[BothwaysError] | None = None
    if role.of_customer and owner == "other":
        wanted = NotFound
    elif action not in MAY[role] or (role.of_customer and owner is None):
        wanted = NotAuthorized
    assert outcome(principal(role), action, owner) is wanted


@given(st.sampled_from(Role), st.frozensets(st.sampled_from(Action)), st.sampled_from(Action), OWNERS)
def test_scopes_only_ever_take_away(role: Role, scopes: frozenset[Action], action: Action, owner: str | None) -> None:
    limited = outcome(principal(role, scopes), action, owner)
    if action in scopes:
        assert limited is outcome(principal(role), action, owner)
    else:
        assert limited is not None
    assert principal(role, scopes).actions == MAY[role] & scopes


@pytest.mark.parametrize("role", Role)
def test_a_role_and_a_customer_that_do_not_go_together_make_nobody(role: Role) -> None:
    assert actions_of(role) == MAY[role]
    with pytest.raises(ValueError, match="does not go with"):
        Principal("x", role, None if role.of_customer else "bank")


def test_what_is_missing_is_said() -> None:
    with pytest.raises(NotAuthorized, match=r"the role of token:ci \(auditor\) does not allow customer-write"):
        require(principal(Role.AUDITOR), Action.CUSTOMER_WRITE, "bank")
    with pytest.raises(NotAuthorized, match="the token of token:ci"):
        require(principal(Role.OPERATOR, frozenset()), Action.CUSTOMER_WRITE, "bank")
