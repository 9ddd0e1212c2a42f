from datetime import UTC, datetime, timedelta

from bothways.web import limits
from bothways.web.limits import Limits

AT = datetime(2026, 11, 23, tzinfo=UTC)


def test_a_burst_passes_and_then_as_many_as_time_brings() -> None:
    bucket = Limits(burst=3, per_second=2)
    assert [bucket.wait("a", AT) for _ in range(4)] == [0, 0, 0, 0.5]
    assert bucket.wait("b", AT) == 0
    assert bucket.wait("a", AT + timedelta(seconds=0.5)) == 0
    assert bucket.wait("a", AT + timedelta(seconds=0.5)) == 0.5
    later = AT + timedelta(hours=1)
    assert [bucket.wait("a", later) for _ in range(4)] == [0, 0, 0, 0.5]


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = Limits(burst=1, per_second=1)
    assert bucket.wait("a", AT) == 0
    assert bucket.wait("a", AT - timedelta(hours=1)) == 1


def test_callers_of_long_ago_are_forgotten() -> None:
    bucket = Limits(burst=1, per_second=1)
    for number in range(limits._BUCKETS_MOST):
        bucket.wait(str(number), AT)
    bucket.wait("new", AT + timedelta(seconds=2))
    assert set(bucket._buckets) == {"new"}
