"""People and tokens in the API: a customer's administrator has to do with the customer's own alone."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from bothways.operations import people, second_person, tokens
from bothways.operations.accounts import invitation
from bothways.operations.hub import Hub
from bothways.registry.access import Action, Role
from bothways.registry.person import Person
from bothways.store.people import absent as no_person
from bothways.store.tokens import absent as no_token
from bothways.web.api.caller import Asks, Caller, Document
from bothways.web.api.described import TWO_PEOPLE
from bothways.web.api.etag import IfMatch, require_match, tagged
from bothways.web.api.gate import SHOWN_ONCE, Gate
from bothways.web.api.inputs import Body, Number, Reason, Whole, ruled, with_role
from bothways.web.api.paging import LIMIT, Limit, NumberCursor, page

Whose = Annotated[str | None, Query(max_length=64, description="Only those of this customer.")]


class NewPerson(Body):
    """Who a person is; `customer` goes with a customer's role."""

    model_config = with_role()

    email: str = Field(max_length=254)
    name: str = Field(max_length=100)
    role: Role
    customer: str | None = None
    os_user: str | None = Field(None, max_length=64)


class NewToken(Body):
    """For whom or what a token is; `scopes` limit it further than its role, `days` are how long it opens."""

    model_config = with_role(scopes=True)

    name: Annotated[str, ruled(pattern="^[a-z0-9][a-z0-9._-]{0,47}$")]
    role: Role
    customer: str | None = None
    scopes: list[Action] | None = Field(None, min_length=1)
    days: Whole = Field(tokens.DAYS, ge=1, le=tokens.DAYS_MOST)


def people_router(gate: Gate) -> APIRouter:
    """Return the routes of people."""
    router = gate.router("people")

    @router.get("")
    def _list(by: Asks, customer: Whose = None, after: NumberCursor = 0, limit: Limit = LIMIT) -> Document:
        """List people, disabled ones too, in the order in which they came; a customer sees its own."""
        hub = by.may(Action.CUSTOMER_READ, customer or by.tsp_id)
        found = people.list_people(hub, customer or by.tsp_id, after, limit + 1)
        return page(found, limit, lambda each: each.id, Person.document)

    @router.post("", status_code=201, responses=TWO_PEOPLE)
    def _add(by: Asks, body: NewPerson) -> Document:
        """Put a person on record, with a role that is not beyond the caller's own."""
        hub = by.may(Action.PERSON_WRITE, body.customer)
        by.require_within(body.role)
        return people.add_person(hub, body.email, body.name, body.role, body.customer, body.os_user).document()

    @router.get("/{number}")
    def _show(by: Asks, number: Number, response: Response) -> Document:
        """Show a person."""
        return tagged(response, _person(by, Action.CUSTOMER_READ, number)[1].document())

    @router.post("/{number}/invite", status_code=201, openapi_extra=SHOWN_ONCE)
    def _invite(by: Asks, number: Number, if_match: IfMatch = None) -> Document:
        """Make a link with which a person makes their account, once; what they signed in with before opens nothing."""
        hub, person = _read(by, Action.PERSON_WRITE, number, if_match)
        by.require_within(person.role)
        return invitation(hub, number)

    @router.post("/{number}/confirm", openapi_extra=SHOWN_ONCE)
    def _confirm(by: Asks, number: Number, if_match: IfMatch = None) -> Document:
        """Confirm, as the second person, who was put on record, or their invitation: then with a code, shown once."""
        hub, _ = _read(by, Action.PERSON_DECIDE, number, if_match)
        person, code = second_person.confirm_person(hub, number)
        return person.document() | {"code": code}

    @router.post("/{number}/refuse")
    def _refuse(by: Asks, number: Number, body: Reason, if_match: IfMatch = None) -> Document:
        """Refuse who was put on record, or their invitation, while it waits for a second person."""
        hub, _ = _read(by, Action.PERSON_DECIDE, number, if_match)
        return second_person.refuse_person(hub, number, body.reason).document()

    @router.post("/{number}/disable")
    def _disable(by: Asks, number: Number, body: Reason, if_match: IfMatch = None) -> Document:
        """Let a person in no more, by sign-in or by token."""
        hub, person = _read(by, Action.PERSON_WRITE, number, if_match)
        by.require_within(person.role)
        return people.disable_person(hub, number, body.reason).document()

    return router


def tokens_router(gate: Gate) -> APIRouter:
    """Return the routes of tokens."""
    router = gate.router("tokens")

    @router.get("")
    def _list(by: Asks, customer: Whose = None, after: NumberCursor = 0, limit: Limit = LIMIT) -> Document:
        """List tokens, those that ended too, oldest first; a customer sees its own."""
        hub = by.may(Action.TOKEN_WRITE, customer or by.tsp_id)
        found = tokens.list_tokens(hub, customer or by.tsp_id, after, limit + 1)
        return page(found, limit, lambda each: each.id, lambda each: each.document(hub.now()))

    @router.post("", status_code=201, openapi_extra=SHOWN_ONCE)
    def _add(by: Asks, body: NewToken) -> Document:
        """Make a token that opens no more than the caller's own role and token do. It is shown once."""
        hub = by.may(Action.TOKEN_WRITE, body.customer)
        scopes = by.require_within(body.role, body.scopes)
        record, secret = tokens.create_token(
            hub, body.name, body.role, body.customer, scopes, body.days, by.principal.person
        )
        return record.document(hub.now()) | {"token": secret}

    @router.get("/{number}")
    def _show(by: Asks, number: Number, response: Response) -> Document:
        """Show a token: whose it is, what it opens and when it was used; never the token itself."""
        hub = _token_hub(by, number)
        return tagged(response, tokens.show_token(hub, number).document(hub.now()))

    @router.post("/{number}/revoke")
    def _revoke(by: Asks, number: Number, body: Reason, if_match: IfMatch = None) -> Document:
        """Revoke a token: it opens nothing from now on."""
        hub = _token_hub(by, number)
        require_match(if_match, tokens.show_token(hub, number).document(hub.now()))
        return tokens.revoke_token(hub, number, body.reason).document(hub.now())

    return router


def _person(by: Caller, action: Action, number: int) -> tuple[Hub, Person]:
    # To find out whose it is, it has to be looked at; what was seen stays here.
    found = people.show_person(by.may(Action.CUSTOMER_READ, by.tsp_id), number)
    return by.may_with(action, found.tsp_id, no_person(number)), found


def _read(by: Caller, action: Action, number: int, if_match: str | None) -> tuple[Hub, Person]:
    """Return the hub and the person, for a change of what the caller read."""
    hub, person = _person(by, action, number)
    require_match(if_match, person.document())
    return hub, person


def _token_hub(by: Caller, number: int) -> Hub:
    # As above.
    found = tokens.show_token(by.may(Action.CUSTOMER_READ, by.tsp_id), number)
    return by.may_with(Action.TOKEN_WRITE, found.tsp_id, no_token(number))
