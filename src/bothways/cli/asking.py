"""Which hub a command asks, the one in a directory or one elsewhere; it gets the same documents from both.

What is in a directory is asked by the operations themselves and not by the API in this process, for the API's
libraries would double the time that a command takes.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from bothways.cli import opening
from bothways.cli.exit import FAILED, OK
from bothways.cli.opening import hub_in
from bothways.cli.output import result, tell
from bothways.cli.remote import PAGE, Path_, Remote, read_token, remote, require_token
from bothways.errors import Unusable
from bothways.operations.hub import Hub

HUB, TOKEN, TOKEN_FILE, AUTHORITIES = "BOTHWAYS_HUB", "BOTHWAYS_TOKEN", "BOTHWAYS_TOKEN_FILE", "BOTHWAYS_CA"
"""Variables of the environment; a token is no option, for every user of a machine sees the options of a process."""

Document = dict[str, Any]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Where:
    """The hub that is meant, as options of every command that can ask either."""

    directory: Annotated[Path | None, Parameter(help="The directory of the hub; this one if none is named.")] = None
    hub: Annotated[
        str | None,
        Parameter(help=f"The https address of the portal of a hub elsewhere, in place of a directory; or {HUB}."),
    ] = None
    token_file: Annotated[
        Path | None, Parameter(help=f"The file with the API token for it; or {TOKEN_FILE}, or the token in {TOKEN}.")
    ] = None
    ca: Annotated[
        Path | None, Parameter(help=f"The CA of its portal in PEM, if it is no public one; or {AUTHORITIES}.")
    ] = None

    def elsewhere(self) -> str | None:
        """Return the address of the hub elsewhere, or None if a directory is meant. Raises `Unusable` for both."""
        if self.hub is None:
            # A directory that is named counts for more than an environment that was set some time ago.
            return (self.directory is None and os.environ.get(HUB)) or None
        if self.directory is not None:
            raise Unusable("--hub and --directory name two hubs. Name the one that is meant.")
        return self.hub

    @property
    def option(self) -> str:
        """The option that leads another command to the same hub."""
        url = self.elsewhere()
        return f"--directory {self.directory or Path()}" if url is None else f"--hub {url}"

    def token(self) -> str:
        """Return the token. Raises `Unusable` without one."""
        named = self.token_file or os.environ.get(TOKEN_FILE)
        if named:
            return read_token(Path(named))
        token = os.environ.get(TOKEN, "")
        if not token:
            raise Unusable(
                "a hub elsewhere wants a token. Have one made there (bothways token add NAME --role operator), put it "
                "into a file that you alone can read, and name that: --token-file FILE"
            )
        require_token(token, TOKEN)
        return token

    def authorities(self) -> Path | None:
        """Return the file with the CA of the portal, or None for the system's CAs."""
        named = self.ca or os.environ.get(AUTHORITIES)
        return Path(named) if named else None


DEFAULT = Where()
"""The directory that commands work in when none is named, as git does it; or what the environment says."""


class Here:
    """The hub in a directory, opened. Takes what asks the operations, and leaves the paths of the API alone."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def show(self, local: Callable[[Hub], Document], path: Path_, **_query: Any) -> Document:
        """Return a document."""
        del path
        return local(self.hub)

    def text(self, local: Callable[[Hub], str | None], path: Path_) -> str | None:
        """Return a text, None if there is none."""
        del path
        return local(self.hub)

    def every(
        self, local: Callable[[Hub], Iterable[Any]], path: Path_, most: int | None = None, page: int = 0, **_query: Any
    ) -> list[Any]:
        """Return the items of a list, at most so many."""
        del path, page
        return list(islice(local(self.hub), most))

    def change(
        self, local: Callable[[Hub], Document], method: str, path: Path_, body: object = None, **query: Any
    ) -> Document:
        """Change something, and return what it is now; whether it is in force, `conclude` finds out."""
        del method, path, body, query
        return local(self.hub)

    def replace(self, local: Callable[[Hub], Document], path: Path_, body: object) -> Document:
        """Put something in the place of what is there."""
        del path, body
        return local(self.hub)

    def conclude(self, document: Document, text: str, *, as_json: bool) -> int:
        """Bring into force what was changed, print the document, and return the exit code: see `opening.conclude`."""
        return opening.conclude(self.hub, document, text, as_json=as_json)

    def apply(self) -> None:
        """Bring into force what was changed, and say whether it is."""
        opening.apply(self.hub)


class There:
    """The hub elsewhere. Leaves alone what asks the operations, and takes the paths of the API."""

    def __init__(self, api: Remote) -> None:
        self.api = api
        self._applied: Document = {}

    def show(self, local: Callable[[Hub], Document], path: Path_, **query: Any) -> Document:
        """Return a document."""
        del local
        return dict(self.api.ask("GET", path, None, query))

    def text(self, local: Callable[[Hub], str | None], path: Path_) -> str | None:
        """Return a text."""
        del local
        return self.api.text(path)

    def every(
        self,
        local: Callable[[Hub], Iterable[Any]],
        path: Path_,
        most: int | None = None,
        page: int = PAGE,
        **query: Any,
    ) -> list[Any]:
        """Return the items of a list, at most so many; `page` of them are asked for at once."""
        del local
        return list(islice(self.api.every(path, min(most or page, page), **query), most))

    def change(
        self, local: Callable[[Hub], Document], method: str, path: Path_, body: object = None, **query: Any
    ) -> Document:
        """Change something, and return what it is now; whether it is in force, `conclude` says."""
        del local
        return self._told(self.api.ask(method, path, body, query))

    def replace(self, local: Callable[[Hub], Document], path: Path_, body: object) -> Document:
        """Put something in the place of what is there now, and of nothing else."""
        del local
        return self._told(self.api.put(path, body, self.api.etag(path)))

    def _told(self, answer: Document) -> Document:
        """Return the answer without what it says about being in force."""
        self._applied = {name: answer.pop(name) for name in ("in_force", "away") if name in answer}
        return answer

    def conclude(self, document: Document, text: str, *, as_json: bool) -> int:
        """Print the document with what the hub said about being in force, and return the exit code."""
        result(document | self._applied, text, as_json=as_json)
        self.apply()
        return FAILED if self._applied.get("in_force") is False else OK

    def apply(self) -> None:
        """Say whether what was changed is in force: the hub has seen to it before it answered."""
        if away := self._applied.get("away"):
            opening.tell_away(away)
        if self._applied.get("in_force"):
            tell(f"Recorded, and in force at every {'connected ' if away else ''}Envoy.")
        elif "in_force" in self._applied:
            tell(f"Recorded, but not in force everywhere yet. Look at: bothways hub status --hub {self.api.url}")


Asked = Here | There


@contextmanager
def asked(where: Where) -> Iterator[Asked]:
    """Open the hub that is meant. Raises `Unusable` if it cannot be, as `Where` and `remote` do."""
    url = where.elsewhere()
    if url is None:
        with hub_in(where.directory or Path()) as hub:
            yield Here(hub)
    else:
        with remote(url, where.token(), where.authorities()) as api:
            yield There(api)
