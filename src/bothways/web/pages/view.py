"""From a template and values to an answer: the one place that knows templates, static files and headers of pages."""

import hashlib
import re
import shlex
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment
from markupsafe import Markup

from bothways.errors import NotFound
from bothways.operations.hub import Hub
from bothways.texts.catalogue import said, worded_templates
from bothways.visible import visible

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every page is sent with: nothing is loaded from elsewhere, nothing runs that is not in a file of ours."""

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"


@cache
def _static() -> dict[str, tuple[bytes, str]]:
    found = {}
    for each in files("bothways.web.pages").joinpath("static").iterdir():
        content = each.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:12]
        found[each.name] = (content, f"/static/{digest}/{each.name}")
    return found


@cache
def _environment() -> Environment:
    environment = worded_templates("bothways.web.pages")
    environment.globals["static"] = lambda name: _static()[name][1]
    environment.filters |= {
        "day": _day,
        "moment": _moment,
        "grouped": _grouped,
        "fours": _fours,
        "word": shlex.quote,
        "parted": _parted,
        "said": said,
        "sentence": _sentence,
        "thousands": lambda value: f"{value:,}",
    }
    return environment


class View:
    """The pages of one hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def page(
        self, template: str, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None, **values: Any
    ) -> HTMLResponse:
        """Return a page. `values` are the template's; `visitor` is who looks, None where nobody has signed in."""
        return HTMLResponse(rendered(template, self._hub, **values), status, HEADERS | dict(headers or {}))


def rendered(template: str, hub: Hub, **values: Any) -> str:
    """Return the text of a page; `values` are the template's. What cannot be seen in it is shown as an escape."""
    terms = hub.terms
    known = {"visitor": None, "terms": terms, "environment": terms.environment.value, "now": hub.now()}
    # Browsers send the line ends of what was typed as CR LF.
    return visible(_environment().get_template(template).render(known | values).replace("\r\n", "\n"))


def static_text(name: str) -> str:
    """Return a static file as text, for a page that has it within itself."""
    return _static()[name][0].decode()


def static_router() -> APIRouter:
    """Return the route of the static files; their addresses change with their content: they are kept for good."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{digest}/{name}")
    def _file(digest: str, name: str) -> Response:
        content, address = _static().get(name, (b"", ""))
        if address != f"/static/{digest}/{name}":
            raise NotFound(f"there is no file {name} of that content. Load the page again.")
        media_type = _TYPES[name.rpartition(".")[2]]
        return Response(content, media_type=media_type, headers=HEADERS | {"Cache-Control": _FOREVER})

    return router


def _day(moment: datetime) -> Markup:
    return _in_one_line(moment, f"{moment:%Y-%m-%d}")


def _moment(moment: datetime) -> Markup:
    return _in_one_line(moment, f"{moment:%Y-%m-%d %H:%M} UTC")


def _in_one_line(moment: datetime, text: str) -> Markup:
    """Return what the style keeps in one line: a browser would end lines at hyphens."""
    return Markup('<time datetime="{}">{}</time>').format(f"{moment:%Y-%m-%dT%H:%M:%SZ}", text)


def _sentence(text: str) -> str:
    """Return what the hub said as a sentence of the page; a name at its beginning keeps its letters."""
    text = said(text)
    named = any(each in ".:/" for each in text.partition(" ")[0].rstrip(".:"))
    return (text if named else text[:1].upper() + text[1:]).removesuffix(".") + "."


def _grouped(digest: str) -> Markup:
    """Return a fingerprint in pairs, as people read it out to each other; a line breaks between pairs alone."""
    return Markup("<wbr>").join(f"{digest[start : start + 2]}:".upper() for start in range(0, len(digest), 2))[:-1]


def _fours(digest: str) -> str:
    """Return a fingerprint in fours, as one reads it out from paper."""
    return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))


def _parted(address: str) -> Markup:
    """Return an address or name whose lines break before a dot and behind any of /@, and within a word last of all."""
    return Markup("<wbr>").join(re.split(r"(?<=[/@,])(?!/)|(?=\.)", address))
