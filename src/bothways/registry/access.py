"""Who may do what: roles, and the one decision that every operation of API and portal goes through."""

from dataclasses import dataclass
from enum import StrEnum

from bothways.errors import NotAuthorized, NotFound


class Role(StrEnum):
    """What somebody is to the hub: the first three are of the hub, the last two of one customer (R4)."""

    OPERATOR = "operator"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    CUSTOMER_ADMINISTRATOR = "customer-administrator"
    CUSTOMER_MEMBER = "customer-member"

    @property
    def of_customer(self) -> bool:
        """Tell whether the role is of one customer, who sees nothing of others."""
        return self in {Role.CUSTOMER_ADMINISTRATOR, Role.CUSTOMER_MEMBER}


class Action(StrEnum):
    """What can be done, each the name of a scope that a token can be limited to."""

    HUB_READ = "hub-read"
    HUB_WRITE = "hub-write"
    CUSTOMER_READ = "customer-read"
    CUSTOMER_WRITE = "customer-write"
    REQUEST_SUBMIT = "request-submit"
    REQUEST_DECIDE = "request-decide"
    CERTIFICATE_REVOKE = "certificate-revoke"
    CHAIN_SUBMIT = "chain-submit"
    CHAIN_DECIDE = "chain-decide"
    ENDPOINT_WRITE = "endpoint-write"
    ENDPOINT_DECIDE = "endpoint-decide"
    PROBE = "probe"
    SERVICE_WRITE = "service-write"
    AUDIT_READ = "audit-read"
    TOKEN_WRITE = "token-write"  # noqa: S105 - the name of a scope
    PERSON_WRITE = "person-write"
    PERSON_DECIDE = "person-decide"


_ROLES: dict[Role, frozenset[Action]] = {
    Role.OPERATOR: frozenset(Action),
    # The second person: looks at everything and decides, and prepares nothing that it would decide itself.
    Role.REVIEWER: frozenset(
        {
            Action.HUB_READ,
            Action.CUSTOMER_READ,
            Action.REQUEST_DECIDE,
            Action.CHAIN_DECIDE,
            Action.ENDPOINT_DECIDE,
            Action.PERSON_DECIDE,
            Action.AUDIT_READ,
        }
    ),
    Role.AUDITOR: frozenset({Action.HUB_READ, Action.CUSTOMER_READ, Action.AUDIT_READ}),
    Role.CUSTOMER_ADMINISTRATOR: frozenset(
        {
            Action.CUSTOMER_READ,
            Action.REQUEST_SUBMIT,
            # A bank that lost a key must not have to wait for anybody.
            Action.CERTIFICATE_REVOKE,
            Action.CHAIN_SUBMIT,
            Action.ENDPOINT_WRITE,
            Action.PROBE,
            Action.TOKEN_WRITE,
            Action.PERSON_WRITE,
        }
    ),
    Role.CUSTOMER_MEMBER: frozenset({Action.CUSTOMER_READ, Action.REQUEST_SUBMIT, Action.PROBE}),
}


_DECIDING = {Action.REQUEST_DECIDE, Action.CHAIN_DECIDE, Action.ENDPOINT_DECIDE, Action.PERSON_DECIDE}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: the name for the audit, the role, the customer if the role is of one, and what a token is limited to.

    `scopes` is None where nothing limits it further than the role. `person` is who stands behind a token: what is to
    be done by two people compares that.
    """

    name: str
    role: Role
    tsp_id: str | None = None
    scopes: frozenset[Action] | None = None
    person: str = ""

    def __post_init__(self) -> None:
        """Refuse what would mean everybody's data: a customer's role without a customer, or the other way round."""
        if self.role.of_customer != (self.tsp_id is not None):
            raise ValueError(f"the role {self.role.value} does not go with the customer {self.tsp_id}")

    @property
    def actions(self) -> frozenset[Action]:
        """What the principal may do at all."""
        own = _ROLES[self.role]
        return own if self.scopes is None else own & self.scopes


def actions_of(role: Role) -> frozenset[Action]:
    """Return what a role may do."""
    return _ROLES[role]


def decides(role: Role, scopes: frozenset[Action] | None = None) -> bool:
    """Tell whether who has this role, limited to these scopes, decides about what others hand in or propose."""
    return bool(_DECIDING & (_ROLES[role] if scopes is None else _ROLES[role] & scopes))


def require(principal: Principal, action: Action, tsp_id: str | None) -> None:
    """Let the action on this customer's things pass, or on the hub's own if `tsp_id` is None.

    Raises `NotFound` for the things of another customer, whatever the action: who has nothing to do with them does not
    learn that they are there. Raises `NotAuthorized` if the role or the token does not go so far.
    """
    if principal.tsp_id is not None and tsp_id is not None and tsp_id != principal.tsp_id:
        raise NotFound("there is no such thing. Check the identifier.")
    if action not in principal.actions:
        raise NotAuthorized(
            f"the {'token' if action in _ROLES[principal.role] else 'role'} of {principal.name} "
            f"({principal.role.value}) does not allow {action.value}. Ask who runs the hub for one that does."
        )
    if principal.tsp_id is not None and tsp_id is None:
        raise NotAuthorized(
            f"{action.value} of the whole hub is not for the role {principal.role.value}. Name your customer."
        )
