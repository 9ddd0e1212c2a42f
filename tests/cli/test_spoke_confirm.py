"""What is asked at a terminal: on a pseudo-terminal, by the real command in a process of its own."""

import os
import pty
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import PIPE, CompletedProcess, Popen
from typing import Any

from bothways.cli.spoke_confirm import is_the_hubs
from bothways.pki.chain import fingerprint
from bothways.spoke.directory import open_spoke

Run = Callable[..., "CompletedProcess[str]"]
PATTERN = "TLSMA-{algorithm}/{tspId}/{environment}"


def typed(directory: Path, answers: Sequence[str], *more: str) -> tuple[int, str]:
    """Run init at a terminal where these lines are typed; return the exit code and what was shown."""
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-m", "bothways", "spoke", "init", "--contract", "thales-tsh-prd"]
    argv += ["--customer", "12345678", "--directory", str(directory), *more]
    with Popen(argv, stdin=theirs, stdout=PIPE, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, "".join(f"{each}\n" for each in answers).encode())
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:
            pass  # how Linux tells that the other side has ended
        code = process.wait(60)
    os.close(ours)
    return code, shown.decode()


def test_each_unsure_fact_is_asked_and_an_empty_answer_assumes_nothing(tmp_path: Path) -> None:
    answers = ["", "yes", "EC"]
    code, shown = typed(tmp_path / "bank", answers, "--confirm", "trust.server_ca=public")
    assert code == 0, shown
    assert "Nothing is assumed" in shown
    assert "how ECDSA is spelt" in shown
    spoke = open_spoke(tmp_path / "bank")
    assert spoke.confirmed == (
        f"request.common_name = {PATTERN}",
        "request.ecdsa_marker = EC",
        "trust.server_ca = public",
    )


def test_options_are_read_as_setting_and_value(bothways: Run, contract_file: Path, tmp_path: Path) -> None:
    start = ("spoke", "init", "--customer", "12345678", "--directory", tmp_path / "bank", "--contract")
    for wrong, said in (
        (("--confirm", "request.common_name"), "has no value"),
        (("--confirm", "a.b=1", "--confirm", "a.b=2"), "says a.b twice"),
        (("--confirm", "a.b=1"), "a.b is not among what"),
    ):
        done = bothways(*start, "thales-tsh-ppr", *wrong)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    whole = bothways(*start, contract_file, "--confirm", "a.b=1")
    assert (whole.returncode, "nothing to confirm" in whole.stderr) == (2, True)


def test_a_ca_is_the_hubs_by_its_fingerprint_in_any_spelling_and_never_by_itself(make_ca: Callable[..., Any]) -> None:
    found = make_ca("CA")[1]
    seen = fingerprint(found)
    colons = ":".join(seen[each : each + 2] for each in range(0, 64, 2)).upper()
    assert [is_the_hubs(found, each) for each in (seen, colons, "0" * 64, None)] == [True, True, False, False]
