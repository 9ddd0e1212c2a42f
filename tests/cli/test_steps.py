from enum import StrEnum

import pytest

from bothways.cli.steps import finding_lines, said, verdict
from bothways.findings import Finding, Level, Step


class Area(StrEnum):
    LOCAL = "local"


WARNING = Finding("CHECK-FILE-01", "others can write", "Run: chmod go-w bank.", "R1", level=Level.WARNING)
ERROR = Finding("CHECK-TCP-01", "nobody answers", "Open the port.", "R1")


def test_each_step_is_told_with_what_it_comes_to(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for findings in ((), (WARNING,), (WARNING, ERROR)):
        said(Step(Area.LOCAL, "directory", "bank", findings))
    assert [line.split() for line in capsys.readouterr().err.splitlines()] == [
        ["ok", "local", "directory", "bank"],
        ["WARN", "local", "directory", "bank"],
        ["FAIL", "local", "directory", "bank"],
    ]
    said(Step(Area.LOCAL, "clock", "cannot be asked", made=False))
    assert capsys.readouterr().err.split() == ["skip", "local", "clock", "cannot", "be", "asked"]
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    said(Step(Area.LOCAL, "directory", "bank"))
    assert capsys.readouterr().err.startswith("\033[32mok")


def test_prose_is_broken_into_lines_and_a_command_is_not() -> None:
    long = "word " * 40
    lines = finding_lines(WARNING, [("seen", long), ("run", long)])
    assert lines[0] == "WARNING CHECK-FILE-01"
    assert [line[:7].strip() for line in lines[1:]] == ["seen", "", "run", ""]
    assert [line for line in lines if line.startswith("  run")] == [f"  run    {long}"]


def test_the_verdict_counts_what_is_wrong() -> None:
    assert verdict([]) == "nothing is wrong"
    assert verdict([WARNING, ERROR, WARNING]) == "1 error, 2 warnings"
