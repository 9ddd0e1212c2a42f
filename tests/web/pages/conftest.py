"""The portal's pages, asked in this process as a browser asks: with cookies, forms, and where a form comes from."""

import asyncio
import html
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import httpx2
import pytest
from tests.foreign import is_known
from tests.web.conftest import applied

from bothways.operations.accounts import accept_invitation, current_code, invite_person, invited_person
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.operations.sessions import begin_session
from bothways.registry.access import Role
from bothways.registry.customer import CustomerKind
from bothways.registry.person import Person
from bothways.texts.sentences import Sentences
from bothways.web.portal import portal_app

PASSWORD = "correct horse battery staple"  # noqa: S105 - of people who are made here
OTHER = "87654321"


class Visitor:
    """A browser with its cookies. What it posts carries the token of the last page's forms."""

    def __init__(self, hub: Hub, app: Any = None) -> None:
        self.hub, self.app = hub, app or portal_app(hub, applied)
        self.cookies: dict[str, str] = {}
        self.origin: str | None = hub.terms.portal
        self.host = ""
        self.token = ""

    def get(self, path: str) -> httpx2.Response:
        """Return the answer, redirects not followed."""
        answer = self._ask("GET", path)
        if found := re.search(r'name="csrf" value="([^"]+)"', answer.text):
            self.token = found[1]
        return answer

    def post(self, path: str, **values: Any) -> httpx2.Response:
        """Send a form; `files` may stand among the values."""
        files = values.pop("files", None)
        return self._ask("POST", path, data={"csrf": self.token} | values, files=files)

    def said(self, answer: httpx2.Response) -> str:
        """Return the text of a page, as it is read."""
        return html.unescape(re.sub(r"<[^>]+>", " ", answer.text.replace("<wbr>", "")))

    def _ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        async def once() -> httpx2.Response:
            transport = httpx2.ASGITransport(self.app, raise_app_exceptions=False)
            headers = {"Accept": "text/html"} | ({"Origin": self.origin} if self.origin and method == "POST" else {})
            headers |= {"Host": self.host, "X-Forwarded-Host": self.host} if self.host else {}
            async with httpx2.AsyncClient(
                transport=transport, base_url=self.hub.terms.portal, cookies=self.cookies, headers=headers
            ) as client:
                answer = await client.request(method, path, **more)
                # What goes on beside the answer is over when the answer is looked at.
                others = asyncio.all_tasks() - {asyncio.current_task()}
                await asyncio.gather(*others, return_exceptions=True)
                # The last one of a name is the one that the answer set.
                self.cookies = {each.name: each.value or "" for each in client.cookies.jar}
                return answer

        return asyncio.run(once())


Visit = Callable[..., Visitor]


def account(hub: Hub, person: Person) -> str:
    """Make a person's account; return the secret of its codes."""
    _, token, _ = invite_person(hub, person.id)
    _, secret = invited_person(hub, token)
    accept_invitation(hub, token, PASSWORD, current_code(secret, hub.now()))
    return secret


@pytest.fixture(autouse=True)
def _what_the_hub_says_on_a_page_is_in_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    shown, told = set(), Sentences.said

    def said(sentences: Sentences, text: str) -> str:
        shown.add(text)
        return told(sentences, text)

    with monkeypatch.context() as patch:
        patch.setattr(Sentences, "said", said)
        yield
    assert [each for each in shown if not is_known(each)] == []


@pytest.fixture
def visit(hub: Hub) -> Visit:
    """Return a function that gives a browser in which somebody of this role has signed in, all at one portal."""
    portal = cache(lambda: portal_app(hub, applied))

    def signed_in(role: Role = Role.OPERATOR, tsp_id: str | None = None, app: Any = None) -> Visitor:
        person = add_person(hub, f"{role.value}@{tsp_id or 'hub'}.example", "Ann", role, tsp_id)
        visitor = Visitor(hub, app or portal())
        cookie = begin_session(hub, person, "192.0.2.1", "browser", "test")
        visitor.cookies[f"__Host-bothways-{hub.environment.value.lower()}"] = cookie
        visitor.get("/account")
        return visitor

    return signed_in


@pytest.fixture
def bank(visit: Visit, issuer: str) -> Visitor:
    """A browser of the issuer's administrator."""
    return visit(Role.CUSTOMER_ADMINISTRATOR, issuer)


@pytest.fixture
def operator(visit: Visit) -> Visitor:
    """A browser of an operator."""
    return visit()


@pytest.fixture
def other(hub: Hub) -> str:
    """The tspId of another customer than the issuer."""
    return add_customer(hub, OTHER, CustomerKind.MERCHANT, "Corner Shop").tsp_id
