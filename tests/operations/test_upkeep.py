"""What is due is done, once; what fails stops nothing else, is told, and is done later."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from sqlalchemy import select
from tests.operations.conftest import Audit
from tests.stored_keys import keys_as, without_key

from bothways.connectivity.facts import ProbeFact
from bothways.errors import Unusable
from bothways.operations.certificates import list_certificates, show_certificate
from bothways.operations.endpoints import record_probe
from bothways.operations.hub import Hub
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.rotation import next_renewal, own_certificates, waiting_next
from bothways.operations.upkeep import AGAIN, LOOK, upkeep
from bothways.signer.keys import Keys
from bothways.signer.signer import Signer
from bothways.store.authorities import Role
from bothways.store.schema import audit


def at(hub: Hub, moment: datetime) -> Hub:
    """Return the hub at another moment."""
    return replace(hub, now=lambda: moment)


@pytest.fixture
def unsigned(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> list[str]:
    """The serial numbers of two certificates that were approved and are not signed."""
    numbers = [submit_request(hub, issuer, make_csr()).id for _ in range(2)]
    with without_key(hub, "issuing-ca-1") as dying:
        for number in numbers:
            with pytest.raises(Unusable):
                approve_request(dying, number)
    return [each.serial for each in list_certificates(hub)]


def test_where_nothing_is_due_nothing_is_done_and_it_looks_again_within_the_hour(hub: Hub, audited: Audit) -> None:
    first, lines = upkeep(hub), audited()
    start = hub.now()
    kept = upkeep(at(hub, start))
    assert (first.problems, kept.done, kept.problems) == ((), (), ())
    assert start < kept.next_due <= start + LOOK
    assert audited() == lines


def test_what_was_approved_is_signed_in_the_name_of_the_hub(hub: Hub, unsigned: list[str], audited: Audit) -> None:
    kept = upkeep(hub)
    assert kept.problems == ()
    assert [serial for serial in unsigned if any(serial in done for done in kept.done)] == unsigned
    assert {each.state(hub.now()) for each in list_certificates(hub)} == {"issued"}
    issued = [("certificate.issue", serial) for serial in unsigned]
    assert [line for line in audited() if line[0] == "certificate.issue"] == issued
    with hub.read() as connection:
        actors = connection.execute(select(audit.c.actor).where(audit.c.action == "certificate.issue")).scalars()
        assert set(actors) == {"hub"}
    assert not any(serial in done for serial in unsigned for done in upkeep(hub).done)


class Fussy(Keys):
    """Keys that fail twice, by a mistake that nobody thought of: for all at once, and for the first one alone."""

    failures_left = 2

    def signer_of(self, certificate: x509.Certificate, name: str) -> Signer:
        if self.failures_left:
            self.failures_left -= 1
            raise ZeroDivisionError("not thought of")
        return super().signer_of(certificate, name)


def test_one_that_fails_stops_no_other_and_is_done_the_next_time(hub: Hub, unsigned: list[str]) -> None:
    keys = keys_as(Fussy, hub)
    start = hub.now()
    kept = upkeep(replace(at(hub, start), keys=keys))
    assert len(kept.problems) == 1
    [left] = [serial for serial in unsigned if show_certificate(hub, serial).der is None]
    assert kept.problems[0] == f"certificate {left} is not signed: ZeroDivisionError: not thought of"
    assert kept.next_due == start + AGAIN
    assert upkeep(hub).problems == ()
    assert all(show_certificate(hub, serial).der for serial in unsigned)


@pytest.mark.parametrize("role", [Role.SERVER, Role.CLIENT])
def test_the_hubs_own_certificates_are_renewed_by_the_clock(hub: Hub, role: Role) -> None:
    due, before = next_renewal(hub, role), own_certificates(hub)
    assert due is not None
    upkeep(at(hub, due - timedelta(seconds=1)))
    assert own_certificates(hub)[role.value] == before[role.value]
    kept = upkeep(at(hub, due))
    assert kept.problems == ()
    assert own_certificates(hub)[role.value]["not_after"] > before[role.value]["not_after"]
    with hub.read() as connection:
        actors = connection.execute(select(audit.c.actor).where(audit.c.action == f"rotate.{role.value}")).scalars()
        assert list(actors) == ["hub"]


def test_a_renewal_that_fails_is_told_and_leaves_the_certificate_in_use(hub: Hub) -> None:
    due, before = next_renewal(hub, Role.CLIENT), own_certificates(hub)["client"]
    assert due is not None
    with without_key(hub, "client-ca-1") as crippled:
        kept = upkeep(at(crippled, due))
    assert [each for each in kept.problems if "the client certificate is not renewed" in each] == [*kept.problems]
    assert len(kept.problems) == 1
    assert own_certificates(hub)["client"] == before
    assert kept.next_due == due + AGAIN
    assert upkeep(at(hub, due)).problems == ()
    assert own_certificates(hub)["client"] != before


def test_customers_are_asked_before_the_client_certificate_is_renewed_by_the_clock(
    hub: Hub, issuer: str, endorse: Callable[[str, str], object]
) -> None:
    endorse(issuer, "https://bank.example")
    record_probe(hub, issuer, ProbeFact("bank.example:443", hub.now(), ok=True, seen="TLSv1.3"))
    due, before = next_renewal(hub, Role.CLIENT), own_certificates(hub)["client"]
    assert due is not None
    [done] = [each for each in upkeep(at(hub, due)).done if "certificate has a successor" in each]
    assert done.endswith(f"{waiting_next(hub).certificate.serial_number:x}")  # type: ignore[union-attr]
    assert own_certificates(hub)["client"] == before
    assert not [each for each in upkeep(at(hub, due)).done if "successor" in each], "once"
