import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from sqlalchemy import update
from tests.conftest import running, unguarded
from tests.postgresql import in_files

from bothways.operations.accounts import invite_person
from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.operations.revocation import current_list, list_pem
from bothways.operations.upkeep import upkeep
from bothways.registry.access import Role
from bothways.store import schema

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text("a passphrase of backups\n")
    path.chmod(0o600)
    return path


@in_files
@pytest.mark.envoy
def test_a_hub_is_backed_up_while_it_runs_and_the_restored_one_runs_too(
    hub: Hub, document: Document, bothways: Run, passphrase: Path, issuer: str
) -> None:
    backup = hub.directory.parent / "backup"
    with running(hub):
        made = document("hub", "backup", backup, "--passphrase-file", passphrase)
        assert document("hub", "status")["running"]["problem"] == ""
    assert made["bytes"] == backup.stat().st_size
    hub.directory.rename(hub.directory.with_name("lost"))
    restored = bothways(
        "hub", "restore", backup, "--passphrase-file", passphrase, "--directory", hub.directory, "--json"
    )
    assert restored.returncode == 0, restored.stderr
    assert "NOT revoked here" in restored.stderr
    assert json.loads(restored.stdout)["backup"]["audit_head"] == made["audit_head"]
    with running(hub):
        found = document("hub", "status")
        assert [each["customer"] for each in found["customers"]] == [issuer]
        assert found["running"]["problem"] == ""
        assert document("audit", "verify")["whole"] is True


@in_files
def test_one_of_an_audit_with_a_changed_line_is_made_and_told_to_whoever_runs_it_by_the_clock(
    hub: Hub, in_hub: Run, passphrase: Path, tmp_path: Path
) -> None:
    whole = in_hub("hub", "backup", tmp_path / "whole", "--passphrase-file", passphrase, "--json")
    assert (whole.returncode, json.loads(whole.stdout)["whole"], "AUDIT-" in whole.stderr) == (0, True, False)
    with hub.write() as transaction:
        unguarded(transaction.connection)
        first = schema.audit.c.sequence == 1
        transaction.connection.execute(update(schema.audit).where(first).values(actor="somebody else"))
    done = in_hub("hub", "backup", tmp_path / "backup", "--passphrase-file", passphrase, "--json")
    made = json.loads(done.stdout)
    assert (done.returncode, made["bytes"]) == (1, (tmp_path / "backup").stat().st_size)
    assert (made["whole"], [each["id"] for each in made["findings"]]) == (False, ["AUDIT-01", "AUDIT-06"])
    assert "AUDIT-01: the audit is broken at line 1 of" in done.stderr
    assert f"NOT whole, nor is it in {tmp_path / 'backup'}. The backup was made" in done.stderr
    people = in_hub("hub", "backup", tmp_path / "another", "--passphrase-file", passphrase)
    assert (people.returncode, "reads back" in people.stdout, "NOT whole" in people.stderr) == (1, True, True)


@in_files
def test_a_passphrase_that_others_can_read_is_wrong_usage(in_hub: Run, passphrase: Path, tmp_path: Path) -> None:
    passphrase.chmod(0o644)
    done = in_hub("hub", "backup", tmp_path / "backup", "--passphrase-file", passphrase)
    assert (done.returncode, (tmp_path / "backup").exists()) == (2, False)
    assert "0600 is wanted" in done.stderr


@in_files
def test_what_is_no_list_of_the_hub_is_a_failed_check(
    in_hub: Run, bothways: Run, passphrase: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    assert in_hub("hub", "backup", backup, "--passphrase-file", passphrase).returncode == 0
    (tmp_path / "list").write_text("none")
    options = ["--passphrase-file", passphrase, "--crl", tmp_path / "list", "--directory", tmp_path / "r"]
    done = bothways("hub", "restore", backup, *options)
    assert (done.returncode, (tmp_path / "r").exists()) == (1, False)
    assert done.stderr.startswith("RESTORE-01: ")


def test_a_database_that_was_put_back_is_brought_in_line_and_people_read_what_is_left_to_do(
    hub: Hub, in_hub: Run, tmp_path: Path
) -> None:
    upkeep(hub)
    (tmp_path / "newest.crl").write_text(list_pem(current_list(hub)))
    invite_person(hub, add_person(hub, "ann@hub.example", "Ann", Role.OPERATOR).id)
    assert in_hub("hub", "reconcile").returncode == 2
    done = in_hub("hub", "reconcile", "--reason", "a disk was lost", "--crl", tmp_path / "newest.crl")
    assert done.returncode == 0, done.stderr
    assert "audit: whole" in done.stdout
    assert "continued with number" in done.stdout
    assert "revoked from the lists that were given: 0" in done.stdout
    assert "ended, for they may have been used since: 1 invitations, 0 passwords, 0 sessions" in done.stdout
    again = in_hub("hub", "reconcile", "--reason", "to be sure", "--json")
    assert json.loads(again.stdout)["lost"] == ""
    assert "NOT revoked here" in again.stderr
