from typing import Any

from tests.cli.conftest import Run


def test_the_doctor_says_what_is_wrong_and_what_mends_it(in_hub: Run) -> None:
    done = in_hub("hub", "doctor")
    assert done.returncode == 1
    assert "FAIL  running  hub" in done.stderr
    block = done.stdout[done.stdout.index("ERROR DOCTOR-HUB-01") :].splitlines()
    assert block[1] == "  seen   the hub does not run"
    assert "Start it: bothways hub run --directory" in block[2]
    assert "  more   doctor.md#doctor-hub-01" in block
    assert "checks in" in done.stdout.splitlines()[-1]


def test_the_document_has_all_that_was_seen(document: Any) -> None:
    report = document("hub", "doctor", code=1)
    assert report["outcome"] == "failed"
    assert "DOCTOR-HUB-01" in [each["id"] for each in report["findings"]]
    assert {"machine", "stored", "network", "running"} == {each["area"] for each in report["checks"]}
