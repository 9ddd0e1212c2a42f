"""A hub elsewhere, asked through its REST API over TLS; its problems become the errors that the hub itself raises."""

import base64
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from bothways import __version__, files
from bothways.errors import (
    BothwaysError,
    Conflict,
    NotAuthenticated,
    NotAuthorized,
    NotFound,
    Proposed,
    Refused,
    Unreachable,
    Unusable,
)
from bothways.findings import Finding, Level
from bothways.pki.pasted import plain

PAGE = 200
"""Items that are asked for at once: the most that the API gives."""
PLAIN_MOST = 5000
"""The same of a list of numbers or digests alone."""
PATIENCE = 120.0
"""Seconds that are waited in all for a hub that says that it is asked too often."""
_PREFIX = "/api/v1"
# A probe and the rotation ask customers' servers first, each within its own limits.
_TIMEOUT = httpx2.Timeout(600.0, connect=15.0)
_ERRORS: dict[int, type[BothwaysError]] = {
    HTTPStatus.UNAUTHORIZED: NotAuthenticated,
    HTTPStatus.FORBIDDEN: NotAuthorized,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.PRECONDITION_FAILED: Conflict,
    HTTPStatus.BAD_GATEWAY: Unreachable,
}
_PROBLEM = "application/problem+json"

Path_ = tuple[object, ...]
"""The parts of a path after the prefix of the API, as they are: they are escaped here."""


class Remote:
    """The API of one hub. Made by `remote`."""

    def __init__(self, url: str, client: httpx2.Client) -> None:
        self.url, self._client, self._patience = url, client, PATIENCE

    def ask(self, method: str, path: Path_, body: object = None, query: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON value that the API answers. Raises what the hub raised, and `Unreachable`."""
        answer = self._asked(method, path, body, query)
        try:
            return answer.json()
        except ValueError as error:
            raise self._no_hub(answer) from error

    def text(self, path: Path_) -> str:
        """Return the text that the API answers. Raises as `ask` does."""
        return self._asked("GET", path, None, None).text

    def etag(self, path: Path_) -> str | None:
        """Return the entity tag of what is there, or None if nothing is."""
        try:
            return self._asked("GET", path, None, None).headers.get("etag")
        except NotFound:
            return None

    def every(self, path: Path_, limit: int = PAGE, **query: Any) -> Iterator[Any]:
        """Yield the items of a list, page by page."""
        given = {name: value for name, value in query.items() if value is not None}
        while True:
            page = self.ask("GET", path, None, given | {"limit": limit})
            yield from page["items"]
            if page["next"] is None:
                return
            given["after"] = page["next"]

    def _asked(
        self,
        method: str,
        path: Path_,
        body: object,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        if nameless := [part for part in path if part in {"", ".", ".."}]:
            # It would lead to something else than what was meant.
            raise NotFound(f"there is nothing by the name {nameless[0]!r}. Check the spelling.")
        place = self.url + _PREFIX + "".join(f"/{quote(str(part), safe='')}" for part in path)
        while True:
            try:
                answer = self._client.request(method, place, json=body, params=query, headers=headers)
            # A host name that cannot be encoded is a UnicodeError.
            except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
                raise self._unreachable(error) from error
            if answer.status_code != HTTPStatus.TOO_MANY_REQUESTS or not self._waited(answer):
                break
        if not answer.is_success:
            raise self._error(answer)
        if answer.status_code == HTTPStatus.ACCEPTED:
            raise _proposed(answer.json())
        return answer

    def put(self, path: Path_, body: object, etag: str | None) -> Any:
        """Replace what has this entity tag, or what is not there if that is None. Raises as `ask` does."""
        headers = {"If-None-Match": "*"} if etag is None else {"If-Match": etag}
        return self._asked("PUT", path, body, None, headers).json()

    def _waited(self, answer: httpx2.Response) -> bool:
        """Wait as long as the hub says, before it did anything; tell whether it was worth it."""
        said = answer.headers.get("retry-after", "")
        seconds = float(said) if said.isascii() and said.isdecimal() else 1.0
        if seconds > self._patience:
            return False
        self._patience -= seconds
        time.sleep(seconds)
        return True

    def _error(self, answer: httpx2.Response) -> BothwaysError:
        if answer.headers.get("content-type", "").partition(";")[0] != _PROBLEM:
            return self._no_hub(answer)
        problem = answer.json()
        found = tuple(_finding(each) for each in problem.get("errors", ()))
        if found:
            return Refused(found)
        return _ERRORS.get(answer.status_code, Unusable)(str(problem.get("detail") or problem.get("title")))

    def _no_hub(self, answer: httpx2.Response) -> Unusable:
        return Unusable(
            f"{answer.request.url} answers with status {answer.status_code} and not as a hub does. "
            "Give the address of the hub's portal, as `bothways hub status` there prints it: "
            "--hub https://portal.hub.example"
        )

    def _unreachable(self, error: Exception) -> Unreachable:
        said = str(error) or type(error).__name__
        hint = "Check the address, and whether the hub runs."
        if "CERTIFICATE" in said:
            hint = "If no public CA vouches for the hub's portal, name the CA that does: --ca FILE"
        return Unreachable(f"the hub at {self.url} cannot be asked: {said}. {hint}")


@contextmanager
def remote(url: str, token: str, authorities: Path | None) -> Iterator[Remote]:
    """Open the API of the hub at an https URL, trusted by the system's CAs, or by those in a file (PEM) alone.

    Raises `Unusable` if one of the three cannot be used.
    """
    # The network of the spoke, DNS included, which a hub in a directory needs nothing of.
    from bothways.spoke.line import Line  # noqa: PLC0415
    from bothways.spoke.transport import Transport  # noqa: PLC0415

    base = url.rstrip("/")
    if not base.startswith("https://") or "?" in base or "#" in base or "@" in base:
        raise Unusable(f"{url} is no https address of a hub. Give that of its portal: --hub https://portal.hub.example")
    headers = {"Authorization": f"Bearer {token}", "User-Agent": f"bothways/{__version__}"}
    context = _context(authorities)
    transport = Transport(Line(lambda: context))
    with httpx2.Client(transport=transport, headers=headers, timeout=_TIMEOUT, trust_env=False) as client:
        yield Remote(base, client)


def read_token(path: Path) -> str:
    """Return the token in a file that nobody else can read. Raises `Unusable`."""
    token = files.read_private(path, "the token").decode(errors="replace").strip()
    require_token(token, str(path))
    return token


def text_of(data: bytes) -> str:
    """Return what a file holds as the API takes it: as it is if that is text, and bytes in base64."""
    try:
        return plain(data)[0].decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()


def require_token(token: str, source: str) -> None:
    """Raise `Unusable` if this is no token: it would be sent as a header."""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Unusable(f"{source} holds no token. Put there what `bothways token add` printed, and nothing else.")


def _context(authorities: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context() if authorities is None else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authorities is not None:
        data = files.read(authorities, "the CA").decode(errors="replace")
        try:
            context.load_verify_locations(cadata=data)
        except (ssl.SSLError, ValueError) as error:
            raise Unusable(f"{authorities} holds no CA in PEM ({error}). Name the one of the hub's portal.") from error
    return context


def _proposed(document: Mapping[str, Any]) -> Proposed:
    at = datetime.fromisoformat(document["at"])
    return Proposed(document["kind"], document["number"], document["by"], at, document["detail"])


def _finding(document: Mapping[str, str]) -> Finding:
    values = {each.name: document[each.name] for each in fields(Finding)}
    return Finding(**values | {"level": Level(document["level"])})  # type: ignore[arg-type]  # a Level is there
