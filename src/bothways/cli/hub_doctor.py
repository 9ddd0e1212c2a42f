"""`bothways hub doctor`: everything that can ail a hub, looked at once, for people and for pipelines."""

from bothways.cli.exit import EXPIRING, FAILED, OK
from bothways.cli.opening import actor, control
from bothways.cli.output import HERE, Directory, Json, result
from bothways.cli.steps import finding_lines, said, verdict
from bothways.doctor.report import Outcome, Report, link
from bothways.doctor.run import examine
from bothways.findings import Finding

_CODES = {Outcome.OK: OK, Outcome.FAILED: FAILED, Outcome.EXPIRING: EXPIRING}


def doctor(*, directory: Directory = HERE, json: Json = False) -> int:
    """Look at everything that can ail a hub on its machine, and say what was seen and what mends it.

    The machine and its files; settings, database, audit, keys; the ports, the mail server and the OpenID provider; the
    hub, Envoy and the nodes. Nothing is changed, and the hub may run or not.

    Exits with 0 if nothing is wrong, 1 if something is, 5 if something ends soon and all else is right. Warnings alone
    do not fail.
    """
    report = examine(directory, actor(), lambda hub: control(hub, "GET", "/status"), said)
    result(report.document(), _text(report), as_json=json)
    return _CODES[report.outcome]


def _text(report: Report) -> str:
    lines = [line for each in report.findings for line in finding_lines(each, _rows(each))]
    return "\n".join([*lines, f"{len(report.steps)} checks in {report.seconds:.1f} s: {verdict(report.findings)}"])


def _rows(finding: Finding) -> list[tuple[str, str]]:
    where = f" ({finding.subject})" if finding.subject and finding.subject not in finding.message else ""
    return [("seen", f"{finding.message}{where}"), ("mend", finding.hint), ("more", link(finding.id))]
