import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from bothways.cli.opening import actor
from bothways.operations.certificates import certificate_seen
from bothways.operations.hub import Hub
from bothways.operations.renewal import supersessions
from bothways.operations.requests import approve_all, submit_request
from bothways.operations.settings import TwoPeople, render_settings
from bothways.store.authorities import Role
from bothways.store.certificates import StoredCertificate

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]


@pytest.fixture
def csr(make_csr: Callable[..., bytes], tmp_path: Path) -> Path:
    """A good request of the issuer."""
    path = tmp_path / "tls.csr"
    path.write_bytes(make_csr())
    return path


@pytest.fixture
def submitted(document: Document, issuer: str, csr: Path) -> int:
    """The number of the issuer's request, which waits for review."""
    number = document("request", "submit", issuer, csr)["id"]
    assert isinstance(number, int)
    return number


def test_a_request_is_submitted_shown_and_listed(in_hub: Run, document: Document, submitted: int) -> None:
    shown = document("request", "show", submitted)
    assert (shown["state"], shown["findings"]) == ("submitted", [])
    assert [each["id"] for each in document("request", "list")] == [submitted]
    assert document("request", "list", "--customer", "999") == []
    assert "The rules find nothing." in in_hub("request", "show", submitted).stdout
    assert shown["fingerprint"][:16] in in_hub("request", "list").stdout


def test_where_it_takes_two_people_many_are_proposed_at_once_and_shown_so(
    hub: Hub, in_hub: Run, document: Document, issuer: str, make_csr: Callable[..., bytes]
) -> None:
    settings = replace(hub.settings, two_people=TwoPeople.ALWAYS)
    (hub.directory / "hub.toml").write_text(render_settings(settings))
    strict = replace(hub, settings=settings, actor=f"est:{issuer}")
    numbers = [submit_request(strict, issuer, make_csr()).id for _ in range(2)]
    found = document("request", "approve", *numbers)
    assert ([each["number"] for each in found["proposed"]], found["approved"], found["not_approved"]) == (
        numbers,
        [],
        [],
    )
    assert document("request", "show", numbers[0])["proposed"]["by"] == actor()
    assert f"proposed     by {actor()} on " in in_hub("request", "show", numbers[0]).stdout
    again = in_hub("request", "approve", "--all")
    assert (again.returncode, again.stderr.count("takes two different ones")) == (1, 2)
    confirmed = [each.outcome for each in approve_all(replace(strict, actor="bob"), numbers)]
    assert all(isinstance(each, StoredCertificate) for each in confirmed)


def test_people_are_told_the_fingerprint_and_what_is_next(in_hub: Run, issuer: str, csr: Path) -> None:
    done = in_hub("request", "submit", issuer, csr)
    assert "waits for review; fingerprint " in done.stdout
    assert "bothways request approve 1" in done.stderr


def test_approval_prints_the_certificate_and_says_whether_it_is_in_force(in_hub: Run, submitted: int) -> None:
    done = in_hub("request", "approve", submitted)
    assert done.returncode == 0
    assert done.stdout.count("-----BEGIN CERTIFICATE-----") == 2
    assert "comes into force when the hub runs" in done.stderr


def test_approval_writes_the_certificate_to_a_file(document: Document, submitted: int, tmp_path: Path) -> None:
    out = tmp_path / "tls.crt"
    approved = document("request", "approve", submitted, "--out", out)
    assert out.read_text() == approved["chain"]
    assert approved["uri_id"] == f"urn:bothways:PPR:12345678:{approved['serial']}"


@pytest.mark.parametrize("place", ["missing/tls.crt", "."])
def test_approval_to_a_place_that_cannot_be_written_approves_nothing(
    in_hub: Run, document: Document, submitted: int, tmp_path: Path, place: str
) -> None:
    done = in_hub("request", "approve", submitted, "--out", tmp_path / place)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be written" in done.stderr
    assert document("request", "show", submitted)["state"] == "submitted"
    assert document("certificate", "list") == []


def test_a_request_is_refused_with_a_reason(in_hub: Run, document: Document, submitted: int) -> None:
    done = document("request", "refuse", submitted, "--reason", "not agreed")
    assert done == {"id": submitted, "state": "refused", "reason": "not agreed"}
    assert document("request", "show", submitted)["reason"] == "not agreed"
    again = in_hub("request", "approve", submitted)
    assert (again.returncode, again.stdout) == (2, "")
    assert "is refused already" in again.stderr


def test_a_request_that_breaks_rules_is_refused_with_all_findings_and_not_stored(
    in_hub: Run, document: Document, issuer: str, make_csr: Callable[..., bytes], tmp_path: Path
) -> None:
    (tmp_path / "bad.csr").write_bytes(make_csr(C="XX", ST=None, CN="TLSMA-ECDSA/12345678/PRD"))
    done = in_hub("request", "submit", issuer, tmp_path / "bad.csr", "--json")
    assert done.returncode == 1
    assert [each["id"] for each in json.loads(done.stdout)["findings"]] == ["CSR-SUBJECT-01", "CSR-CN-01"]
    assert "it is for PRD, and this is PPR" in done.stderr
    assert document("request", "list") == []


def test_what_was_normalised_is_told(in_hub: Run, issuer: str, make_csr: Callable[..., bytes], tmp_path: Path) -> None:
    (tmp_path / "windows.csr").write_bytes(make_csr().replace(b"\n", b"\r\n"))
    done = in_hub("request", "submit", issuer, tmp_path / "windows.csr", "--json")
    assert (done.returncode, json.loads(done.stdout)["state"]) == (0, "submitted")
    assert "CSR-NOTE-01: the file was normalised before it was read: line ends of Windows" in done.stderr


def test_show_exits_with_1_if_the_rules_refuse_a_stored_request(
    in_hub: Run, document: Document, submitted: int, hub_terms: Path
) -> None:
    hub_terms.write_text(hub_terms.read_text().replace('"ecdsa",', ""))
    document("hub", "terms", "--take")
    done = document("request", "show", submitted, code=1)
    assert [each["id"] for each in done["findings"]] == ["CSR-KEY-01"]
    assert in_hub("request", "approve", submitted).returncode == 1


@pytest.fixture
def hub_terms(hub: Any) -> Path:
    """The file with the hub's terms."""
    return Path(hub.directory) / "contract.toml"


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (None, 2, "the request cannot be read"),
        (b"", 1, "CSR-FILE-04"),
        (b"-----BEGIN EC PRIVATE KEY-----", 1, "CSR-FILE-02"),
        (b"x" * 16385, 2, "more than"),
    ],
    ids=["no file", "empty", "a private key", "too large"],
)
def test_a_file_that_is_no_request_is_said(
    in_hub: Run, issuer: str, tmp_path: Path, content: bytes | None, code: int, said: str
) -> None:
    if content is not None:
        (tmp_path / "file.csr").write_bytes(content)
    done = in_hub("request", "submit", issuer, tmp_path / "file.csr")
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [("show",), ("approve",), ("refuse", "--reason", "x")], ids=lambda each: each[0])
def test_an_unknown_number_is_said(in_hub: Run, command: tuple[str, ...]) -> None:
    done = in_hub("request", command[0], 99, *command[1:])
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "99" in done.stderr


@pytest.fixture
def waiting(document: Document, issuer: str, make_csr: Callable[..., bytes], tmp_path: Path) -> list[int]:
    """The numbers of three requests that wait for review; the rules warn of the last one."""
    numbers = []
    for changes in ({}, {}, {"O": "Another Bank"}):
        (tmp_path / "next.csr").write_bytes(make_csr(**changes))
        numbers.append(document("request", "submit", issuer, tmp_path / "next.csr")["id"])
    return numbers


def states(document: Document) -> list[str]:
    return [each["state"] for each in document("request", "list")]


def test_several_are_approved_at_once_and_what_was_not_is_said(
    in_hub: Run, document: Document, waiting: list[int]
) -> None:
    done = in_hub("request", "approve", waiting[0], 99, waiting[2], waiting[0], "--json")
    outcome = json.loads(done.stdout)
    assert done.returncode == 1
    assert [(each["request"], each["state"]) for each in outcome["approved"]] == [
        (waiting[0], "issued"),
        (waiting[2], "issued"),
    ]
    assert [finding["id"] for finding in outcome["approved"][1]["findings"]] == ["CSR-SUBJECT-03"]
    [missing] = outcome["not_approved"]
    assert (missing["request"], missing["error"]) == (99, "notfound")
    assert "3 of 3 requests" in done.stderr
    assert "warning: CSR-SUBJECT-03" in done.stderr
    assert "there is no request 99. Look at: bothways request list" in done.stderr
    assert "1 of 3 requests were not approved" in done.stderr
    assert states(document) == ["approved", "submitted", "approved"]


def test_all_leaves_what_the_rules_warn_of_unless_it_is_told_to_take_it(
    in_hub: Run, document: Document, waiting: list[int]
) -> None:
    done = in_hub("request", "approve", "--all")
    assert done.returncode == 1
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == [str(each) for each in waiting[:2]]
    assert "CSR-SUBJECT-03" in done.stderr
    assert states(document) == ["approved", "approved", "submitted"]
    assert document("request", "approve", "--customer", "87654321") == {
        "approved": [],
        "proposed": [],
        "not_approved": [],
    }
    assert len(document("request", "approve", "--customer", "12345678", "--with-warnings")["approved"]) == 1
    assert states(document) == ["approved"] * 3


def test_numbers_come_from_a_file_or_from_stdin(hub: Any, document: Document, waiting: list[int]) -> None:
    (hub.directory / "first").write_text(f"{waiting[0]}\n")
    assert len(document("request", "approve", "--from", hub.directory / "first")["approved"]) == 1
    command = [sys.executable, "-m", "bothways", "request", "approve", "--from", "-", "--directory", str(hub.directory)]
    text = f"{waiting[1]}, {waiting[2]}\n"
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 3), done.stderr
    assert states(document) == ["approved"] * 3


def test_certificates_of_several_go_to_a_directory(document: Document, waiting: list[int], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    approved = document("request", "approve", *waiting, "--out", tmp_path / "out")["approved"]
    assert {each.name for each in (tmp_path / "out").iterdir()} == {f"{each['serial']}.crt" for each in approved}
    chain = document("certificate", "show", approved[0]["serial"])["chain"]
    assert (tmp_path / "out" / f"{approved[0]['serial']}.crt").read_text() == chain


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say in one way which requests are meant"),
        (("1", "--all"), "say in one way which requests are meant"),
        (("--all", "--from", "numbers"), "say in one way which requests are meant"),
        (("--from", "missing"), "cannot be read"),
        (("--from", "empty"), "holds no numbers"),
        (("--from", "numbers"), "holds 'x'; numbers of requests alone are wanted"),
        (("--from", "large"), "holds '9223372036854775808'"),
        (("1", "2", "--out", "empty"), "name a directory that is there"),
    ],
)
def test_what_cannot_be_meant_approves_nothing(
    in_hub: Run,
    document: Document,
    submitted: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").touch()
    Path("numbers").write_text(f"{submitted}\nx\n")
    Path("large").write_text(str(2**63))
    done = in_hub("request", "approve", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert document("request", "show", submitted)["state"] == "submitted"


@pytest.mark.parametrize("command", [("show",), ("approve",), ("refuse", "--reason", "x")], ids=lambda each: each[0])
@pytest.mark.parametrize("number", ["0", "9223372036854775808"])
def test_a_number_that_no_row_has_is_wrong_usage(in_hub: Run, command: tuple[str, ...], number: str) -> None:
    done = in_hub("request", command[0], number, *command[1:])
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{number} is the number of nothing here" in " ".join(done.stderr.replace("│", "").split())


def test_keys_are_printed_for_the_other_environment(in_hub: Run, document: Document, submitted: int) -> None:
    pin = document("request", "show", submitted)["spki_pin"]
    keys = document("request", "keys")
    # Beside the key of the request, those of the hub's own CAs.
    assert (pin in keys, len(keys), keys == sorted(keys)) == (True, len(Role) + 1, True)
    assert in_hub("request", "keys").stdout == "".join(f"{each}\n" for each in keys)


def test_a_request_says_what_it_renews(
    document: Document, issuer: str, make_csr: Callable[..., bytes], tmp_path: Path, hub: Hub
) -> None:
    for name in ("old", "new"):
        (tmp_path / name).write_bytes(make_csr())
    number = document("request", "submit", issuer, tmp_path / "old")["id"]
    serial = document("request", "approve", number)["serial"]
    renewing = document("request", "submit", issuer, tmp_path / "new", "--renews", serial)["id"]
    new = document("request", "approve", renewing)
    certificate_seen(hub, new["fingerprint"])
    assert list(supersessions(hub)) == [serial]
    done = document("request", "submit", issuer, tmp_path / "new", "--renews", "abcd", code=2)
    assert done["error"] == "notfound"


def test_an_approval_is_withdrawn_once(document: Document, submitted: int) -> None:
    serial = document("request", "approve", submitted)["serial"]
    withdrawn = document("request", "withdraw", submitted, "--reason", "approved by mistake")
    assert (withdrawn["state"], withdrawn["certificate"]["serial"]) == ("withdrawn", serial)
    assert document("certificate", "show", serial, code=0)["state"] == "revoked"
    assert document("request", "withdraw", submitted, "--reason", "again", code=2)["error"] == "conflict"
