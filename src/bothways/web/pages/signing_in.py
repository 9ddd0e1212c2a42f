"""Signing in and out: password and code, passkey, invitation; and the account with its sessions."""

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from webauthn.helpers import base64url_to_bytes

from bothways.errors import NotAuthenticated, NotAuthorized, Refused
from bothways.operations import passkeys, sessions
from bothways.operations.accounts import (
    accept_invitation,
    invited_person,
    plain_code,
    prove_person,
    totp_address,
    wants_code,
)
from bothways.operations.under_way import Kind
from bothways.registry.person import Person
from bothways.texts.catalogue import worded
from bothways.web.failures import Failures
from bothways.web.pages.challenges import Challenges
from bothways.web.pages.customer import Done
from bothways.web.pages.drawing import code
from bothways.web.pages.view import View
from bothways.web.pages.visitor import Form, Gate, Sent, Visitor, own_path, redirect, source_of, told
from bothways.web.problem import status_of

_UNAUTHORIZED, _UNPROCESSABLE, _TOO_MANY = 401, 422, 429
_AT_ONCE = 2
_SLOW_DOWN = worded("too many wrong attempts came from your address. Wait a minute, and try again.")

SIGN_IN = 0
"""What a challenge is kept for that is for signing in; that of a new passkey is for the person of its number."""

Next = Annotated[str, Query(alias="next", max_length=600)]


class Desk:
    """Where people prove who they are: few at once, for a look at a password costs memory and time on purpose."""

    def __init__(self, gate: Gate, view: View) -> None:
        self.gate, self.view, self.hub = gate, view, gate.hub
        # By the number of the person, or `SIGN_IN`.
        self.challenges = Challenges[int](
            gate.hub, Kind.PASSKEY, lambda number: {"person": number}, lambda said: int(said["person"])
        )
        self._failures, self._turn = Failures(), asyncio.Semaphore(_AT_ONCE)

    async def proved(self, request: Request, work: Any, *arguments: Any) -> Person:
        """Return who the work says it is. Raises `NotAuthenticated` as it does, or when there were too many wrong."""
        source = (source_of(request), "")
        if self._failures.too_many(source, self.hub.now()):
            raise NotAuthenticated(_SLOW_DOWN)
        try:
            async with self._turn:
                person: Person = await asyncio.to_thread(work, self.hub, *arguments)
        except NotAuthorized as error:
            self._failures.add(source, self.hub.now())
            raise NotAuthenticated(str(error)) from error
        return person

    async def begin(self, request: Request, person: Person, how: str, path: str) -> Response:
        """Begin a session under a new name, whatever cookie came, and end the one that was there."""
        if earlier := await self.gate.known(request):
            await asyncio.to_thread(sessions.end_session, self.hub, earlier.person, earlier.session)
        browser = request.headers.get("user-agent", "")
        cookie = await asyncio.to_thread(sessions.begin_session, self.hub, person, source_of(request), browser, how)
        return self.gate.signed_in(cookie, own_path(path))

    def page(self, status: int, **values: Any) -> Response:
        """Return the page of signing in."""
        settings = self.hub.settings
        known: dict[str, Any] = {
            "local": settings.local_accounts,
            "single": bool(settings.oidc_issuer),
            "done": "",
            "next": "/",
        }
        return self.view.page("sign_in.html", status, **(known | values))


def sign_in_router(desk: Desk) -> APIRouter:
    """Return the routes of those who have not signed in yet."""
    router, gate = APIRouter(include_in_schema=False), desk.gate
    sent = Annotated[Sent, Depends(gate.sent)]

    @router.get("/sign-in")
    async def _sign_in(request: Request, done: Done = "", path: Next = "/") -> Response:
        if visitor := await gate.known(request):
            return redirect(visitor.start)
        return desk.page(200, done=done, next=own_path(path))

    if not desk.hub.settings.local_accounts:
        return router

    @router.post("/sign-in")
    async def _password(request: Request, form: sent) -> Response:
        email, password, code, path = (form.text(name) for name in ("email", "password", "code", "next"))
        try:
            person = await desk.proved(request, prove_person, email, password, code)
        except NotAuthenticated as error:
            status = _TOO_MANY if str(error) == _SLOW_DOWN else _UNAUTHORIZED
            return desk.page(status, refused=str(error), email=email[:254], next=own_path(path))
        return await desk.begin(request, person, "password and code", path)

    @router.post("/sign-in/passkey/options")
    async def _options(form: sent) -> Response:
        del form
        offer = passkeys.sign_in_offer(desk.hub)
        await desk.challenges.keep(SIGN_IN, offer["challenge"])
        return JSONResponse(offer, headers={"Cache-Control": "no-store"})

    @router.post("/sign-in/passkey")
    async def _passkey(request: Request, form: sent) -> Response:
        credential, path = form.text("credential"), form.text("next")
        challenge = challenge_of(credential)
        # Once: an answer that somebody copied is none any more.
        asked = await desk.challenges.take(challenge)
        if asked != SIGN_IN:
            refused = worded("the passkey was not asked for here, or too long ago. Try again.")
            return desk.page(_UNAUTHORIZED, refused=refused, next=own_path(path))
        try:
            person = await desk.proved(request, passkeys.prove_passkey, challenge, credential)
        except NotAuthenticated as error:
            return desk.page(_UNAUTHORIZED, refused=str(error), next=own_path(path))
        return await desk.begin(request, person, "passkey", path)

    _invitations(router, desk)
    return router


def _invitations(router: APIRouter, desk: Desk) -> None:
    sent = Annotated[Sent, Depends(desk.gate.sent)]

    async def page(request: Request, token: str, status: int, **values: Any) -> Response:
        person, secret = await asyncio.to_thread(invited_person, desk.hub, token)
        del request
        grouped = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
        address = totp_address(desk.hub, person, secret)
        shown: dict[str, Any] = {"secret": grouped, "address": address, "code": code(address)}
        return desk.view.page("invitation.html", status, person=person, invitation=token, **shown, **values)

    @router.get("/invitation/{token}")
    async def _invitation(request: Request, token: str, second: str = "") -> Response:
        if second:
            return redirect(f"/invitation/{token.partition('.')[0]}.{plain_code(second)}")
        try:
            return await page(request, token, 200)
        except NotAuthorized as error:
            if not await asyncio.to_thread(wants_code, desk.hub, token):
                raise
            link, _, wrong = token.partition(".")
            said = told(error)["refused"] if wrong else ""
            return desk.view.page("second_code.html", status_of(error) if wrong else 200, invitation=link, refused=said)

    @router.post("/invitation")
    async def _accept(request: Request, form: sent) -> Response:
        token, password, again, code = (form.text(name) for name in ("invitation", "password", "again", "code"))
        if password != again:
            return await page(
                request, token, _UNPROCESSABLE, refused=worded("the two passwords differ. Type both again.")
            )
        try:
            person = await asyncio.to_thread(accept_invitation, desk.hub, token, password, code)
        except Refused as refused:
            said = " ".join(f"{each.message}. {each.hint}" for each in refused.findings)
            return await page(request, token, _UNPROCESSABLE, refused=said)
        return await desk.begin(request, person, "invitation", "/")


def account_router(desk: Desk) -> APIRouter:
    """Return the routes of who has signed in: the account, its passkeys and sessions, and signing out."""
    router, gate = APIRouter(include_in_schema=False), desk.gate
    who = Annotated[Visitor, Depends(gate.visitor)]
    sent = Annotated[Form, Depends(gate.posted)]

    @router.get("/account")
    def _account(visitor: who, done: Done = "") -> Response:
        return desk.view.page(
            "account.html",
            visitor=visitor,
            done=done,
            local=desk.hub.settings.local_accounts,
            passkeys=passkeys.list_passkeys(desk.hub, visitor.person),
            sessions=sessions.list_sessions(desk.hub, visitor.person),
        )

    @router.post("/sign-out")
    async def _sign_out(form: sent) -> Response:
        await asyncio.to_thread(sessions.end_session, desk.hub, form.visitor.person, form.visitor.session)
        return gate.signed_out()

    @router.post("/account/sessions/{number}/end")
    async def _end(form: sent, number: int) -> Response:
        await asyncio.to_thread(sessions.end_session, desk.hub, form.visitor.person, number)
        return redirect("/account?done=ended")

    @router.post("/account/passkey/options")
    async def _options(form: sent) -> Response:
        offer = await asyncio.to_thread(passkeys.passkey_offer, desk.hub, form.visitor.person)
        await desk.challenges.keep(form.visitor.person.id, offer["challenge"])
        return JSONResponse(offer, headers={"Cache-Control": "no-store"})

    @router.post("/account/passkey")
    async def _passkey(form: sent) -> Response:
        credential, person = form.text("credential"), form.visitor.person
        challenge = challenge_of(credential)
        if await desk.challenges.take(challenge) != person.id:
            raise NotAuthorized("the passkey was not asked for here, or too long ago. Try again.")
        await asyncio.to_thread(passkeys.add_passkey, desk.hub, person, challenge, credential)
        return redirect("/account?done=passkey")

    return router


def challenge_of(credential: str) -> str:
    """Return the challenge that a passkey says it answers, empty if it says none; whether it does is verified later."""
    try:
        data = json.loads(credential)["response"]["clientDataJSON"]
        return str(json.loads(base64url_to_bytes(data))["challenge"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
