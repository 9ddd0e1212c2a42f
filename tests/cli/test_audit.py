import json
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import pytest
from sqlalchemy import delete, update

from bothways.operations.hub import Hub
from bothways.store.schema import audit

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("issuer")


def test_a_whole_audit_is_said_with_its_head(in_hub: Run, document: Document) -> None:
    done = in_hub("audit", "verify")
    head = document("audit", "verify")["head"]
    assert done.returncode == 0
    assert (
        done.stdout
        == f"The audit is whole: {head.split(':')[0]} lines, each continuing the one before. Its head is {head}\n"
    )
    assert document("audit", "verify", "--head", head)["whole"] is True


def test_a_changed_line_is_1_and_named(in_hub: Run, hub: Hub) -> None:
    with hub.write() as transaction:
        transaction.connection.execute(update(audit).where(audit.c.sequence == 1).values(actor="nobody"))
    done = in_hub("audit", "verify")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("The audit is broken at line 1 of 2: ")


def test_a_cut_end_is_1_for_who_knows_the_head(in_hub: Run, document: Document, hub: Hub) -> None:
    head = document("audit", "verify")["head"]
    with hub.write() as transaction:
        transaction.connection.execute(delete(audit).where(audit.c.sequence == 2))
    assert document("audit", "verify", "--head", head, code=1)["known_head_missing"] is True
    assert f"but not the line {head} that was known" in in_hub("audit", "verify", "--head", head).stdout


@pytest.mark.parametrize("head", ["", "1", "0:" + "a" * 64, "1:" + "a" * 63, "1:" + "A" * 64, "x:" + "a" * 64])
def test_what_is_no_head_is_wrong_usage(in_hub: Run, head: str) -> None:
    done = in_hub("audit", "verify", "--head", head)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is no head of an audit" in done.stderr


def test_export_prints_a_json_object_a_line(in_hub: Run, issuer: str) -> None:
    lines = [json.loads(line) for line in in_hub("audit", "export").stdout.splitlines()]
    assert [(line["sequence"], line["action"], line["subject"]) for line in lines] == [
        (1, "hub.init", "ppr.hub.localhost"),
        (2, "customer.add", issuer),
    ]
    assert [json.loads(line) for line in in_hub("audit", "export", "--after", 1).stdout.splitlines()] == lines[1:]
