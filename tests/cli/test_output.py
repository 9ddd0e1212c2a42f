import json

import pytest

from bothways.cli.output import failure, result, table, tell
from bothways.errors import Conflict, Refused
from bothways.findings import Finding

FINDINGS = (Finding("A-01", "first", "Mend it.", "R7", "a.csr"), Finding("B-02", "second", "Mend that.", "R8"))


def test_a_table_has_columns_that_programs_can_cut() -> None:
    rows: list[tuple[object, ...]] = [(1, "short", None), (200, "a longer one", "x")]
    assert table(rows, ("ID", "NAME", "LAST")).splitlines() == [
        "ID   NAME          LAST",
        "1    short",
        "200  a longer one  x",
    ]


def test_a_table_without_rows_is_its_heads() -> None:
    assert table([], ("ID", "NAME")) == "ID  NAME"


def test_prose_goes_to_stderr_alone(capsys: pytest.CaptureFixture[str]) -> None:
    tell("for people")
    assert capsys.readouterr() == ("", "for people\n")


def test_the_result_is_the_document_where_json_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    result({"a": "é"}, "the text", as_json=True)
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == ({"a": "é"}, "")


def test_the_result_is_the_text_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    result({"a": "é"}, "the text", as_json=False)
    assert capsys.readouterr() == ("the text\n", "")


def test_a_refusal_tells_every_finding_to_people_and_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    failure(Refused(FINDINGS), as_json=True)
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["error"] == "refused"
    assert document["findings"] == [each.document() for each in FINDINGS]
    assert err == "A-01: first (a.csr). Mend it.\nB-02: second. Mend that.\n"


def test_without_json_a_failure_leaves_stdout_empty(capsys: pytest.CaptureFixture[str]) -> None:
    failure(Conflict("it exists already"), as_json=False)
    assert capsys.readouterr() == ("", "it exists already\n")


def test_a_terminal_obeys_nothing_that_others_wrote(capsys: pytest.CaptureFixture[str]) -> None:
    result({}, "gone\x1b[2J", as_json=False, mark="\x1b[32mok\x1b[0m ")
    tell("over\rwritten")
    assert capsys.readouterr() == ("\x1b[32mok\x1b[0m gone\\x1b[2J\n", "over\\rwritten\n")
    assert table([("1", "why\n2  another")], ("ID", "REASON")).splitlines()[1:] == ["1   why\\n2  another"]
