"""What was asked is expected back once, soon, and not without bounds."""

from datetime import datetime

from bothways.web.pages.challenges import LIFE, Challenges


def test_it_is_taken_once_and_not_too_late(now: datetime) -> None:
    kept = Challenges[int]()
    name = kept.keep(7, now)
    assert (kept.take(name, now), kept.take(name, now)) == (7, None)
    late = kept.keep(8, now)
    assert kept.take(late, now + LIFE * 2) is None
    assert kept.take("never", now) is None


def test_beyond_its_bound_the_oldest_is_forgotten(now: datetime) -> None:
    kept = Challenges[int]()
    names = [kept.keep(number, now) for number in range(10_001)]
    assert (kept.take(names[0], now), kept.take(names[1], now)) == (None, 1)
