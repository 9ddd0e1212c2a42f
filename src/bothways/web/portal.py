"""The portal's public part: the contract, for everybody who wants to become a customer, and the revocation lists."""

from email.utils import format_datetime
from html import escape
from http import HTTPStatus
from typing import Annotated

from fastapi import FastAPI, Header, Path
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from bothways.contract.render import render_contract
from bothways.operations.hub import Hub, contract
from bothways.operations.revocation import current_list
from bothways.web import problem
from bothways.web.api.caller import Apply
from bothways.web.api.router import api_router
from bothways.web.est import enroll_router, public_router

_LIST_SECONDS = 3600
"""How long a revocation list may be served from a cache."""

_HIGHEST = (1 << 31) - 1
"""The highest number that a CA can have."""

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{hub} {environment}</title>
<style>:root{{color-scheme:light dark}}
body{{font:1rem/1.6 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}}
*{{box-sizing:border-box}}h1,p{{overflow-wrap:anywhere}}
code,pre{{background:#eef1f4;padding:.2em .4em;border-radius:.3em}}
pre{{padding:1em;white-space:pre-wrap;overflow-wrap:anywhere}}
@media(prefers-color-scheme:dark){{body{{background:#14181c;color:#e6e9ec}}code,pre{{background:#232a31}}}}</style>
<h1>{hub} <strong>{environment}</strong></h1>
<p>One endpoint for all services, mutual TLS only: <code>{endpoint}</code></p>
<p>The agreement, for people and programs: <a href="/contract.toml">contract.toml</a></p>
<pre>bothways spoke init --contract {portal}/contract.toml --customer TSPID --fingerprint SHA256</pre>
<p>Compare the fingerprint of the contract with the hub's representative, by phone.</p>
</html>
"""


def portal_app(hub: Hub, apply: Apply) -> FastAPI:
    """Return the application; `apply` brings into force what was stored."""
    app = FastAPI(title=f"Bothways {hub.environment.value}", docs_url=None, redoc_url=None)
    problem.install(app)
    app.include_router(public_router(hub))
    app.include_router(enroll_router(hub))
    app.include_router(api_router(hub, apply))

    @app.get("/contract.toml", response_class=PlainTextResponse)
    def _contract() -> PlainTextResponse:
        return PlainTextResponse(render_contract(contract(hub)), media_type="application/toml")

    @app.head("/crl/{authority}.crl", include_in_schema=False)
    @app.get("/crl/{authority}.crl", response_class=Response)
    def _revocation_list(
        authority: Annotated[int, Path(ge=1, le=_HIGHEST)], if_none_match: Annotated[str | None, Header()] = None
    ) -> Response:
        found = current_list(hub, authority)
        tag = f'"{found.authority_id}-{found.number}"'
        headers = {
            "Cache-Control": f"public, max-age={_LIST_SECONDS}",
            "ETag": tag,
            "Last-Modified": format_datetime(found.this_update, usegmt=True),
        }
        if if_none_match and tag in (each.strip().removeprefix("W/") for each in if_none_match.split(",")):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        # RFC 2585 section 4.2; RFC 5280 section 4.2.1.13 wants DER.
        return Response(found.der, media_type="application/pkix-crl", headers=headers)

    @app.get("/", response_class=HTMLResponse)
    def _page() -> HTMLResponse:
        terms = hub.terms
        return HTMLResponse(
            _PAGE.format(
                hub=escape(terms.hub),
                environment=terms.environment.value,
                endpoint=escape(terms.endpoint),
                portal=escape(terms.portal),
            )
        )

    return app
