"""The restore drill: a hub is lost, restored from an old backup, and brought in line with what became meanwhile."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from sqlalchemy import update
from tests.conftest import unguarded
from tests.operations.lists import forged_list
from tests.postgresql import in_files

from bothways.errors import Conflict, NotAuthorized, Refused, Unusable
from bothways.operations.accounts import accept_invitation, current_code, invite_person, invited_person
from bothways.operations.audit import Known, export_audit, verify_audit
from bothways.operations.authorities import add_issuing_authority
from bothways.operations.backup import backup_hub
from bothways.operations.certificates import revoke_certificate, show_certificate
from bothways.operations.customers import show_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.enrolment import enroll, enrolment_password
from bothways.operations.hub import Hub, contract, open_hub
from bothways.operations.keys import list_banned_keys
from bothways.operations.nodes import withdraw_node
from bothways.operations.people import add_person
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.restore import restore_hub
from bothways.operations.revocation import current_list, lists_due, publish_list
from bothways.operations.sessions import begin_session, end_session, list_sessions, visit_of
from bothways.operations.upkeep import upkeep
from bothways.pki.revocation import RevocationReason
from bothways.registry.access import Role as Duty
from bothways.store import authorities, revocation_lists, sealed_keys
from bothways.store.authorities import Role
from bothways.store.certificates import StoredCertificate
from bothways.store.schema import audit
from bothways.store.schema_keys import sealed_key

pytestmark = in_files

PASSPHRASE = b"the passphrase of backups"
Certify = Callable[[str], StoredCertificate]


@pytest.fixture
def target() -> Iterator[Path]:
    """A short path, for unix sockets."""
    with tempfile.TemporaryDirectory(prefix="hub-") as place:
        yield Path(place) / "restored"


@pytest.fixture
def backup(hub: Hub, issuer: str, certify: Certify, tmp_path: Path) -> Path:
    """An old backup: one certificate, one list."""
    certify(issuer)
    upkeep(hub)
    backup_hub(hub, tmp_path / "backup", PASSPHRASE)
    return tmp_path / "backup"


def serials(hub: Hub) -> list[str]:
    with hub.read() as connection:
        return list(connection.exec_driver_sql("SELECT serial FROM certificate").scalars())


def test_all_of_it_is_there_again_and_signs(hub: Hub, backup: Path, target: Path, issuer: str) -> None:
    published = contract(hub)
    shown = show_customer(hub, issuer).document()
    shutil.rmtree(hub.directory)
    assert restore_hub(backup, PASSPHRASE, target, "alice").reconciled.problems == ()
    with open_hub(target, "alice") as restored:
        assert contract(restored) == published
        assert show_customer(restored, issuer).document() == shown
        assert upkeep(restored).problems == ()


def test_no_serial_number_is_used_twice(
    hub: Hub, backup: Path, target: Path, certify: Certify, issuer: str, make_csr: Callable[..., bytes]
) -> None:
    for _ in range(5):
        certify(issuer)
    used = {*serials(hub)}
    restore_hub(backup, PASSPHRASE, target, "alice")
    with open_hub(target, "alice") as restored:
        before = {*serials(restored)}
        for _ in range(5):
            approve_request(restored, submit_request(restored, issuer, make_csr()).id)
        fresh = {*serials(restored)} - before
    assert (len(fresh), fresh & used) == (5, set())


def test_no_number_of_a_revocation_list_is_used_again(hub: Hub, backup: Path, target: Path) -> None:
    with hub.read() as connection:
        [authority] = authorities.trusted(connection, Role.ISSUING)
    # Further than one a second since the backup, as after a clock that was wrong: only the list that is given tells.
    highest = 10**9
    with hub.write() as transaction:
        revocation_lists.raise_floor(transaction, authority.id, highest)
    assert publish_list(hub, authority) == highest
    newest = current_list(hub).der
    done = restore_hub(backup, PASSPHRASE, target, "alice", [newest]).reconciled
    assert done.numbers[authority.id] == highest + 1
    with open_hub(target, "alice") as restored:
        number = x509.load_der_x509_crl(current_list(restored).der).extensions.get_extension_for_class(x509.CRLNumber)
        assert number.value.crl_number == done.numbers[authority.id]
        assert all(due > restored.now() for _, due in lists_due(restored))
        assert publish_list(restored, authority) == done.numbers[authority.id] + 1


def test_without_a_list_the_numbers_go_on_behind_all_that_can_have_been_used(
    hub: Hub, target: Path, tmp_path: Path
) -> None:
    days = timedelta(days=3)
    past = replace(hub, now=lambda: hub.now() - days)
    with hub.read() as connection:
        [authority] = authorities.trusted(connection, Role.ISSUING)
    publish_list(past, authority)
    backup_hub(past, tmp_path / "backup", PASSPHRASE)
    [number] = restore_hub(tmp_path / "backup", PASSPHRASE, target, "alice").reconciled.numbers.values()
    assert number >= days.total_seconds()


def test_what_was_revoked_meanwhile_is_revoked_from_the_newest_list(
    hub: Hub, backup: Path, target: Path, certify: Certify, issuer: str
) -> None:
    [old] = serials(hub)
    new = certify(issuer).serial
    for serial in (old, new):
        revoke_certificate(hub, serial, RevocationReason.KEY_COMPROMISE)
    upkeep(hub)
    newest = current_list(hub).der
    done = restore_hub(backup, PASSPHRASE, target, "alice", [newest]).reconciled
    # The one that was issued after the backup is on no record, and opens nothing.
    assert (done.revoked, done.unknown) == ((old,), 1)
    with open_hub(target, "alice") as restored:
        assert show_certificate(restored, old).revoked_reason == "keyCompromise"
        assert hub_state(restored).identities == ()
        assert len(list_banned_keys(restored)) == 1
        published = x509.load_der_x509_crl(current_list(restored).der)
        assert published.get_revoked_certificate_by_serial_number(int(old, 16)) is not None


def test_what_works_once_and_was_used_meanwhile_does_not_work_again(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes], target: Path, tmp_path: Path
) -> None:
    ann = add_person(hub, "ann@hub.example", "Ann", Duty.OPERATOR)
    _, link, _ = invite_person(hub, ann.id)
    password = enrolment_password(hub, issuer)
    cookie = begin_session(hub, ann, "192.0.2.1", "browser", "tested")
    backup_hub(hub, tmp_path / "backup", PASSPHRASE)
    _, secret = invited_person(hub, link)
    accept_invitation(hub, link, "correct horse battery staple", current_code(secret, hub.now()))
    enroll(hub, issuer, password, make_csr())
    end_session(hub, ann, list_sessions(hub, ann)[0].id)
    done = restore_hub(tmp_path / "backup", PASSPHRASE, target, "alice").reconciled
    assert done.ended == {"invitations": 1, "passwords": 1, "sessions": 1}
    with open_hub(target, "alice") as restored:
        with pytest.raises(NotAuthorized):
            invited_person(restored, link)
        with pytest.raises(NotAuthorized):
            enroll(restored, issuer, password, make_csr())
        assert visit_of(restored, cookie) is None
        # Whoever needs one is given another.
        assert invited_person(restored, invite_person(restored, ann.id)[1])[0] == ann


def test_a_password_that_was_used_before_brings_its_one_request_to_an_end(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes], target: Path, tmp_path: Path
) -> None:
    password, csr = enrolment_password(hub, issuer), make_csr()
    waiting = enroll(hub, issuer, password, csr)
    backup_hub(hub, tmp_path / "backup", PASSPHRASE)
    assert restore_hub(tmp_path / "backup", PASSPHRASE, target, "alice").reconciled.ended["passwords"] == 0
    with open_hub(target, "alice") as restored:
        assert enroll(restored, issuer, password, csr) == waiting


def test_nodes_that_are_let_in_again_are_named_whatever_became_of_them(
    nodes_hub: Hub, certify_node: Callable[[str], object], target: Path, tmp_path: Path
) -> None:
    for each in ("eu-1", "eu-2", "us-1"):
        certify_node(each)
    withdraw_node(nodes_hub, "us-1", "tested")
    backup_hub(nodes_hub, tmp_path / "backup", PASSPHRASE)
    withdraw_node(nodes_hub, "eu-2", "stolen")
    assert restore_hub(tmp_path / "backup", PASSPHRASE, target, "alice").reconciled.nodes == ("eu-1", "eu-2")


def test_the_audit_says_what_happened_and_a_later_head_tells_what_is_missing(
    hub: Hub, backup: Path, target: Path, certify: Certify, issuer: str
) -> None:
    certify(issuer)
    lost = verify_audit(hub)
    done = restore_hub(backup, PASSPHRASE, target, "alice")
    with open_hub(target, "alice") as restored:
        assert verify_audit(restored).whole
        line = next(each for each in export_audit(restored) if each["action"] == "hub.restore")
        assert (line["actor"], line["detail"]["backup_of"]) == ("alice", done.note.made_at.isoformat())
        found = verify_audit(restored, [Known(lost.lines, lost.hash, "kept elsewhere")]).findings
    assert [each.id for each in found] == ["AUDIT-02"]


def test_a_backup_whose_audit_was_changed_is_refused_and_nothing_is_put_back(
    hub: Hub, issuer: str, target: Path, tmp_path: Path
) -> None:
    with hub.write() as transaction:
        unguarded(transaction.connection)
        transaction.connection.execute(update(audit).where(audit.c.subject == issuer).values(actor="else"))
    backup_hub(hub, tmp_path / "backup", PASSPHRASE)
    with pytest.raises(Refused, match="AUDIT-01"):
        restore_hub(tmp_path / "backup", PASSPHRASE, target, "alice")
    assert list(target.parent.iterdir()) == []


def test_nothing_is_restored_over_a_hub_or_left_half_done(hub: Hub, backup: Path, target: Path) -> None:
    with pytest.raises(Conflict):
        restore_hub(backup, PASSPHRASE, hub.directory, "alice")
    backup.write_bytes(backup.read_bytes()[:-1])
    with pytest.raises(Unusable):
        restore_hub(backup, PASSPHRASE, target, "alice")
    assert list(target.parent.iterdir()) == []


def test_a_list_that_is_forged_or_of_another_ca_is_refused(
    hub: Hub, backup: Path, target: Path, tmp_path: Path
) -> None:
    forged = forged_list(hub)
    add_issuing_authority(hub)
    upkeep(hub)
    for each in (forged, current_list(hub).der):
        with pytest.raises(Refused) as refused:
            restore_hub(backup, PASSPHRASE, target, "alice", [each])
        assert [one.id for one in refused.value.findings] == ["RESTORE-01"]
    assert not target.exists()
    assert tmp_path


def test_a_key_that_is_not_its_cas_is_told(hub: Hub, backup: Path, target: Path, tmp_path: Path) -> None:
    with hub.write() as transaction:
        other = sealed_keys.find(transaction.connection, "client-ca-1")
        assert other
        own = sealed_key.c.name == "issuing-ca-1"
        transaction.connection.execute(update(sealed_key).where(own).values(sealed=other.pem))
    assert backup
    backup_hub(hub, tmp_path / "another", PASSPHRASE)
    problems = restore_hub(tmp_path / "another", PASSPHRASE, target, "alice").reconciled.problems
    assert "a CA cannot sign yet" in problems[0]
    assert "does not belong to the CA" in problems[0]
