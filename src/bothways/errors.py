"""The few error types, by what the caller can do. HTTP codes stand in `web`, exit codes in `cli/exit.py`."""

from datetime import datetime
from typing import Any

from bothways.findings import Finding


class BothwaysError(Exception):
    """Something that a person can act on; its text is one sentence or more, ready to print.

    `said` is what everybody reads of it. `look` comes after it for who runs the hub: a sentence with the command that
    goes on from there, which a customer does not have, and a page has a place for instead.
    """

    def __init__(self, said: str, look: str = "") -> None:
        super().__init__(f"{said} {look}" if look else said)
        self.said = said

    def document(self) -> dict[str, Any]:
        """Return what went wrong as the JSON object that every `--json` output uses."""
        return {"error": type(self).__name__.lower(), "detail": str(self)}


class Refused(BothwaysError):
    """The input breaks rules; all of them are in `findings`. The caller mends the input and tries again."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings

    def document(self) -> dict[str, Any]:
        """Return it with all findings."""
        return super().document() | {"findings": [finding.document() for finding in self.findings]}


class Proposed(BothwaysError):
    """Not done, and on record: the first of two people has approved it. The caller asks another one to confirm it."""

    def __init__(self, kind: str, number: int, by: str, at: datetime, detail: str) -> None:
        super().__init__(detail)
        self.kind, self.number, self.by, self.at = kind, number, by, at

    def document(self) -> dict[str, Any]:
        """Return what was proposed, by whom and when; it is no error."""
        what = {"state": "proposed", "kind": self.kind, "number": self.number}
        return what | {"by": self.by, "at": self.at.isoformat(), "detail": str(self)}


class NotFound(BothwaysError):
    """The thing that was named does not exist. The caller names another, or makes it first."""


class Conflict(BothwaysError):
    """The thing exists already, or its state does not allow the step. The caller looks at it first."""


class Unusable(BothwaysError):
    """The set-up is wrong: a directory, a setting, a missing program. The caller mends the set-up."""


class Unreachable(BothwaysError):
    """The network said no: a port in use, a name that does not resolve, a peer that does not answer."""


class NotAuthenticated(BothwaysError):
    """Who asks has not shown who they are: the caller sends a token, or another one (401)."""


class NotAuthorized(BothwaysError):
    """The peer answered, and refused who we are: at the handshake, or with 401 or 403."""
