"""`python -m bench.screenshots [DIRECTORY]`: pictures of the portal's main pages, to be looked at by people.

Each page in the light and the dark, on a desk and (the first of each kind) on a phone of 360 pixels.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bench.portal_site import BANK, SHOP, account, furnish, new_hub, serving
from bothways.contract.document import Environment
from bothways.operations.accounts import invite_person
from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.operations.requests import waiting_requests
from bothways.registry.access import Role

_DESK, _PHONE, _WALL = (1280, 900), (360, 740), (3840, 2160)
_OF_CUSTOMER = ("home", "requests?key=ecdsa&country=FR&state=Ile-de-France&locality=Paris&unit=Payments")
_REST = ("certificates", "trust", "endpoint", "activity", "services", "files", "contacts", "own-ca")


def main(arguments: list[str]) -> int:
    """Make the pictures; return 0, or 1 without a browser."""
    out = Path(arguments[0] if arguments else "screenshots")
    if not (chromium := shutil.which("chromium")):
        print("there is no chromium on PATH; install it: apt-get install chromium", file=sys.stderr)
        return 1
    out.mkdir(parents=True, exist_ok=True)
    with new_hub() as hub, new_hub(Environment.PRD) as production, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for each, prefix in ((hub, "ppr"), (production, "prd")):
            furnish(each)
            with serving(each) as address:
                _pictures(browser, each, address, out, prefix)
        browser.close()
    print(f"{len(list(out.glob('*.png')))} pictures are in {out}")
    return 0


def _pictures(browser: Browser, hub: Hub, address: str, out: Path, prefix: str) -> None:
    own = [f"customers/{BANK}/{each}" for each in (*_OF_CUSTOMER, *_REST)]
    chain = "reviews/chains/2"
    pages = {
        "nobody": (None, ["", "sign-in", f"invitation/{_invited(hub)}"]),
        "issuer": (
            account(hub, "bob@bank.example", "Bob Martin", Role.CUSTOMER_ADMINISTRATOR, BANK),
            [*own, "people", "tokens", "account"],
        ),
        "operator": (
            account(hub, "ann@hub.example", "Ann Operator", Role.OPERATOR),
            [
                *("reviews", f"reviews/requests/{waiting_requests(hub)[0]}", chain, "reviews/endpoints/1"),
                *(f"customers/{SHOP}/{each}" for each in ("home", "trust", "files", "contacts", "own-ca")),
                *("customers", "people", "tokens", "contacts", "nodes", "audit"),
            ],
        ),
    }
    few = prefix == "prd"
    for who, (cookie, paths) in pages.items():
        for scheme, size in (("light", _DESK), ("dark", _DESK), ("light", _PHONE), ("light", _WALL)):
            context = browser.new_context(
                ignore_https_errors=True,
                color_scheme="dark" if scheme == "dark" else "light",
                viewport={"width": size[0], "height": size[1]},
            )
            if cookie:
                name = f"__Host-bothways-{hub.environment.value.lower()}"
                context.add_cookies([{"name": name, "value": cookie, "url": address, "secure": True}])
            for path in paths[:1] if few or size == _WALL else paths:
                page = context.new_page()
                page.goto(f"{address}/{path}")
                title = path.partition("?")[0].replace("/", "-")[:40] or "first"
                page.screenshot(path=out / f"{prefix}-{who}-{title}-{scheme}-{size[0]}.png", full_page=True)
                page.close()
            context.close()


def _invited(hub: Hub) -> str:
    person = add_person(hub, "eve@bank.example", "Eve Dupont", Role.CUSTOMER_MEMBER, BANK)
    return invite_person(hub, person.id)[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
