import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from sqlalchemy import delete, update
from tests.conftest import unguarded

from bothways.operations.audit_head import read_head
from bothways.operations.hub import Hub
from bothways.store.append_only import make_triggers
from bothways.store.schema import audit

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("issuer")


def test_a_whole_audit_is_said_with_its_head(in_hub: Run, document: Document) -> None:
    done = in_hub("audit", "verify")
    head = document("audit", "verify")["head"]
    assert done.returncode == 0
    assert done.stdout.startswith(f"The audit has {head.split(':')[0]} lines. Its head is {head}\nsigned head: line ")
    assert done.stdout.endswith("\nThe audit is whole: each line continues the one before.\n")
    assert document("audit", "verify", "--head", head)["whole"] is True


def test_a_changed_line_is_1_and_named(in_hub: Run, hub: Hub) -> None:
    with hub.write() as transaction:
        unguarded(transaction.connection)
        transaction.connection.execute(update(audit).where(audit.c.sequence == 1).values(actor="nobody"))
    done = in_hub("audit", "verify")
    assert (done.returncode, done.stderr) == (1, "")
    assert "AUDIT-01: the audit is broken at line 1 of 2: " in done.stdout


def test_a_cut_end_is_1_and_stays_so_until_a_person_signs_anew(
    in_hub: Run, document: Document, hub: Hub, tmp_path: Path
) -> None:
    head = document("audit", "verify")["head"]
    assert in_hub("audit", "head", tmp_path / "head.json").returncode == 0
    with hub.write() as transaction:
        unguarded(transaction.connection)
        transaction.connection.execute(delete(audit).where(audit.c.sequence == 2))
        make_triggers(transaction.connection, audit)
    for _ in range(2):
        found = document("audit", "verify", code=1)["findings"]
        assert [each["id"] for each in found] == ["AUDIT-02"]
    assert in_hub("audit", "head", tmp_path / "next.json").returncode == 2
    assert "Say what happened" in in_hub("audit", "head", tmp_path / "next.json", "--anew").stderr
    assert in_hub("audit", "head", tmp_path / "next.json", "--anew", "--reason", "looked at").returncode == 0
    assert document("audit", "verify")["whole"] is True
    for known in (head, tmp_path / "head.json"):
        assert document("audit", "verify", "--head", known, code=1)["findings"][0]["id"] == "AUDIT-02"


def test_an_export_is_compared(in_hub: Run, document: Document, hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_text(in_hub("audit", "export").stdout)
    assert document("audit", "verify", "--export", tmp_path / "audit.jsonl")["whole"] is True
    with hub.write() as transaction:
        unguarded(transaction.connection)
        transaction.connection.execute(update(audit).where(audit.c.sequence == 1).values(hash="0" * 64))
        make_triggers(transaction.connection, audit)
    found = document("audit", "verify", "--export", tmp_path / "audit.jsonl", code=1)["findings"]
    assert [each["id"] for each in found] == ["AUDIT-01", "AUDIT-03"]


@pytest.mark.parametrize("head", ["", "1", "0:" + "a" * 64, "1:" + "a" * 63, "1:" + "A" * 64, "x:" + "a" * 64])
def test_what_is_no_head_is_wrong_usage(in_hub: Run, head: str) -> None:
    done = in_hub("audit", "verify", "--head", head)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is no head of an audit" in done.stderr


def test_export_prints_a_json_object_a_line_and_the_signed_head(in_hub: Run, issuer: str) -> None:
    *lines, head = [json.loads(line) for line in in_hub("audit", "export").stdout.splitlines()]
    assert [(line["sequence"], line["action"], line["subject"]) for line in lines] == [
        (1, "hub.init", "ppr.hub.localhost"),
        (2, "customer.add", issuer),
    ]
    assert read_head(json.dumps(head).encode(), "the export").hash == lines[-1]["hash"]
    later = in_hub("audit", "export", "--after", 1).stdout.splitlines()
    assert [json.loads(line) for line in later] == [*lines[1:], head]


def test_each_call_of_the_command_line_has_a_request_id(in_hub: Run) -> None:
    for tsp_id in ("1", "2"):
        in_hub("customer", "add", tsp_id, "--kind", "merchant", "--organization", "Shop")
    named = [json.loads(line) for line in in_hub("audit", "export", "--after", 2).stdout.splitlines()[:-1]]
    assert all(each["request_id"].startswith("cli-") for each in named)
    assert len({each["request_id"] for each in named}) == 2


def test_export_prints_what_is_looked_for(in_hub: Run, issuer: str, hub: Hub) -> None:
    def exported(*options: str) -> list[str]:
        *lines, _ = in_hub("audit", "export", *options).stdout.splitlines()
        return [json.loads(each)["action"] for each in lines]

    assert exported("--customer", issuer) == ["customer.add"]
    assert exported("--action", "hub.init", "--actor", hub.actor) == ["hub.init"]
    day = f"{hub.now():%Y-%m-%d}"
    assert exported("--from", day, "--until", day) == ["hub.init", "customer.add"]
    assert exported("--until", "2000-01-01") == exported("--actor", "nobody") == []
    done = in_hub("audit", "export", "--from", "yesterday")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is no day and no moment" in done.stderr
