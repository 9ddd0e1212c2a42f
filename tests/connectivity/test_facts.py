from datetime import datetime, timedelta

import pytest

from bothways.connectivity.facts import CertificateFact, Facts

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("offset", "active"),
    [(-SECOND, False), (timedelta(0), True), (DAY - SECOND, True), (DAY, False), (DAY + SECOND, False)],
)
def test_a_certificate_is_active_from_its_start_until_before_its_end(
    now: datetime,
    offset: timedelta,
    active: bool,  # noqa: FBT001 - a vector
) -> None:
    assert CertificateFact(1, now, now + DAY).active(now + offset) is active


@pytest.mark.parametrize("offset", [-DAY, timedelta(0), DAY / 2])
def test_a_revoked_certificate_is_never_active(now: datetime, offset: timedelta) -> None:
    assert not CertificateFact(1, now - DAY, now + DAY, revoked_at=now + offset).active(now)


def test_a_new_customer_has_nothing() -> None:
    nothing = Facts(
        suspended=False,
        requests_open=0,
        requests_refused=0,
        certificates=(),
        endpoint=None,
        chains_open=0,
        anchors=(),
        probe=None,
        proof=None,
    )
    assert Facts() == nothing
