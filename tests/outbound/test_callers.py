import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from tests.stored_keys import key_names

from bothways.connectivity.evidence import Caller
from bothways.operations.authorities import add_client_authority
from bothways.operations.hub import Hub
from bothways.operations.rotation import rotate_client_certificate
from bothways.outbound import callers
from bothways.outbound.callers import callers_for, foreign_certificate, make_callers, still_good
from bothways.pki.chain import fingerprint, issued_by
from bothways.store import authorities, schema
from bothways.store.authorities import Role


def test_each_caller_has_a_context_and_each_signature_a_line_in_the_audit(hub: Hub) -> None:
    def kept() -> tuple[int, int]:
        with hub.read() as connection:
            credentials = connection.execute(schema.credential.select()).all()
        return len(credentials), len(key_names(hub))

    before = kept()
    made = make_callers(hub)
    assert set(made.contexts) == set(Caller) - {Caller.NEXT}
    with hub.read() as connection:
        lines = connection.execute(schema.audit.select().where(schema.audit.c.action == "probe.certificates")).all()
    assert [sorted(json.loads(each.detail)) for each in lines] == [["expired", "fresh"]]
    # What was made for probes is stored nowhere.
    assert kept() == before


def test_fresh_and_expired_are_of_the_client_ca_and_like_ours_in_all_but_dates(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[int, x509.Certificate] = {}
    pem = callers._pem

    def keep(key: object, certificate: x509.Certificate) -> bytes:
        kept[len(kept)] = certificate
        return pem(key, certificate)  # type: ignore[arg-type]

    monkeypatch.setattr(callers, "_pem", keep)
    make_callers(hub)
    with hub.read() as connection:
        ca = authorities.signing_authority(connection, Role.CLIENT).certificate
        current = authorities.current_credential(connection, Role.CLIENT).certificate
    fresh, expired, foreign = kept.values()
    now = hub.now()
    assert [issued_by(each, ca) for each in (fresh, expired, foreign)] == [True, True, False]
    assert {each.subject for each in (fresh, expired, foreign)} == {current.subject}
    assert foreign.issuer == current.issuer
    assert [each.oid for each in foreign.extensions] == [
        each.oid for each in current.extensions if not each.oid.dotted_string.endswith((".14", ".35"))
    ]
    assert fresh.not_valid_after_utc - now <= timedelta(hours=1)
    assert expired.not_valid_after_utc < now - timedelta(hours=23)


def test_callers_serve_until_they_are_old_or_the_hub_rotated(hub: Hub) -> None:
    made = make_callers(hub)
    assert still_good(hub, made)
    assert not still_good(replace(hub, now=lambda: made.until), made)
    rotate_client_certificate(hub)
    assert not still_good(hub, made)


def test_while_the_client_ca_changes_there_is_a_caller_of_the_next_one_until_it_is_shown(hub: Hub, issuer: str) -> None:
    before = make_callers(hub)
    assert Caller.NEXT not in callers_for(hub, issuer, before).contexts
    added = add_client_authority(hub)
    assert not still_good(hub, before)
    made = make_callers(hub)
    old_ca, new_ca = (made.of_ca[each] for each in (*before.of_ca, fingerprint(added.certificate)))
    seen = callers_for(hub, issuer, made).contexts
    # Who pins nothing takes a fresh one of the CA that it trusts already.
    assert (seen[Caller.FRESH], seen[Caller.EXPIRED]) == (old_ca[Caller.FRESH], old_ca[Caller.EXPIRED])
    assert seen[Caller.NEXT] == new_ca[Caller.FRESH]
    rotate_client_certificate(hub)
    seen = callers_for(hub, issuer, make_callers(hub)).contexts
    assert Caller.NEXT not in seen


def test_a_foreign_certificate_is_another_each_time(hub: Hub) -> None:
    with hub.read() as connection:
        current = authorities.current_credential(connection, Role.CLIENT).certificate
    assert foreign_certificate(current.issuer, current) != foreign_certificate(current.issuer, current)
