"""What `spoke check` says: one line for each thing that was looked at, findings with cause and command. No I/O."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bothways import findings
from bothways.findings import Finding, Level
from bothways.spoke.check.advice import advice, link


class Area(StrEnum):
    """Where something was looked at, in the order in which it is done."""

    LOCAL = "local"
    DNS = "dns"
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Outcome(StrEnum):
    """What a check comes to, for exit codes: the worst of all is told."""

    OK = "ok"
    EXPIRING = "expiring"
    FAILED = "failed"
    NETWORK = "network"
    NOT_AUTHORIZED = "not authorized"


class Judge(StrEnum):
    """Whose TLS it was."""

    PYTHON = "python"
    ENVOY = "envoy"


@dataclass(frozen=True, slots=True)
class Step(findings.Step):
    """One thing that was looked at, and by whose TLS."""

    judge: Judge = Judge.PYTHON


Say = Callable[[Step], None]
"""Told each step as it is over."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that one check saw; `seconds` is how long it took, `probe` what the hub's probe saw, as the hub tells it.

    `directory`, and `hub` and `server` as HOST:PORT, stand in the commands that mend.
    """

    directory: str
    hub: str
    server: str
    steps: tuple[Step, ...]
    seconds: float
    probe: dict[str, Any] | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found, each once: what both sides saw is told as the first one saw it."""
        seen: dict[tuple[str, str], Finding] = {}
        for step in self.steps:
            for each in step.findings:
                seen.setdefault((each.id, each.subject), each)
        return tuple(seen.values())

    @property
    def judges(self) -> tuple[Judge, ...]:
        """Whose TLS judged: Python's always, and Envoy's if one was asked."""
        return tuple(each for each in Judge if each is Judge.PYTHON or any(step.judge is each for step in self.steps))

    @property
    def outcome(self) -> Outcome:
        """What it all comes to. What this machine lacks comes before what follows from it."""
        errors = [each for each in self.findings if each.level is Level.ERROR]
        for prefixes, outcome in _OUTCOMES:
            if any(each.id.startswith(prefixes) for each in errors):
                return outcome
        if errors:
            return Outcome.FAILED
        return Outcome.EXPIRING if any(each.id == "SPOKE-EXPIRING" for each in self.findings) else Outcome.OK

    def document(self) -> dict[str, Any]:
        """Return the report as the JSON object of `spoke check --json`."""
        return {
            "outcome": self.outcome.value,
            "hub": self.hub,
            "server": self.server or None,
            "seconds": round(self.seconds, 3),
            "judged_by": [each.value for each in self.judges],
            "checks": [each.document() for each in self.steps],
            "findings": [self.explained(each) for each in self.findings],
            "probe": self.probe,
        }

    def explained(self, finding: Finding) -> dict[str, str]:
        """Return a finding as a JSON object, with its cause, the command that mends it, and where more is said."""
        found = advice(finding.id)
        host, _, port = (self.server if finding.id.startswith(_SERVERS) else self.hub).rpartition(":")
        command = found.command.replace("DIR", self.directory)
        if host:
            command = command.replace("HOST", host).replace("PORT", port)
        return finding.document() | {"cause": found.cause, "command": command, "link": link(finding.id)}


_SERVERS = ("PROBE-", "CHECK-SERVER-", "CHECK-ENVOY-02")
_OUTCOMES: tuple[tuple[tuple[str, ...], Outcome], ...] = (
    (("SPOKE-KEY", "SPOKE-FILE", "SPOKE-TOKEN", "INSTALL-01", "INSTALL-02"), Outcome.FAILED),
    # Versions, host names and protocols are settled before anybody is known.
    (
        ("CHECK-DNS", "CHECK-TCP", "CHECK-HUB", "CHECK-ALERT-70", "CHECK-ALERT-112", "CHECK-ALERT-120"),
        Outcome.NETWORK,
    ),
    (("CHECK-ALERT", "CHECK-ACCESS-01"), Outcome.NOT_AUTHORIZED),
)
