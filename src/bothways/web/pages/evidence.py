"""Probes as pages show them: the stored report read back into findings, and the evidence as it was written down."""

from collections.abc import Iterable
from typing import Any

from bothways.findings import Finding, Level
from bothways.store.endpoints import StoredProbe


def shown_findings(documents: Iterable[dict[str, str]]) -> tuple[Finding, ...]:
    """Return the findings that stand in a document."""
    return tuple(
        Finding(each["id"], each["message"], each["hint"], each["citation"], each["subject"], Level(each["level"]))
        for each in documents
    )


def shown_probes(probes: Iterable[StoredProbe]) -> list[dict[str, Any]]:
    """Return each probe with its fact, findings and evidence, which is None for one that was only a call."""
    return [
        {
            "fact": each.fact,
            "findings": shown_findings(each.report.get("findings", ())),
            "evidence": each.report.get("evidence"),
        }
        for each in probes
    ]
