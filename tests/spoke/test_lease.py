from hypothesis import given
from hypothesis import strategies as st

from bothways.spoke.addresses import GRACE_SECONDS, STALE_SECONDS, Failed, Found, Missing, Name, told
from bothways.spoke.lease import AGE_MOST, Lease, Reason, end

NAME = told(Name(), Found({"192.0.2.1": 3600.0}), 0)
LEASE = Lease("api.hub.test", "192.0.2.1", 0, 7)


def over(lease: Lease, name: Name, version: int, now: float) -> Reason | None:
    ends, reason = end(lease, name, version)
    return reason if now >= ends else None


def test_a_lease_lasts_while_address_files_and_age_allow_it() -> None:
    assert over(LEASE, NAME, 7, AGE_MOST - 1) is None


def test_it_is_over_when_dns_gives_another_address_or_none() -> None:
    other = told(NAME, Found({"192.0.2.2": 60}), 10)
    gone = told(NAME, Missing(60), 10)
    assert over(LEASE, other, 7, 10) == over(LEASE, gone, 7, 10) == over(LEASE, Name(), 7, 10) == Reason.ADDRESS


def test_it_is_over_a_moment_after_the_ttl_and_later_if_dns_fails() -> None:
    name = told(Name(), Found({"192.0.2.1": 60}), 0)
    assert over(LEASE, name, 7, 60 + GRACE_SECONDS - 0.1) is None
    assert over(LEASE, name, 7, 60 + GRACE_SECONDS) is Reason.ADDRESS
    failing = told(name, Failed("SERVFAIL"), 60)
    assert over(LEASE, failing, 7, 60 + STALE_SECONDS - 0.1) is None
    assert over(LEASE, failing, 7, 60 + STALE_SECONDS) is Reason.ADDRESS


def test_it_is_over_when_the_files_have_changed() -> None:
    assert over(LEASE, NAME, 8, 1) is Reason.FILES


def test_it_is_over_when_the_connection_is_old() -> None:
    name = told(NAME, Found({"192.0.2.1": 3600.0}), 1800)
    assert over(LEASE, name, 7, AGE_MOST) is Reason.AGE


@given(st.floats(0, 10_000), st.floats(0, 10_000))
def test_what_is_over_stays_so_while_nothing_new_is_known(now: float, later: float) -> None:
    if over(LEASE, NAME, 7, now) is not None:
        assert over(LEASE, NAME, 7, now + later) is not None
