from collections import Counter
from datetime import timedelta

from tests.conftest import NOW

from bothways.connectivity.probing import DAY, next_probe, probe_due

HOUR = timedelta(hours=1)


def test_what_was_never_probed_or_changed_since_is_due_at_once() -> None:
    assert probe_due("1", NOW, None, NOW)
    assert probe_due("1", NOW, NOW - HOUR, NOW)


def test_each_is_due_once_a_day_whenever_one_looks() -> None:
    last, made = NOW, 0
    for minutes in range(10 * 24 * 60):
        now = NOW + timedelta(minutes=minutes)
        if probe_due("12345678", NOW - DAY, last, now):
            last, made = now, made + 1
    assert made == 10


def test_who_is_due_next_is_due_from_that_moment_on_and_not_before() -> None:
    for number in range(1000):
        tsp_id, last = f"{number:08}", NOW + number * timedelta(minutes=7)
        due = next_probe(tsp_id, last)
        assert last < due <= last + DAY
        assert not probe_due(tsp_id, NOW, last, due - timedelta(microseconds=1))
        assert probe_due(tsp_id, NOW, last, due)


def test_a_hub_that_was_away_makes_up_for_one_probe() -> None:
    later = NOW + 9 * DAY
    assert probe_due("1", NOW - DAY, NOW, later)
    assert not probe_due("1", NOW - DAY, later, later + timedelta(seconds=1))


def test_ten_thousand_are_spread_over_the_day() -> None:
    midnight = NOW.replace(hour=0, minute=0)
    hours: Counter[int] = Counter()
    for number in range(10_000):
        tsp_id = f"{number:08}"
        hours[
            next(hour for hour in range(25) if probe_due(tsp_id, midnight - DAY, midnight, midnight + hour * HOUR))
        ] += 1
    assert sum(hours.values()) == 10_000
    assert all(300 < hours[hour] < 550 for hour in range(1, 25))
