"""`make reference`: write all pages and drawings that are made of the code (`-m bothways.reference.write DOCS`)."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from bothways.contract.document import Contract, Environment, Terms
from bothways.dataplane.applied import Applied
from bothways.manual.filling import DOMAIN, ENDPOINT, PORTAL
from bothways.operations.hub import contract, initialise, open_hub
from bothways.operations.settings import Settings
from bothways.reference.api import api_page
from bothways.reference.commands import commands_page, exit_codes_page
from bothways.reference.drawings import drawings
from bothways.reference.findings import PAGES, findings_page
from bothways.reference.metrics import metrics_page
from bothways.reference.settings import settings_page
from bothways.reference.stacks import stack_pages
from bothways.web.metrics import render_metrics
from bothways.web.portal import portal_app
from bothways.web.scrape import render_data_plane

_STATUS: dict[str, Any] = {
    "envoy": {"pid": 1, "restarts": 0, "hot_restarts": 0, "started_at": "2026-01-01T00:00:00+00:00"},
    "nodes": [],
    "control_planes": [],
    "held_back": None,
    "version": "1",
    "last_push_milliseconds": 1.0,
}
"""The status of a hub whose data plane runs, so that each of its metrics is there."""


def made(docs: Path) -> dict[str, str]:
    """Return every file that is made, by its name; `docs` has the pages with the tables of findings."""
    document, metrics, agreed = _of_a_hub()
    data_plane = render_data_plane(Environment.PPR.value, _STATUS).decode()
    return {
        "reference-cli.md": commands_page(),
        "reference-exit-codes.md": exit_codes_page(),
        "reference-settings.md": settings_page(),
        "reference-api.md": api_page(document),
        "reference-metrics.md": metrics_page(metrics, data_plane),
        "reference-findings.md": findings_page(
            {each: (docs / f"{each}.md").read_text(encoding="utf-8") for each in PAGES}
        ),
        **stack_pages(agreed),
        **drawings(),
    }


def link(docs: Path, package: Path) -> None:
    """Put each page, drawing and example into the package, as a link to where people write it."""
    (package / "examples").mkdir(parents=True, exist_ok=True)
    for each in (*docs.glob("*.md"), *docs.glob("*.svg"), docs / "navigation.toml", *docs.glob("examples/*")):
        inner = each.relative_to(docs)
        place = package / inner
        if not place.is_symlink():
            place.symlink_to(Path(*[".."] * (4 + len(inner.parts) - 1), "docs", inner))


async def _nothing() -> Applied:
    return Applied("1", in_force=True, milliseconds=0.0)


def _of_a_hub() -> tuple[dict[str, Any], str, Contract]:
    """Return OpenAPI document, metrics and contract of a hub that is made for it, under the example's names."""
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / "hub"
        terms = Terms(Environment.PPR, DOMAIN, ENDPOINT, PORTAL)
        initialise(directory, terms, Settings(), "reference")
        with open_hub(directory, "reference") as hub:
            return portal_app(hub, _nothing).openapi(), render_metrics(hub, "", {}).decode(), contract(hub)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    for name, text in made(target).items():
        (target / name).write_text(text, encoding="utf-8")
    link(target, Path(__file__).parent.parent / "manual" / "pages")
