from datetime import UTC, datetime

import pytest

from bothways.errors import BothwaysError, Conflict, NotAuthorized, NotFound, Proposed, Refused, Unreachable, Unusable
from bothways.findings import Finding

FIRST = Finding("CSR-KEY-01", "the key is weak", "Make a new key.", "R7")
SECOND = Finding("CSR-CN-01", "the common name is 'x'", "Make the request again.", "R8", "request.pem")


def test_a_refusal_prints_each_finding_on_a_line_of_its_own() -> None:
    assert str(Refused((FIRST, SECOND))) == (
        "CSR-KEY-01: the key is weak. Make a new key.\n"
        "CSR-CN-01: the common name is 'x' (request.pem). Make the request again."
    )


def test_a_refusal_keeps_its_findings_as_data() -> None:
    assert Refused((FIRST, SECOND)).findings == (FIRST, SECOND)


def test_what_is_proposed_says_so_and_is_no_error() -> None:
    proposed = Proposed("chain", 7, "ann", datetime(2026, 1, 2, tzinfo=UTC), "chain 7 is proposed.")
    assert proposed.document() == {
        "state": "proposed",
        "kind": "chain",
        "number": 7,
        "by": "ann",
        "at": "2026-01-02T00:00:00+00:00",
        "detail": "chain 7 is proposed.",
    }


@pytest.mark.parametrize("kind", [Refused, Proposed, NotFound, Conflict, Unusable, Unreachable, NotAuthorized])
def test_each_kind_is_ours_and_is_caught_as_no_other_kind(kind: type[BothwaysError]) -> None:
    assert kind.__bases__ == (BothwaysError,)
