"""The portal's public part: the contract, for everybody who wants to become a customer."""

from html import escape

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, PlainTextResponse

from bothways.contract.render import render_contract
from bothways.operations.hub import Hub, contract
from bothways.web import problem
from bothways.web.est import enroll_router, public_router

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


def portal_app(hub: Hub) -> FastAPI:
    """Return the application."""
    app = FastAPI(title=f"Bothways {hub.environment.value}", docs_url=None, redoc_url=None)
    problem.install(app)
    app.include_router(public_router(hub))
    app.include_router(enroll_router(hub))

    @app.get("/contract.toml", response_class=PlainTextResponse)
    def _contract() -> PlainTextResponse:
        return PlainTextResponse(render_contract(contract(hub)), media_type="application/toml")

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
