"""Axe finds nothing on any main page, light and dark, on a desk and on a phone; and nothing sticks out."""

from collections.abc import Iterator

import pytest
from bench.portal_site import BANK, account, furnish, new_hub, serving
from tests.browser.conftest import Open, check_accessible

from bothways.contract.document import Environment
from bothways.operations.accounts import invite_person
from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.registry.access import Role

_PLACES = ("home", "certificates", "trust", "endpoint", "activity", "services", "files", "contacts", "own-ca")
_MOST = 150 * 1024
"""Bytes of a page."""

PAGES = {
    "nobody": ["", "sign-in", "invitation/{token}", "nowhere", "docs/", "docs/search.html?q=CSR-KEY-03"],
    "issuer": [
        *(f"customers/{BANK}/{each}" for each in _PLACES),
        f"customers/{BANK}/requests?key=ecdsa&country=X&state=S&locality=L&unit=U",
        f"customers/{BANK}/files/instructions.html",
        "account",
        "people",
        "tokens",
    ],
    "operator": [
        *("reviews", "reviews/requests/3", "reviews/chains/2", "reviews/endpoints/2"),
        *("customers", f"customers/{BANK}/files", f"customers/{BANK}/contacts", f"customers/{BANK}/own-ca"),
        *("people", "tokens", "contacts", "nodes", "audit"),
    ],
}


# Where it takes two people, pages say more.
@pytest.fixture(scope="module", params=[Environment.PRD, pytest.param(Environment.PPR, marks=pytest.mark.soak)])
def site(request: pytest.FixtureRequest) -> Iterator[Hub]:
    """A portal that serves, with customers in every state."""
    with new_hub(request.param) as hub:
        furnish(hub)
        with serving(hub):
            yield hub


@pytest.fixture(scope="module")
def cookies(site: Hub) -> dict[str, str]:
    """The cookie of each who looks, and a token."""
    eve = add_person(site, "eve@bank.example", "Eve", Role.CUSTOMER_MEMBER, BANK)
    return {
        "nobody": "",
        "issuer": account(site, "bob@bank.example", "Bob", Role.CUSTOMER_ADMINISTRATOR, BANK),
        "operator": account(site, "ann@hub.example", "Ann", Role.OPERATOR),
        "token": invite_person(site, eve.id)[1],
    }


@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", PAGES)
@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("dark", 360),
        *(
            pytest.param(*each, marks=pytest.mark.soak)
            for each in [("light", 1280), ("light", 360), ("dark", 1280), ("light", 3840), ("dark", 3840)]
        ),
    ],
)
def test_axe_finds_nothing(
    site: Hub, cookies: dict[str, str], open_page: Open, who: str, scheme: str, width: int
) -> None:
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    if cookies[who]:
        name, address = f"__Host-bothways-{site.environment.value.lower()}", site.terms.portal
        page.context.add_cookies([{"name": name, "value": cookies[who], "url": address, "secure": True}])
    for path in PAGES[who]:
        answer = page.goto(f"{site.terms.portal}/{path.format(token=cookies['token'])}")
        assert answer is not None
        assert len(answer.body()) < _MOST
        check_accessible(page)
