from collections.abc import Callable
from datetime import datetime
from typing import Any

from bothways.pki.chain import certificate_pem
from bothways.registry.customer import Customer
from bothways.store import customer_credentials
from bothways.store.customer_credentials import CredentialState
from bothways.store.database import Database


def test_what_was_requested_is_installed_and_superseded_with_who_and_when(
    database: Database, customer: Customer, make_ca: Callable[..., Any], now: datetime
) -> None:
    ca = make_ca("CA")
    certificate = make_ca("hub", ca, ca=False)[1]
    with database.write(now, "first") as transaction:
        number = customer_credentials.add(transaction, customer.tsp_id, "key", b"csr")
    with database.read() as connection:
        waiting = customer_credentials.in_state(connection, customer.tsp_id, CredentialState.REQUESTED)
        assert waiting is not None
        assert (waiting.id, waiting.request, waiting.chain, waiting.requested_by) == (number, b"csr", "", "first")
        assert customer_credentials.active(connection) == {}
    with database.write(now, "second") as transaction:
        customer_credentials.install(transaction, number, (certificate, ca[1]))
    with database.read() as connection:
        active = customer_credentials.active(connection)[customer.tsp_id]
        assert customer_credentials.active(connection, [customer.tsp_id]) == {customer.tsp_id: active}
        assert customer_credentials.active(connection, ["nobody"]) == {}
        assert customer_credentials.in_state(connection, customer.tsp_id, CredentialState.REQUESTED) is None
    assert active.chain == certificate_pem(certificate) + certificate_pem(ca[1])
    assert (active.not_before, active.not_after) == (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    assert (active.installed_at, active.installed_by) == (now, "second")
    with database.write(now, "third") as transaction:
        customer_credentials.end(transaction, number, CredentialState.SUPERSEDED, "the next one")
    with database.read() as connection:
        [ended] = customer_credentials.every(connection, customer.tsp_id)
        assert customer_credentials.active(connection) == {}
    assert (ended.state, ended.ended_by, ended.reason) == (CredentialState.SUPERSEDED, "third", "the next one")
