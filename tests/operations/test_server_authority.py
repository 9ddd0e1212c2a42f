"""Which server CA signs for the endpoint, and that whoever trusts the old one alone finds the way to the new one."""

import subprocess
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from tests.stored_keys import without_key

from bothways.errors import Refused
from bothways.operations import hub as making
from bothways.operations.authorities import add_server_authority, retire_authority
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.operations.rotation import next_renewal, renew_server_certificate
from bothways.operations.server_authority import LATEST, LATEST_UNLINKED, may_vouch, server_issuer
from bothways.operations.server_rollover import activate_authority
from bothways.operations.upkeep import upkeep
from bothways.pki.chain import certificate_pem
from bothways.pki.path import certification_path
from bothways.store import authorities
from bothways.store.authorities import Authority, Role


def trusted(hub: Hub) -> tuple[Authority, ...]:
    with hub.read() as connection:
        return authorities.trusted(connection, Role.SERVER)


def issuer(hub: Hub) -> int:
    with hub.read() as connection:
        return server_issuer(connection, hub.now()).id


def shown(hub: Hub) -> list[x509.Certificate]:
    """Return the chain that the endpoint shows."""
    return x509.load_pem_x509_certificates(hub_state(hub).server.certificate_pem.encode())


def believed(hub: Hub, *anchors: Authority) -> bool:
    """Tell whether a customer with these anchors believes the endpoint: by our own rules, and OpenSSL's the same."""
    sent, roots = shown(hub), [each.certificate for each in anchors]
    try:
        certification_path(sent, roots, f"api.{hub.terms.hub}", hub.now())
        by_us = True
    except Refused:
        by_us = False
    place = hub.directory.parent
    for name, chain in (("sent", sent), ("leaf", sent[:1]), ("roots", roots)):
        (place / name).write_text("".join(certificate_pem(each) for each in chain))
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "roots", "-untrusted", "sent"]
    done = subprocess.run([*command, "leaf"], cwd=place, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode == 0) == by_us, done.stderr
    return by_us


def at(hub: Hub, moment: datetime) -> Hub:
    return replace(hub, now=lambda: moment)


def test_the_next_ca_is_announced_and_signs_nothing_before_it_is_told_to(hub: Hub) -> None:
    [old] = trusted(hub)
    before = shown(hub)
    added = add_server_authority(hub)
    assert trusted(hub) == (added, old)
    assert (issuer(hub), shown(hub)) == (old.id, before)
    renew_server_certificate(hub)
    [renewed] = shown(hub)
    renewed.verify_directly_issued_by(old.certificate)
    assert "server G2" in added.certificate.subject.rfc4514_string()


def test_the_endpoint_is_believed_by_whoever_trusts_either_until_the_old_one_is_retired(hub: Hub) -> None:
    [old] = trusted(hub)
    new = add_server_authority(hub)
    assert [believed(hub, *each) for each in ((old,), (new,), (new, old))] == [True, False, True]
    activate_authority(hub, new.id, "tested")
    assert len(shown(hub)) == 2
    assert all(believed(hub, *each) for each in ((old,), (new,), (new, old)))
    activate_authority(hub, old.id, "tested")
    assert [believed(hub, *each) for each in ((old,), (new,), (new, old))] == [True, False, True]
    activate_authority(hub, new.id, "tested")
    retire_authority(hub, old.id, "tested")
    assert len(shown(hub)) == 1
    assert [believed(hub, *each) for each in ((old,), (new,))] == [False, True]


def test_a_ca_that_may_have_none_below_it_vouches_for_none(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(making, "PATH_LENGTH", 0)
        [first], old = trusted(hub), add_server_authority(hub)
    assert (may_vouch(first.certificate, hub.now()), may_vouch(old.certificate, hub.now())) == (True, False)
    assert not may_vouch(first.certificate, first.certificate.not_valid_after_utc)
    activate_authority(hub, old.id, "tested")
    retire_authority(hub, first.id, "tested")
    assert add_server_authority(hub).link is None


def test_without_the_key_of_the_old_ca_there_is_no_link_and_the_endpoint_shows_none(hub: Hub) -> None:
    [old] = trusted(hub)
    with without_key(hub, "server-ca-1") as opened:
        new = add_server_authority(opened)
    assert new.link is None
    activate_authority(hub, new.id, "tested")
    assert len(shown(hub)) == 1
    assert [believed(hub, *each) for each in ((old,), (new,))] == [False, True]


@pytest.mark.parametrize("linked", [True, False])
def test_the_clock_changes_the_endpoint_over_before_the_old_ca_ends(hub: Hub, linked: bool) -> None:  # noqa: FBT001
    [old] = trusted(hub)
    if linked:
        new = add_server_authority(hub)
    else:
        with without_key(hub, "server-ca-1") as opened:
            new = add_server_authority(opened)
    due = old.certificate.not_valid_after_utc - (LATEST if linked else LATEST_UNLINKED)
    early, late = at(hub, due - timedelta(seconds=1)), at(hub, due)
    # As an endpoint that was always kept up.
    upkeep(early)
    assert (issuer(early), issuer(late)) == (old.id, new.id)
    assert next_renewal(late, Role.SERVER) == due
    upkeep(late)
    shown(hub)[0].verify_directly_issued_by(new.certificate)
    assert len(shown(hub)) == (2 if linked else 1)
