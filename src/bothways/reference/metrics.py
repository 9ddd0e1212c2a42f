"""The page of metrics: names, kinds and meanings as the hub and the client write them."""

import re

from bothways.reference import MADE
from bothways.spoke.metrics import KINDS

_HELP = re.compile(r"^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$", re.MULTILINE)


def metrics_page(hub: str, data_plane: str) -> str:
    """Return the page for what a hub and its data plane answer to a scrape, in Prometheus' text format."""
    lines = [f"# All metrics\n\nWhat Prometheus reads of a hub, and of the client in a customer's program. {MADE}\n"]
    lines += [
        "## Of the hub\n",
        (
            "Every one has the label `namespace`, the hub's environment. How to scrape: [running a "
            "hub](operation.md#metrics).\n"
        ),
    ]
    lines += _table([match.groups() for match in _HELP.finditer(hub + data_plane)])
    lines += ["", "## Of the client\n", "How to print them: [the client](client.md#metrics).\n"]
    lines += _table([(name, meaning, kind) for name, (kind, meaning) in KINDS.items()])
    return "\n".join(lines) + "\n"


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    return [
        "| metric | kind | meaning |",
        "| --- | --- | --- |",
        *(f"| `{name}` | {kind} | {said} |" for name, said, kind in rows),
    ]
