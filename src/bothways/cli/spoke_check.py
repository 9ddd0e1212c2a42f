"""`bothways spoke check`: the doctor, for people and for pipelines."""

import re
from typing import Annotated

from cyclopts import Parameter

from bothways.cli.exit import EXPIRING, FAILED, NETWORK, NOT_AUTHORIZED, OK
from bothways.cli.output import HERE, Json, result, tell
from bothways.cli.spoke import Directory
from bothways.cli.steps import finding_lines, said, verdict
from bothways.dataplane.envoy import find_envoy
from bothways.dataplane.once import ask_once
from bothways.errors import Unusable
from bothways.findings import Finding
from bothways.spoke.check.report import Judge, Outcome, Report
from bothways.spoke.check.run import check as look
from bothways.spoke.check.run import check_until
from bothways.spoke.check.through_envoy import BOOTSTRAP, SOCKET, Envoy, Heard, Look
from bothways.spoke.directory import open_spoke

_CODES = {
    Outcome.OK: OK,
    Outcome.FAILED: FAILED,
    Outcome.NETWORK: NETWORK,
    Outcome.NOT_AUTHORIZED: NOT_AUTHORIZED,
    Outcome.EXPIRING: EXPIRING,
}
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"([0-9]+)([smh]?)")
_UNNAMED = "CHECK-SERVER-01"


def check(
    *,
    server: Annotated[
        str,
        Parameter(help="Your own server as HOST or HOST:PORT, if the hub does not tell which one it calls."),
    ] = "",
    wait: Annotated[
        str,
        Parameter(help="Check again, every five seconds, until nothing is wrong or this time is over: 90s, 2m, 1h."),
    ] = "",
    envoy: Annotated[
        str, Parameter(help="An Envoy that judges as well, in place of the one of the extra [sidecar].")
    ] = "",
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Look at everything on both ways, and say what was seen, why, and what mends it.

    This machine's files and clock; the hub's name; the way to the hub, and whether it lets our certificate in; our own
    server from here, and the hub's probe of it, which is asked for. Both ends are judged by Python's TLS, and by Envoy
    where it is installed. Nothing is changed.

    Exits with 0 if nothing is wrong, 1 for what this side lacks, 3 if the network is at fault, 4 if the hub refuses our
    certificate, 5 if a certificate expires soon and all else is right. Warnings alone do not fail.
    """
    seconds = duration(wait) if wait else 0.0
    judge = envoy_of(envoy)

    def once() -> Report:
        return look(open_spoke(directory), said, server, envoy=judge)

    report = check_until(once, seconds) if seconds else once()
    result(report.document(), report_text(report), as_json=json)
    unnamed = next((each for each in report.findings if each.id == _UNNAMED), None)
    if report.outcome is Outcome.OK and unnamed:
        # The other direction; who needs none has read so above.
        tell(f"Next: {report.explained(unnamed)['command']}")
    elif report.outcome is Outcome.OK:
        tell(f"Next: bothways spoke call GET /PATH --directory {directory}")
    return _CODES[report.outcome]


def envoy_of(named: str = "") -> Envoy | None:
    """Return what asks an Envoy: the named one, or that of the extra [sidecar]; None if that is not installed.

    Raises `Unusable` if the named one is none.
    """
    try:
        binary = find_envoy(named, "name one that is there: --envoy")
    except Unusable:
        if named:
            raise
        return None

    async def ask(look: Look) -> Heard:
        answer = await ask_once(binary, look.files, BOOTSTRAP, SOCKET, look.target.path)
        return Heard(answer.status_code, answer.content)

    return ask


def duration(text: str) -> float:
    """Return seconds out of `90`, `90s`, `2m` or `1h`. Raises `Unusable`."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise Unusable(f"{text!r} is no time. Give one like 90s, 2m or 1h.")
    return float(int(match[1]) * _UNITS[match[2]])


def report_text(report: Report) -> str:
    """Return what is wrong, each with its cause and the command that mends it; and in one line what it comes to."""
    lines = [line for each in report.findings for line in _finding_lines(each, report)]
    judges = "Python's TLS and Envoy" if Judge.ENVOY in report.judges else "Python's TLS alone"
    took = f"{len(report.steps)} checks in {report.seconds:.1f} s, by {judges}"
    return "\n".join([*lines, f"{took}: {verdict(report.findings)}"])


def _finding_lines(finding: Finding, report: Report) -> list[str]:
    told = report.explained(finding)
    where = f" ({finding.subject})" if finding.subject else ""
    rows = [
        ("seen", f"{finding.message}{where}"),
        ("cause", told["cause"]),
        ("mend", finding.hint),
        ("run", told["command"]),
        ("more", f"bothways ask {finding.id}"),
    ]
    return finding_lines(finding, rows)
