"""Revocation lists are complete, ahead of time, and never shut the endpoint."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from tests.operations.conftest import Audit
from tests.stored_keys import without_key

from bothways.errors import NotFound, Unusable
from bothways.operations.certificates import revoke_certificate
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract
from bothways.operations.revocation import (
    current_list,
    list_address,
    list_pem,
    list_states,
    lists_due,
    publish_list,
)
from bothways.operations.upkeep import AGAIN, upkeep
from bothways.pki.revocation import LIST_INTERVAL, LIST_MARGIN, LIST_VALIDITY, RevocationReason
from bothways.store import revocation_lists
from bothways.store.authorities import Authority
from bothways.store.certificates import StoredCertificate
from bothways.store.database import Transaction
from bothways.store.revocation_lists import StoredList

Certify = Callable[[str], StoredCertificate]


def at(hub: Hub, moment: datetime) -> Hub:
    """Return the hub at another moment."""
    return replace(hub, now=lambda: moment)


def listed(hub: Hub) -> tuple[int, set[str]]:
    """Return the number of the current list and the serial numbers on it, after verifying its signature."""
    found = x509.load_der_x509_crl(current_list(hub).der)
    ca = x509.load_pem_x509_certificate(contract(hub).trust.issuing_ca.encode())
    assert found.is_signature_valid(ca.public_key())  # type: ignore[arg-type]
    number = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    return number, {f"{each.serial_number:x}" for each in found}


def the_ca(hub: Hub) -> Authority:
    [(authority, _)] = lists_due(hub)
    return authority


def test_the_first_list_is_made_at_the_first_upkeep_and_is_empty(hub: Hub, audited: Audit) -> None:
    with pytest.raises(NotFound, match="no revocation list"):
        current_list(hub)
    assert hub_state(hub).trust.lists == ()
    upkeep(hub)
    assert listed(hub) == (1, set())
    assert audited()[-1] == ("crl.publish", "1")
    assert hub_state(hub).trust.lists == (list_pem(current_list(hub)),)


def test_each_revocation_is_on_a_new_list_at_once(hub: Hub, issuer: str, certify: Certify) -> None:
    upkeep(hub)
    first, second = certify(issuer), certify(issuer)
    upkeep(hub)
    assert listed(hub) == (1, set())
    for number, each in ((2, first), (3, second)):
        revoke_certificate(hub, each.serial, RevocationReason.KEY_COMPROMISE)
        upkeep(hub)
        upkeep(hub)
        assert listed(hub)[0] == number
    assert listed(hub)[1] == {first.serial, second.serial}


def test_a_list_is_published_anew_every_day_long_before_it_ends(hub: Hub) -> None:
    start = hub.now()
    first = upkeep(at(hub, start))
    assert first.problems == ()
    assert [due for _, due in lists_due(hub)] == [start + LIST_INTERVAL]
    upkeep(at(hub, start + LIST_INTERVAL - timedelta(seconds=1)))
    assert listed(hub)[0] == 1
    upkeep(at(hub, start + LIST_INTERVAL))
    assert listed(hub)[0] == 2
    assert current_list(hub).next_update == start + LIST_INTERVAL + LIST_VALIDITY


def test_an_expired_certificate_leaves_the_list_after_one_that_was_made_later(
    hub: Hub, issuer: str, certify: Certify
) -> None:
    record = certify(issuer)
    revoke_certificate(hub, record.serial, RevocationReason.KEY_COMPROMISE)
    for days, wanted in ((-1, {record.serial}), (1, {record.serial}), (2, set()), (3, set())):
        publish_list(at(hub, record.not_after + timedelta(days=days)), the_ca(hub))
        assert listed(hub)[1] == wanted
    # What has left the list is no reason to publish another one.
    assert lists_due(hub)[0][1] > record.not_after


def test_of_two_processes_at_once_one_publishes_and_the_next_round_has_both(
    hub: Hub, issuer: str, certify: Certify, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, add = certify(issuer), revocation_lists.add

    def overtaken(transaction: Transaction, made: StoredList) -> bool:
        assert add(transaction, replace(made, der=b"the other's"))
        return add(transaction, made)

    monkeypatch.setattr(revocation_lists, "add", overtaken)
    assert publish_list(hub, the_ca(hub)) is None
    monkeypatch.undo()
    revoke_certificate(hub, record.serial, RevocationReason.KEY_COMPROMISE)
    upkeep(hub)
    assert listed(hub) == (2, {record.serial})


def test_a_signer_that_is_away_is_a_problem_and_the_map_refuses_all_the_same(
    hub: Hub, issuer: str, certify: Certify
) -> None:
    upkeep(hub)
    kept, lost = certify(issuer), certify(issuer)
    revoke_certificate(hub, lost.serial, RevocationReason.KEY_COMPROMISE)
    start = hub.now()
    with without_key(hub) as crippled:
        told = upkeep(at(crippled, start))
        with pytest.raises(Unusable):
            publish_list(crippled, the_ca(hub))
        assert [each.uri_id for each in hub_state(crippled).identities] == [kept.uri_id]
    [problem] = told.problems
    assert "the revocation list of the CA 1 is not published" in problem
    assert "issuing-ca-1 is not in the database" in problem
    assert told.next_due == start + AGAIN
    assert listed(hub) == (1, set())


def test_a_list_that_is_about_to_end_is_taken_from_envoy_before_it_shuts_everybody_out(hub: Hub) -> None:
    upkeep(hub)
    end = current_list(hub).next_update
    for before, given in ((2 * LIST_MARGIN, 1), (LIST_MARGIN, 0), (timedelta(0), 0), (-LIST_VALIDITY, 0)):
        later = at(hub, end - before)
        assert len(hub_state(later).trust.lists) == given
        assert [each["in_envoy"] for each in list_states(later)] == [bool(given)]
    # The trust itself stays: an empty one would let everybody in.
    assert hub_state(at(hub, end)).trust.pem == contract(hub).trust.issuing_ca


def test_the_address_of_a_list_is_in_the_folder_of_the_settings(hub: Hub) -> None:
    assert list_address(hub, 3) is None
    for base in ("http://pki.hub.example/crl", "http://pki.hub.example/crl/"):
        told = replace(hub, settings=replace(hub.settings, crl_url=base))
        assert list_address(told, 3) == "http://pki.hub.example/crl/3.crl"


def test_the_states_say_what_is_published(hub: Hub) -> None:
    [before] = list_states(hub)
    assert before == {"authority": 1, "number": None, "this_update": None, "next_update": None, "in_envoy": False}
    upkeep(hub)
    [after] = list_states(hub)
    assert (after["number"], after["in_envoy"]) == (1, True)
    assert after["next_update"] == current_list(hub).next_update.isoformat()
