"""The endpoint changes over to the next server CA when a person says so; who would be lost is named before."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.operations.conftest import Audit
from tests.stored_keys import without_key

from bothways.errors import Conflict, NotFound, Unusable
from bothways.operations.authorities import (
    add_server_authority,
    authority_added,
    list_authorities,
    retirable,
    retire_authority,
)
from bothways.operations.bundles import export_bundle
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub, contract
from bothways.operations.server_rollover import (
    activate_authority,
    contract_taken,
    every_behind,
    list_behind,
    standing,
)
from bothways.operations.upkeep import upkeep
from bothways.pki.chain import certificate_pem
from bothways.registry.customer import CustomerKind
from bothways.store import authorities
from bothways.store.authorities import Authority, Role
from bothways.store.certificates import StoredCertificate
from bothways.store.contracts import Way

Certify = Callable[[str], StoredCertificate]


@pytest.fixture
def old(hub: Hub) -> Authority:
    with hub.read() as connection:
        return authorities.signing_authority(connection, Role.SERVER)


def states(hub: Hub) -> list[tuple[str, int, int | None]]:
    """Return state, certificates in use and customers behind of each server CA, the oldest first."""
    found = [each for each in list_authorities(hub) if each["role"] == "server"]
    return [(each["state"], each["certificates"], each["behind"]) for each in found]


def test_announced_activated_back_and_retired(
    hub: Hub, old: Authority, issuer: str, merchant: str, certify: Certify, audited: Audit
) -> None:
    certify(issuer)
    certify(merchant)
    assert states(hub) == [("signing", 1, None)]
    made = authority_added(hub, "server", None)
    new = int(made["id"])
    assert made["linked"] is True
    assert states(hub) == [("signing", 1, None), ("trusted", 0, 2)]
    assert contract(hub).trust.server_ca.endswith(certificate_pem(old.certificate))
    assert contract(hub).trust.server_ca.count("BEGIN") == 2
    with pytest.raises(Conflict, match=rf"the CA {old.id} signs.*bothways hub authority activate"):
        retire_authority(hub, old.id, "tested")
    there, back = [("trusted", 0, None), ("signing", 1, 2)], [("signing", 1, None), ("trusted", 0, 2)]
    for number, wanted in ((new, there), (old.id, back), (new, there)):
        activate_authority(hub, number, "tested")
        assert (audited()[-1], states(hub)) == (("authority.activate", str(number)), wanted)
    contract_taken(hub, issuer, Way.FETCHED)
    assert [*every_behind(hub, new)] == [{"customer": merchant, "organization": "Corner Shop"}]
    with pytest.raises(
        Conflict, match=rf"takes the place of {old.id}, and 1 customer has not .*: {merchant}. .*--force"
    ):
        retire_authority(hub, old.id, "tested")
    export_bundle(hub, merchant, {})
    assert states(hub) == [("trusted", 0, None), ("signing", 1, 0)]
    assert (retirable(hub), upkeep(hub).problems) == ((), ())
    retire_authority(hub, old.id, "tested")
    assert states(hub) == [("retired", 0, None), ("signing", 1, None)]
    assert certificate_pem(old.certificate) not in contract(hub).trust.server_ca


def test_customers_are_left_behind_by_force_alone(hub: Hub, old: Authority, issuer: str, certify: Certify) -> None:
    certify(issuer)
    new = add_server_authority(hub)
    activate_authority(hub, new.id, "its key has leaked")
    with pytest.raises(Conflict, match=issuer):
        retire_authority(hub, old.id, "its key has leaked")
    retire_authority(hub, old.id, "its key has leaked", force=True)
    assert states(hub)[0] == ("retired", 0, None)


def test_where_no_link_leads_back_nobody_may_be_behind_at_the_change(
    hub: Hub, old: Authority, issuer: str, certify: Certify
) -> None:
    certify(issuer)
    with without_key(hub, "server-ca-1") as opened:
        new = add_server_authority(opened)
    with pytest.raises(Conflict, match=rf"is not linked to the one before, and 1 customer has not .*: {issuer}"):
        activate_authority(hub, new.id, "tested")
    assert activate_authority(hub, new.id, "tested", force=True)["state"] == "signing"
    with without_key(hub, "server-ca-1") as opened, pytest.raises(Unusable, match="server-ca-1"):
        activate_authority(opened, old.id, "tested")
    activate_authority(hub, old.id, "tested")
    contract_taken(hub, issuer, Way.FETCHED)
    activate_authority(hub, new.id, "tested")


def test_a_next_ca_that_is_given_up_is_retired_and_another_is_announced(
    hub: Hub, old: Authority, issuer: str, certify: Certify
) -> None:
    certify(issuer)
    new = add_server_authority(hub)
    with pytest.raises(Conflict, match=rf"the server CAs {old.id}, {new.id} already"):
        add_server_authority(hub)
    retire_authority(hub, new.id, "made by mistake")
    assert states(hub) == [("signing", 1, None), ("retired", 0, None)]
    another = add_server_authority(hub)
    assert "server G3" in another.certificate.subject.rfc4514_string()
    assert another.link is not None
    another.link.verify_directly_issued_by(old.certificate)


def test_what_is_no_server_ca_beside_another_is_not_activated(hub: Hub, old: Authority) -> None:
    with pytest.raises(NotFound):
        activate_authority(hub, 99, "tested")
    with pytest.raises(Conflict, match="the CA 1 is no server CA"):
        activate_authority(hub, 1, "tested")
    with pytest.raises(Conflict, match=f"the CA {old.id} is no server CA beside another"):
        list_behind(hub, old.id)
    with pytest.raises(Conflict, match="signs for the endpoint already"):
        activate_authority(hub, old.id, "tested")
    new = add_server_authority(hub)
    activate_authority(hub, new.id, "tested")
    end = old.certificate.not_valid_after_utc
    with pytest.raises(Conflict, match="too late to go back"):
        activate_authority(replace(hub, now=lambda: end - timedelta(days=1)), old.id, "tested")


def test_the_old_ca_goes_by_itself_when_it_has_ended(hub: Hub, old: Authority, issuer: str, certify: Certify) -> None:
    certify(issuer)
    new = add_server_authority(hub)
    end = old.certificate.not_valid_after_utc
    early, late = replace(hub, now=lambda: end - timedelta(seconds=1)), replace(hub, now=lambda: end)
    # The clock changes the endpoint over before.
    assert upkeep(early).problems == ()
    assert [each[0] for each in states(early)] == ["trusted", "signing"]
    assert upkeep(late).problems == ()
    assert [each[0] for each in states(late)] == ["retired", "signing"]
    assert new.id not in retirable(late)


def test_who_took_the_contract_is_written_once_for_a_rollover(hub: Hub, issuer: str, audited: Audit) -> None:
    contract_taken(hub, issuer, Way.FETCHED)
    assert standing(hub, issuer) is None
    assert ("contract.take", issuer) not in audited()
    add_server_authority(hub)
    found = standing(hub, issuer)
    assert found is not None
    assert (found.taken, found.always) == (None, False)
    for _ in range(2):
        contract_taken(hub, issuer, Way.FETCHED)
    assert audited().count(("contract.take", issuer)) == 1
    found = standing(hub, issuer)
    assert found is not None
    assert found.taken is not None
    assert found.taken.way is Way.FETCHED
    add_customer(hub, "99999999", CustomerKind.ISSUER, "New Bank")
    found = standing(hub, "99999999")
    assert found is not None
    assert found.always
    with pytest.raises(NotFound):
        contract_taken(hub, "11111111", Way.FETCHED)
