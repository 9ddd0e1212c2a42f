"""Who looks at a page, by the session of their cookie; and the one way in for everything that a form sends.

Each form of a session carries its token (CSRF), and comes from a page of ours: a browser says so in Origin, or in
Sec-Fetch-Site. The cookie's name carries the environment, for a cookie knows hosts and no ports (R5).
"""

import asyncio
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import UploadFile

from bothways.errors import BothwaysError, NotAuthorized, Refused
from bothways.findings import Finding
from bothways.operations.hub import Hub
from bothways.operations.sessions import Visit, visit_of
from bothways.registry.access import Action, Role
from bothways.web.api.caller import Apply, Caller, Running
from bothways.web.application import name_actor

FORM_MOST = 256 * 1024
"""Bytes of a form: a chain or a request with what stands around it."""
_FIELDS_MOST = 2_000
_REASON_MOST = 1000
_OWN_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9/_.~?=&%-]{0,500}(#[a-z-]{1,40})?", re.ASCII)
_SEE_OTHER = 303


class SignInFirst(Exception):
    """Nobody has signed in; `path` is where they wanted to go."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class Visitor:
    """Who has signed in, as pages and routes see them; what they may do goes through the one gate of the API."""

    def __init__(self, hub: Hub, visit: Visit, apply: Apply) -> None:
        self._caller = Caller(hub, visit.person.principal, Running(apply))
        self._apply = apply
        self.person, self.csrf, self.session = visit.person, visit.session.csrf, visit.session.id
        self.name, self.email, self.role = visit.person.name, visit.person.email, visit.person.role
        self.tsp_id = visit.person.tsp_id

    @property
    def of_hub(self) -> bool:
        """Whether they are of the hub, and see all customers."""
        return not self.role.of_customer

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that they can give to somebody, or to a token."""
        return tuple(each for each in Role if self.of_hub or each.of_customer)

    @property
    def administrates(self) -> bool:
        """Whether they look after the people of their customer."""
        return self.role is Role.CUSTOMER_ADMINISTRATOR

    @property
    def makes_tokens(self) -> bool:
        """Whether they have to do with API tokens."""
        return self.can(Action.TOKEN_WRITE)

    @property
    def start(self) -> str:
        """The page that they begin at."""
        return "/reviews" if self.of_hub else f"/customers/{self.tsp_id}/home"

    def may(self, action: Action, tsp_id: str | None = None) -> Hub:
        """Return the hub in their name. Raises `NotFound`, `NotAuthorized` as the API does."""
        return self._caller.may(action, tsp_id)

    def require_within(self, role: Role, scopes: Iterable[Action] | None = None) -> frozenset[Action] | None:
        """Return what a token that they make is limited to. Raises `NotAuthorized` as the API does."""
        return self._caller.require_within(role, scopes)

    def can(self, action: Action) -> bool:
        """Tell whether their role goes so far: whether a page shows the form."""
        return action in self.person.principal.actions

    async def apply(self) -> str:
        """Bring what was stored into force; return which sentence says whether it is."""
        return "in-force" if (await self._apply()).in_force else "recorded"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form sent: its texts, and the content of the file that was chosen, if one was."""

    values: tuple[tuple[str, str], ...]
    file: bytes

    def text(self, name: str) -> str:
        """Return a field's text, empty if it was not sent."""
        return next((value for field, value in self.values if field == name), "")

    def texts(self, name: str) -> tuple[str, ...]:
        """Return all texts of a field that may be sent more than once."""
        return tuple(value for field, value in self.values if field == name)


@dataclass(frozen=True, slots=True)
class Form:
    """What a form of a session sent, and who sent it."""

    visitor: Visitor
    sent: Sent

    def text(self, name: str) -> str:
        """Return a field's text, empty if it was not sent."""
        return self.sent.text(name)

    def content(self, name: str) -> bytes:
        """Return the chosen file if there is one, else what was pasted.

        A browser sends each line's end as CR LF, whatever was pasted (the URL standard has forms so): nobody is told.
        """
        return self.sent.file or self.text(name).replace("\r\n", "\n").encode(errors="replace")

    @property
    def reason(self) -> str:
        """Why, as it was written, on one line; empty if nothing was."""
        return " ".join(self.text("reason").split())[:_REASON_MOST]

    def why(self) -> str:
        """Return why something is taken away. Raises `WhyMissing` if nothing was said: no field leaves it out."""
        if not self.reason:
            raise WhyMissing(self)
        return self.reason


class WhyMissing(Exception):
    """The reason was left blank; `form` is asked for again with it, and with all else that was sent."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form


class Gate:
    """The dependencies of all routes: `visitor`, `posted`, and `sent` for the forms of people who are not signed in."""

    def __init__(self, hub: Hub, apply: Apply) -> None:
        self.hub, self._apply = hub, apply
        self.cookie = f"__Host-bothways-{hub.environment.value.lower()}"

    async def known(self, request: Request) -> Visitor | None:
        """Return who looks, or None."""
        cookie = request.cookies.get(self.cookie)
        visit = await asyncio.to_thread(visit_of, self.hub, cookie) if cookie else None
        if visit is None:
            return None
        name_actor(request, visit.person.principal.name)
        # For the page of an error, which nobody asks who looks.
        request.state.visitor = Visitor(self.hub, visit, self._apply)
        return request.state.visitor  # type: ignore[no-any-return]

    async def visitor(self, request: Request) -> Visitor:
        """Return who looks. Raises `SignInFirst`."""
        if visitor := await self.known(request):
            return visitor
        query = f"?{request.url.query}" if request.url.query else ""
        raise SignInFirst(request.url.path + query if request.method == "GET" else "/")

    async def posted(self, request: Request) -> Form:
        """Return what a form of the visitor's session sent. Raises `SignInFirst`, `NotAuthorized`."""
        visitor = await self.visitor(request)
        sent = await self.sent(request)
        if not hmac.compare_digest(sent.text("csrf").encode(), visitor.csrf.encode()):
            raise NotAuthorized("the form is not of this session. Go back, load the page again, and send it again.")
        return Form(visitor, sent)

    async def sent(self, request: Request) -> Sent:
        """Return what a form of one of our pages sent. Raises `NotAuthorized` if it came from elsewhere."""
        origin = request.headers.get("origin")
        here = request.headers.get("sec-fetch-site") == "same-origin" if origin is None else origin == self._portal
        if not here:
            raise NotAuthorized(f"the form was sent from another site than {self._portal}. Open the portal itself.")
        return await _form(request)

    @property
    def _portal(self) -> str:
        return self.hub.terms.portal

    def signed_in(self, cookie: str, path: str) -> Response:
        """Return the answer that begins a session, and goes on where the person wanted to go."""
        answer = redirect(path)
        answer.set_cookie(self.cookie, cookie, path="/", secure=True, httponly=True, samesite="lax")
        return answer

    def signed_out(self) -> Response:
        """Return the answer that ends the session in the browser."""
        answer = redirect("/sign-in?done=signed-out")
        answer.delete_cookie(self.cookie, path="/", secure=True, httponly=True, samesite="lax")
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        return answer


def redirect(path: str) -> Response:
    """Return the answer that leads to another page of ours, with GET."""
    return RedirectResponse(own_path(path), _SEE_OTHER, {"Cache-Control": "no-store"})


def own_path(path: str) -> str:
    """Return a path of this portal as it is, and the first page for everything else: nobody is led elsewhere."""
    return path if _OWN_PATH.fullmatch(path) else "/"


def sign_in_path(path: str) -> str:
    """Return the path of the sign-in that goes on at `path`."""
    return f"/sign-in?next={quote(own_path(path), safe='')}"


def source_of(request: Request) -> str:
    """Return the address that a request came from."""
    return request.client.host if request.client else ""


def told(error: BothwaysError) -> dict[str, Any]:
    """Return what a page shows of an error: its findings if there are some, else its sentence."""
    findings: tuple[Finding, ...] = error.findings if isinstance(error, Refused) else ()
    return {"findings": findings, "refused": "" if findings else error.said}


async def _form(request: Request) -> Sent:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_MOST:
            raise Refused(
                (
                    Finding(
                        "FORM-SIZE",
                        f"more than {FORM_MOST // 1024} KiB were sent",
                        "Send the request, the chain or the bundle alone.",
                        "R16",
                        "form",
                    ),
                )
            )

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    whole = Request(request.scope, receive)
    async with whole.form(max_files=1, max_fields=_FIELDS_MOST, max_part_size=FORM_MOST) as form:
        fields = form.multi_items()
        files = [await each.read() for _, each in fields if isinstance(each, UploadFile)]
    return Sent(tuple((name, value) for name, value in fields if isinstance(value, str)), b"".join(files))
