"""When a renewal is due, and the request for it; the way over EST is in tests/wire/test_renew.py."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from bothways.contract.document import KeyType
from bothways.errors import Unreachable, Unusable
from bothways.spoke.directory import Spoke
from bothways.spoke.install import install_certificate
from bothways.spoke.renew import DUE, JITTER, Outcome, Renewal, certificate_in_use, due_at, renew, wait_seconds

NOW = datetime.now(UTC)


def test_it_is_due_after_two_thirds_and_a_little_at_a_time_that_stays(ready_spoke: Spoke) -> None:
    certificate = certificate_in_use(ready_spoke)
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    share = (due_at(certificate) - certificate.not_valid_before_utc) / life
    assert DUE <= share <= DUE + JITTER
    assert due_at(certificate) == due_at(certificate_in_use(ready_spoke))


def test_two_certificates_of_one_day_are_not_due_in_one_minute(
    spoke: Spoke, certified: Callable[[Spoke], bytes], renewed: Callable[[Spoke], bytes]
) -> None:
    install_certificate(spoke, certified(spoke))
    first = due_at(certificate_in_use(spoke))
    renew(spoke, NOW, force=True, by_hand=True)
    install_certificate(spoke, renewed(spoke))
    assert abs(due_at(certificate_in_use(spoke)) - first) > timedelta(minutes=1)


def test_nothing_due_changes_nothing_and_asks_nobody(ready_spoke: Spoke) -> None:
    done = renew(ready_spoke, NOW)
    assert (done.outcome, done.due) == (Outcome.NOT_DUE, due_at(certificate_in_use(ready_spoke)))
    assert not ready_spoke.renewal.exists()


@pytest.mark.parametrize("key", [None, KeyType.ECDSA])
def test_the_request_has_a_new_key_and_the_subject_of_the_certificate(ready_spoke: Spoke, key: KeyType | None) -> None:
    before = certificate_in_use(ready_spoke)
    done = renew(ready_spoke, due_at(before), by_hand=True, key=key)
    assert done.outcome is Outcome.BY_HAND
    assert done.request is not None
    request = x509.load_pem_x509_csr(done.request.read_bytes())
    assert request.subject == before.subject
    assert request.public_key() != before.public_key()
    assert certificate_in_use(ready_spoke) == before
    # The same again is the same request, whenever it is.
    assert renew(ready_spoke, NOW, by_hand=True).request == done.request
    assert x509.load_pem_x509_csr(done.request.read_bytes()) == request


def test_a_hub_that_is_away_leaves_the_request_for_the_next_time(ready_spoke: Spoke) -> None:
    with pytest.raises(Unreachable):
        renew(ready_spoke, NOW, force=True)
    request = (ready_spoke.renewal / "tls.csr").read_bytes()
    with pytest.raises(Unreachable):
        renew(ready_spoke, NOW)
    assert (ready_spoke.renewal / "tls.csr").read_bytes() == request


def test_without_a_certificate_there_is_nothing_to_renew(spoke: Spoke) -> None:
    with pytest.raises(Unusable, match="nothing to renew"):
        renew(spoke, NOW)


def test_a_daemon_sleeps_until_it_is_due_and_an_hour_at_most() -> None:
    renewal = Renewal(Outcome.NOT_DUE, NOW + timedelta(days=3))
    assert wait_seconds(renewal, NOW) == 3600
    assert wait_seconds(replace(renewal, due=NOW + timedelta(seconds=90)), NOW) == 90
    assert wait_seconds(replace(renewal, outcome=Outcome.WAITING, retry_seconds=600), NOW) == 600
    assert wait_seconds(replace(renewal, outcome=Outcome.RENEWED), NOW) == 1
