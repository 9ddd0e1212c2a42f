"""The old certificate has its overlap, counted from the first use of the new one, and no flow is cut by surprise."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from tests.operations.conftest import Audit

from bothways.errors import Conflict, NotFound
from bothways.operations.certificates import certificate_seen, list_certificates, revoke_certificate, show_certificate
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.operations.renewal import renews, set_aside, supersede, supersessions
from bothways.operations.requests import refuse_request, submit_request
from bothways.operations.upkeep import upkeep
from bothways.pki.revocation import RevocationReason
from bothways.store.certificates import StoredCertificate
from bothways.store.schema import audit, certificate, renewal

Certify = Callable[[str], StoredCertificate]
OVERLAP = timedelta(days=30)


def after(hub: Hub, time: timedelta) -> Hub:
    """Return the hub at a later moment, which stands still."""
    moment = hub.now() + time
    return replace(hub, now=lambda: moment)


@pytest.fixture
def pair(hub: Hub, issuer: str, certify: Certify) -> tuple[StoredCertificate, StoredCertificate]:
    """A certificate in use, and the one that renews it, which is not."""
    old = certify(issuer)
    certificate_seen(hub, old.fingerprint or "")
    new = certify(issuer)
    renews(hub, new.request_id, old.serial)
    return old, new


def test_the_old_one_is_superseded_by_itself_when_the_new_one_was_in_use_for_the_overlap(
    hub: Hub, pair: tuple[StoredCertificate, StoredCertificate], audited: Audit
) -> None:
    old, new = pair
    later = after(hub, timedelta(days=3))
    certificate_seen(later, new.fingerprint or "")
    assert supersessions(later) == {old.serial: later.now() + OVERLAP}
    before = after(later, OVERLAP - timedelta(seconds=1))
    kept = upkeep(before)
    assert kept.next_due <= before.now() + timedelta(seconds=1)
    assert {each.uri_id for each in hub_state(before).identities} == {old.uri_id, new.uri_id}
    due = after(later, OVERLAP)
    upkeep(due)
    record = show_certificate(hub, old.serial)
    assert (record.state(due.now()), record.revoked_reason, record.revoked_at) == (
        "superseded",
        "superseded",
        due.now(),
    )
    assert [each.uri_id for each in hub_state(due).identities] == [new.uri_id]
    assert ("certificate.supersede", old.serial) in audited()
    with hub.read() as connection:
        actors = connection.execute(select(audit.c.actor).where(audit.c.action == "certificate.supersede"))
        assert list(actors.scalars()) == ["hub"]
    assert supersessions(due) == {}
    with hub.read() as connection:
        assert connection.execute(select(renewal.c.over_at)).scalars().all() == [due.now()]


def test_what_ended_by_itself_is_looked_through_no_more_and_nothing_is_written_twice(
    hub: Hub, pair: tuple[StoredCertificate, StoredCertificate], audited: Audit
) -> None:
    ended = after(hub, pair[0].not_after - hub.now())
    set_aside(after(hub, timedelta()))
    with hub.read() as connection:
        assert connection.execute(select(renewal.c.over_at)).scalars().all() == [None]
    lines = audited()
    for later in (ended, after(ended, OVERLAP)):
        set_aside(later)
        with hub.read() as connection:
            assert connection.execute(select(renewal.c.over_at)).scalars().all() == [ended.now()]
    assert audited() == lines


def test_a_customer_that_never_uses_the_new_one_is_not_cut_off(
    hub: Hub, pair: tuple[StoredCertificate, StoredCertificate]
) -> None:
    old, _ = pair
    for days in (1, 31, 300):
        upkeep(after(hub, timedelta(days=days)))
        assert show_certificate(hub, old.serial).revoked_at is None


def test_the_overlap_is_counted_from_the_first_use_and_not_from_the_last(
    hub: Hub, pair: tuple[StoredCertificate, StoredCertificate]
) -> None:
    old, new = pair
    start = after(hub, timedelta())
    for days in (0, 10, 20):
        certificate_seen(after(start, timedelta(days=days)), new.fingerprint or "")
    assert supersessions(start) == {old.serial: start.now() + OVERLAP}


def test_a_new_one_that_was_revoked_takes_nobodys_place(
    hub: Hub, pair: tuple[StoredCertificate, StoredCertificate]
) -> None:
    old, new = pair
    certificate_seen(hub, new.fingerprint or "")
    revoke_certificate(hub, new.serial, RevocationReason.KEY_COMPROMISE)
    later = after(hub, 2 * OVERLAP)
    upkeep(later)
    assert show_certificate(hub, old.serial).usable(later.now())


def test_a_new_one_that_has_expired_takes_nobodys_place(
    hub: Hub, pair: tuple[StoredCertificate, StoredCertificate]
) -> None:
    _, new = pair
    certificate_seen(hub, new.fingerprint or "")
    with hub.write() as transaction:
        ended = update(certificate).where(certificate.c.serial == new.serial).values(not_after=transaction.now)
        transaction.connection.execute(ended)
    assert supersessions(hub) == {}


def test_certificates_of_other_instances_stay(hub: Hub, issuer: str, certify: Certify) -> None:
    kept, old, new = (certify(issuer) for _ in range(3))
    renews(hub, new.request_id, old.serial)
    for each in (kept, new):
        certificate_seen(hub, each.fingerprint or "")
    later = after(hub, OVERLAP)
    upkeep(later)
    assert [each.serial for each in list_certificates(hub) if each.usable(later.now())] == [kept.serial, new.serial]


def test_what_a_request_renews_can_be_said_again_and_corrected(
    hub: Hub, issuer: str, certify: Certify, audited: Audit
) -> None:
    wrong, right, new = (certify(issuer) for _ in range(3))
    renews(hub, new.request_id, wrong.serial)
    renews(hub, new.request_id, right.serial.upper())
    certificate_seen(hub, new.fingerprint or "")
    assert list(supersessions(hub)) == [right.serial]
    assert audited().count(("request.renews", str(new.request_id))) == 2


def test_what_does_not_go_together_is_refused(
    hub: Hub, issuer: str, merchant: str, certify: Certify, make_csr: Callable[..., bytes]
) -> None:
    own, foreign, gone = certify(issuer), certify(merchant), certify(issuer)
    revoke_certificate(hub, gone.serial, RevocationReason.KEY_COMPROMISE)
    request = submit_request(hub, issuer, make_csr()).id
    for serial, said in ((foreign.serial, "does not belong"), (gone.serial, "is revoked: there is nothing to renew")):
        with pytest.raises(Conflict, match=said):
            renews(hub, request, serial)
    with pytest.raises(Conflict, match="does not renew itself"):
        renews(hub, own.request_id, own.serial)
    for number, serial in ((request, "abcd"), (99, own.serial)):
        with pytest.raises(NotFound):
            renews(hub, number, serial)
    refuse_request(hub, request, "no")
    with pytest.raises(Conflict, match="is refused"):
        renews(hub, request, own.serial)
    assert supersessions(hub) == {}


def test_superseding_what_is_not_due_changes_nothing(
    hub: Hub, pair: tuple[StoredCertificate, StoredCertificate], audited: Audit
) -> None:
    old, new = pair
    certificate_seen(hub, new.fingerprint or "")
    lines = audited()
    assert [supersede(hub, each.serial) for each in (old, new)] == [False, False]
    later = after(hub, OVERLAP)
    assert [supersede(later, old.serial), supersede(later, old.serial)] == [True, False]
    assert audited() == [*lines, ("certificate.supersede", old.serial)]
