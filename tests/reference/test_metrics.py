from bothways.reference.metrics import metrics_page
from bothways.spoke.metrics import KINDS


def test_metrics_of_hub_and_client_are_shown_with_kind_and_meaning() -> None:
    page = metrics_page(
        "# HELP a_total How often.\n# TYPE a_total counter\na_total 1\n", "# HELP b Now.\n# TYPE b gauge\n"
    )
    assert "| `a_total` | counter | How often. |\n| `b` | gauge | Now. |" in page
    assert all(f"| `{name}` | {kind} | {meaning} |" in page for name, (kind, meaning) in KINDS.items())
