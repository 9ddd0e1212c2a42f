import re
from pathlib import Path

from bothways.reference.metrics import metrics_page
from bothways.spoke.metrics import KINDS


def test_metrics_of_hub_and_client_are_shown_with_kind_and_meaning() -> None:
    page = metrics_page(
        "# HELP a_total How often.\n# TYPE a_total counter\na_total 1\n", "# HELP b Now.\n# TYPE b gauge\n"
    )
    assert "| `a_total` | counter | How often. |\n| `b` | gauge | Now. |" in page
    assert all(f"| `{name}` | {kind} | {meaning} |" in page for name, (kind, meaning) in KINDS.items())


def test_every_metric_of_the_code_is_on_the_page_and_every_one_that_any_page_names_is_there() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs" / "reference-metrics.md").read_text()
    listed = set(re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE))
    code = "\n".join(each.read_text() for each in (root / "src" / "bothways" / "web").glob("*.py"))
    written = set(re.findall(r"\"((?:bothways|certmanager)_[a-z_]+[a-z])\"", code)) | set(KINDS)
    # The library puts `_total` behind the name of a counter.
    assert {each.removesuffix("_total") for each in listed} == {each.removesuffix("_total") for each in written}
    texts = [each.read_text() for each in (root / "docs").glob("*.md")]
    named = {
        each for text in texts for each in re.findall(r"\b((?:bothways|certmanager)_[a-z_]+[a-z])\b(?!\.\w)", text)
    }
    assert sorted(named - listed) == []
