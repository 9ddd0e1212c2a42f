"""Deriving again what changed gives what deriving everything gives, whatever was done and however time went on."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.outbound.signing import returned_by

from bothways.connectivity.facts import ProbeFact
from bothways.errors import BothwaysError
from bothways.operations.certificates import certificate_seen, list_certificates, revoke_certificate
from bothways.operations.chains import endorse_chain, list_chains, submit_chain, withdraw_chain
from bothways.operations.customer_credentials import install_credential, remove_credential, request_credential
from bothways.operations.customers import remove_customer, resume_customer, suspend_customer
from bothways.operations.data_plane import DataPlane, hub_state
from bothways.operations.endpoints import record_probe, set_endpoint
from bothways.operations.hub import Hub
from bothways.operations.rotation import make_next, put_next_to_use, release_customer
from bothways.operations.services import add_service, grant_service, withdraw_service
from bothways.operations.shares import MANY, Shares
from bothways.pki.chain import certificate_pem
from bothways.pki.revocation import RevocationReason
from bothways.registry.flow import Flow
from bothways.registry.service import Service
from bothways.store.certificates import StoredCertificate

Certify = Callable[[str], StoredCertificate]
STEPS = 150


class Walk:
    """Random steps in the life of a hub with two customers; its clock is moved by hand."""

    def __init__(self, hub: Hub, customers: list[str], make_csr: Callable[..., bytes], ca: Any, seed: int) -> None:
        self.moment = hub.now()
        self.hub = replace(hub, now=self.now)
        self._customers, self._make_csr, self._ca = customers, make_csr, ca
        self._random = random.Random(seed)  # noqa: S311 - the same walk each time, and nothing secret

    def now(self) -> datetime:
        return self.moment

    def step(self) -> str:
        """Do something that an operator, a customer or the clock does; what cannot be done now is not done."""
        steps = [self.certify, self.see, self.revoke, self.suspend, self.grant, self.endpoint, self.endorse]
        steps += [self.withdraw, self.probe, self.wait, self.services, self.own, self.not_own, self.hold, self.release]
        chosen = self._random.choice(steps)
        try:
            chosen(self._random.choice(self._customers))
        except BothwaysError:
            return f"{chosen.__name__} (refused)"
        return chosen.__name__

    def certify(self, tsp_id: str) -> None:
        from bothways.operations.requests import approve_request, submit_request  # noqa: PLC0415

        stored = submit_request(self.hub, tsp_id, self._make_csr(CN=f"TLSMA-ECDSA/{tsp_id}/PPR"))
        approve_request(self.hub, stored.id)

    def see(self, tsp_id: str) -> None:
        for each in list_certificates(self.hub, tsp_id):
            certificate_seen(self.hub, each.fingerprint or "")

    def revoke(self, tsp_id: str) -> None:
        for each in list_certificates(self.hub, tsp_id)[-1:]:
            revoke_certificate(self.hub, each.serial, RevocationReason.UNSPECIFIED)

    def suspend(self, tsp_id: str) -> None:
        (suspend_customer if self._random.random() < 1 / 3 else resume_customer)(self.hub, tsp_id, "tested")

    def grant(self, tsp_id: str) -> None:
        name = self._random.choice(["tokens", "push"])
        if self._random.random() < 1 / 3:
            withdraw_service(self.hub, name, tsp_id, "tested")
        else:
            grant_service(self.hub, name, tsp_id)

    def endpoint(self, tsp_id: str) -> None:
        set_endpoint(self.hub, tsp_id, f"https://server-{self._random.randrange(3)}.{tsp_id}.example")

    def endorse(self, tsp_id: str) -> None:
        endorse_chain(self.hub, submit_chain(self.hub, tsp_id, certificate_pem(self._ca[1]).encode()).id)

    def withdraw(self, tsp_id: str) -> None:
        for each in list_chains(self.hub, tsp_id)[-1:]:
            withdraw_chain(self.hub, each.id, "tested")

    def probe(self, tsp_id: str) -> None:
        address = f"server-{self._random.randrange(3)}.{tsp_id}.example:443"
        record_probe(self.hub, tsp_id, ProbeFact(address, self.now(), ok=self._random.random() < 2 / 3, seen="TLSv1.3"))

    def wait(self, tsp_id: str) -> None:
        del tsp_id
        self.moment += timedelta(days=self._random.choice([1, 20, 150]))

    def own(self, tsp_id: str) -> None:
        request = request_credential(self.hub, tsp_id, {}, again=True)
        install_credential(self.hub, tsp_id, returned_by(self._ca, request, days=900))

    def not_own(self, tsp_id: str) -> None:
        remove_credential(self.hub, tsp_id, "tested")

    def hold(self, tsp_id: str) -> None:
        put_next_to_use(self.hub, make_next(self.hub), {tsp_id: "tested"}, ())

    def release(self, tsp_id: str) -> None:
        release_customer(self.hub, tsp_id, "tested")

    def services(self, tsp_id: str) -> None:
        del tsp_id
        add_service(self.hub, Service("tokens", "/tokens", "http://10.1.2.3:9000"))
        add_service(self.hub, Service("push", "/push", "http://10.1.2.3:9000", frozenset(Flow)))


@pytest.mark.parametrize("seed", range(4))
def test_after_any_step_the_kept_state_is_the_one_derived_anew(
    hub: Hub,
    issuer: str,
    merchant: str,
    make_csr: Callable[..., bytes],
    make_ca: Callable[..., tuple[object, object]],
    seed: int,
) -> None:
    walk = Walk(hub, [issuer, merchant], make_csr, make_ca("Root", days=200), seed)
    kept, done, seen = DataPlane(walk.hub), [], set()
    for _ in range(STEPS):
        done.append(walk.step())
        # Several steps between two looks, as between two rounds of the publisher.
        if len(done) % 3:
            continue
        state = kept.state()
        assert state == hub_state(walk.hub), done
        seen.add((len(state.identities), len(state.customers), *(len(each.identities) for each in state.services)))
    assert len(seen) > 5, "the walk went nowhere"


def test_a_removed_customer_has_no_share_left(hub: Hub, issuer: str, connect: Certify) -> None:
    connect(issuer)
    kept = DataPlane(hub)
    assert len(kept.state().identities) == 1
    remove_customer(hub, issuer, "tested")
    assert kept.state().identities == ()


def test_a_customer_that_was_not_touched_is_not_derived_again(
    hub: Hub, issuer: str, merchant: str, connect: Certify
) -> None:
    connect(issuer)
    connect(merchant)
    shares = Shares(hub.environment, hub.keys.private_pem)
    with hub.read() as connection:
        shares.refresh(connection, None, hub.now())
    suspend_customer(hub, issuer, "tested")
    suspend_customer(hub, merchant, "tested")
    with hub.read() as connection:
        shares.refresh(connection, {issuer}, hub.now())
    assert [each.tsp_id for each in shares.identities()] == [merchant]


def test_many_touched_customers_are_derived_with_all_others(hub: Hub, issuer: str, connect: Certify) -> None:
    connect(issuer)
    shares = Shares(hub.environment, hub.keys.private_pem)
    with hub.read() as connection:
        shares.refresh(connection, {str(number) for number in range(MANY + 1)}, hub.now())
    assert [each.tsp_id for each in shares.identities()] == [issuer]
