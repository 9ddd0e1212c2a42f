"""The restore drill of PostgreSQL, with its own `pg_dump`: an older state, put back, is brought in line with the newer.

What a list of the hub does that is given, and how numbers go on, `test_restore.py` shows for the file of a backup.
"""

import subprocess
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import update
from tests.conftest import unguarded
from tests.operations.lists import forged_list
from tests.postgresql import connected, new_schema, program

from bothways.errors import Conflict, NotAuthorized, Refused
from bothways.operations.accounts import invite_person, invited_person
from bothways.operations.alone import alone
from bothways.operations.audit import Known, export_audit, verify_audit
from bothways.operations.certificates import revoke_certificate
from bothways.operations.customers import add_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.enrolment import enroll, enrolment_password
from bothways.operations.hub import Hub, open_hub
from bothways.operations.keys import list_banned_keys
from bothways.operations.people import add_person
from bothways.operations.reconcile import reconcile_hub
from bothways.operations.revocation import current_list
from bothways.operations.settings import Settings
from bothways.operations.upkeep import upkeep
from bothways.pki.revocation import RevocationReason
from bothways.registry.access import Role
from bothways.registry.customer import CustomerKind
from bothways.store.certificates import StoredCertificate
from bothways.store.schema import audit

Certify = Callable[[str], StoredCertificate]
WHY = "the disk of the database was lost"

on_both = pytest.mark.parametrize("settings", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """In PostgreSQL, whatever the others are in; a test that is `on_both` has a hub in a file, too."""
    in_file = getattr(request, "param", "") == "sqlite"
    return replace(settings, database="" if in_file else new_schema())


def dumped(hub: Hub) -> bytes:
    """Return what `pg_dump` says of the hub's tables."""
    command = [str(program("pg_dump")), hub.settings.database]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout


def put_back(hub: Hub, dump: bytes) -> None:
    """Lose the hub's tables, and restore them as the manual of PostgreSQL says."""
    with connected(hub.settings.database) as other:
        other.execute("DROP SCHEMA public CASCADE")
        other.execute("CREATE SCHEMA public")
    command = [str(program("psql")), "-q", "-v", "ON_ERROR_STOP=1", hub.settings.database]
    subprocess.run(command, input=dump, capture_output=True, check=True, timeout=60)


def test_a_dump_made_while_it_is_changed_is_one_state_and_is_brought_in_line_with_what_came_after_it(
    hub: Hub, issuer: str, certify: Certify
) -> None:
    old = certify(issuer).serial
    upkeep(hub)
    number = current_list(hub).number
    done = threading.Event()

    def work() -> None:
        count = 0
        while not done.is_set():
            add_customer(hub, str(20_000_000 + count), CustomerKind.MERCHANT, "Corner Shop")
            count += 1

    worker = threading.Thread(target=work)
    worker.start()
    try:
        dump = dumped(hub)
    finally:
        done.set()
        worker.join()
    new = certify(issuer).serial
    for serial in (old, new):
        revoke_certificate(hub, serial, RevocationReason.KEY_COMPROMISE)
    upkeep(hub)
    newest, before = current_list(hub), verify_audit(hub)
    assert before.signed
    signed = before.signed
    put_back(hub, dump)
    with open_hub(hub.directory, "alice") as restored:
        assert [each.id for each in verify_audit(restored).findings] == ["AUDIT-02"]
        lost, found = reconcile_hub(restored, WHY, [newest.der])
        assert lost == f"{signed.lines}:{signed.hash}"
        # What was issued after the dump opens nothing; what was revoked after it is revoked again, and its key banned.
        assert (found.revoked, found.unknown, found.problems) == ((old,), 1, ())
        assert (hub_state(restored).identities, len(list_banned_keys(restored))) == ((), 1)
        assert current_list(restored).number > newest.number > number
        assert certify(issuer).serial not in {old, new}
        # The audit is whole, and its head signed anew; whoever kept the old one sees what is missing.
        assert verify_audit(restored).whole
        kept = verify_audit(restored, [Known(signed.lines, signed.hash, "kept elsewhere")])
        assert [each.id for each in kept.findings] == ["AUDIT-02"]
        [line] = [each for each in export_audit(restored) if each["action"] == "hub.reconcile"]
        assert line["detail"] == {"lost": lost, "lists": 1, "ended": found.ended, "reason": WHY}


def test_no_control_plane_may_run_and_lines_that_were_changed_are_not_covered(hub: Hub, issuer: str) -> None:
    with closing(hub.database.changes()) as changes:
        changes.value()
        with pytest.raises(Conflict, match="a hub works on this database"):
            reconcile_hub(hub, WHY)
    with hub.write() as transaction:
        unguarded(transaction.connection)
        transaction.connection.execute(update(audit).where(audit.c.subject == issuer).values(actor="else"))
    with pytest.raises(Refused, match="AUDIT-01"):
        reconcile_hub(hub, WHY)


@on_both
def test_no_hub_may_run_in_the_directory(hub: Hub) -> None:
    before = verify_audit(hub)
    with alone(hub.directory), pytest.raises(Conflict, match="runs already"):
        reconcile_hub(hub, WHY)
    assert verify_audit(hub) == before
    reconcile_hub(hub, WHY)
    assert verify_audit(hub).lines > before.lines


@on_both
def test_an_invitation_and_a_password_that_may_have_been_used_since_are_ended(hub: Hub, issuer: str) -> None:
    ann = add_person(hub, "ann@hub.example", "Ann", Role.OPERATOR)
    _, link, _ = invite_person(hub, ann.id)
    password = enrolment_password(hub, issuer)
    _, done = reconcile_hub(hub, WHY)
    assert done.ended == {"invitations": 1, "passwords": 1, "sessions": 0}
    with pytest.raises(NotAuthorized):
        invited_person(hub, link)
    with pytest.raises(NotAuthorized):
        enroll(hub, issuer, password, b"")


@on_both
def test_a_list_that_is_forged_and_what_is_none_are_refused_and_nothing_is_revoked(
    hub: Hub, issuer: str, certify: Certify
) -> None:
    serial = certify(issuer).serial
    before = verify_audit(hub)
    for each in (forged_list(hub, serial), b"none", b"-----BEGIN X509 CRL-----\nnone"):
        with pytest.raises(Refused, match="RESTORE-01"):
            reconcile_hub(hub, WHY, [each])
    assert verify_audit(hub) == before
