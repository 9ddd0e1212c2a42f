"""`python -m bench.screenshots [DIRECTORY]`: pictures of the portal's main pages, to be looked at by people.

Each page in the light and the dark, on a desk and on a phone of 360 pixels; of production what is other there.
"""

import re
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from bench.portal_site import BANK, SHOP, account, furnish, new_hub, serving
from bothways.contract.document import Environment
from bothways.errors import Proposed
from bothways.operations.accounts import invite_person
from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.operations.requests import waiting_requests
from bothways.operations.second_person import waiting_people
from bothways.registry.access import Role

_DESK, _PHONE, _WALL = (1280, 900), (360, 740), (3840, 2160)
_LOOKS: tuple[tuple[Literal["light", "dark"], tuple[int, int]], ...] = (
    ("light", _DESK),
    ("dark", _DESK),
    ("light", _PHONE),
    ("dark", _PHONE),
)
_OF_CUSTOMER = ("home", "requests?key=ecdsa&country=FR&state=Ile-de-France&locality=Paris&unit=Payments")
_REST = ("certificates", "trust", "endpoint", "activity", "services", "files", "contacts", "own-ca")
_ASKED = "docs/search.html?q=how+do+I+make+a+key+and+request"
_PROVIDER = "https://login.bank.example"


def _refused(page: Page) -> None:
    for name, value in (("email", "ann@hub.example"), ("password", "wrong"), ("code", "000000")):
        page.fill(f"#{name}", value)
    page.get_by_role("button", name="Sign in", exact=True).click()


def _acts() -> dict[str, Callable[[Page], None]]:
    """Return what is done on a page before its picture is taken, by what stands behind `#` in the lists below."""
    return {
        "refused": _refused,
        "approved": lambda page: page.locator("button[value=all]").click(),
        "confirmed": lambda page: page.get_by_role("button", name="Confirm zoe").click(),
    }


def main(arguments: list[str]) -> int:
    """Make the pictures; return 0, or 1 without a browser."""
    out = Path(arguments[0] if arguments else "screenshots")
    if not (chromium := shutil.which("chromium")):
        print("there is no chromium on PATH; install it: apt-get install chromium", file=sys.stderr)
        return 1
    out.mkdir(parents=True, exist_ok=True)
    with new_hub() as hub, new_hub(Environment.PRD) as production, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        # In production people sign in at their organization too.
        at_provider = replace(production.settings, oidc_issuer=_PROVIDER, oidc_client_id="bothways")
        for each, pages in ((hub, _pages), (replace(production, settings=at_provider), _pages_of_production)):
            furnish(each)
            with serving(each) as address:
                _pictures(browser, each, address, out, pages(each))
        browser.close()
    print(f"{len(list(out.glob('*.png')))} pictures are in {out}")
    return 0


_Pages = dict[str, tuple[str | None, list[str]]]
"""The cookie of each who looks, and the paths that they look at."""


def _pages(hub: Hub) -> _Pages:
    own = [f"customers/{BANK}/{each}" for each in (*_OF_CUSTOMER, *_REST)]
    return {
        "nobody": (None, ["", "sign-in", "sign-in#refused", f"invitation/{_invited(hub)}", _ASKED]),
        "issuer": (
            account(hub, "bob@bank.example", "Bob Martin", Role.CUSTOMER_ADMINISTRATOR, BANK),
            [*own, f"customers/{BANK}/files/instructions.html", "people", "tokens", "account"],
        ),
        "operator": (
            account(hub, "ann@hub.example", "Ann Operator", Role.OPERATOR),
            [
                *("reviews", f"reviews/requests/{waiting_requests(hub)[0]}", "reviews/chains/2", "reviews/endpoints/1"),
                *(f"customers/{SHOP}/{each}" for each in ("home", "trust", "files", "contacts", "own-ca")),
                *("customers", "people", "tokens", "contacts", "nodes", "audit", "reviews#approved"),
            ],
        ),
    }


def _pages_of_production(hub: Hub) -> _Pages:
    """Return the pages that are other where it takes two people, and where there is an OpenID provider."""
    ann = account(hub, "ann@hub.example", "Ann Operator", Role.OPERATOR)
    bob = account(hub, "bob@bank.example", "Bob Martin", Role.CUSTOMER_ADMINISTRATOR, BANK)
    rita = replace(hub, actor="rita@hub.example")
    with suppress(Proposed):
        add_person(rita, "zoe@hub.example", "Zoe Reviewer", Role.REVIEWER)
    _, token, _ = invite_person(rita, waiting_people(hub)[0].id)
    return {
        "operator": (ann, ["reviews", "people", "reviews#approved", "reviews#confirmed"]),
        "issuer": (bob, [f"customers/{BANK}/home"]),
        # The link of who was confirmed.
        "nobody": (None, ["", "sign-in", f"invitation/{token}", f"invitation/{token}.AAAA"]),
    }


def _pictures(browser: Browser, hub: Hub, address: str, out: Path, pages: _Pages) -> None:
    environment, acts = hub.environment.value.lower(), _acts()
    for who, (cookie, paths) in pages.items():
        context = browser.new_context(ignore_https_errors=True, reduced_motion="reduce")
        if cookie:
            name = f"__Host-bothways-{environment}"
            context.add_cookies([{"name": name, "value": cookie, "url": address, "secure": True}])
        for number, each in enumerate(paths):
            path, _, act = each.partition("#")
            page = context.new_page()
            page.goto(f"{address}/{path}")
            if act:
                acts[act](page)
            # Without what is behind a question mark, and without the secret of an invitation.
            plain = re.sub(r"\?.*|(?<=^invitation)/.*", "", each)
            title = f"{number:02}-{re.sub('[/#]', '-', plain) or 'first'}"
            for scheme, size in (*_LOOKS, *([("light", _WALL)] if number == 0 else ())):
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": size[0], "height": size[1]})
                picture = out / f"{environment}-{who}-{title}-{scheme}-{size[0]}.png"
                page.screenshot(path=picture, full_page=True)
            page.close()
        context.close()


def _invited(hub: Hub) -> str:
    person = add_person(hub, "eve@bank.example", "Eve Dupont", Role.CUSTOMER_MEMBER, BANK)
    return invite_person(hub, person.id)[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
