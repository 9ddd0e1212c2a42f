"""The state machine against a plain model: a list of what was said, looked through from the end for each question."""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bothways.spoke.addresses import (
    GRACE_SECONDS,
    MISSING_MOST,
    RETRY_FIRST,
    RETRY_MOST,
    STALE_SECONDS,
    TTL_LEAST,
    TTL_MOST,
    Answer,
    Failed,
    Found,
    Missing,
    Name,
    asking,
    due,
    merged,
    serves_until,
    told,
    usable,
)

ADDRESSES = ("192.0.2.1", "192.0.2.2", "2001:db8::1")
TTLS = st.one_of(st.floats(0, 120), st.sampled_from([0.0, 1.0, 2.0, 30.0, 60.0, 3600.0, 2.0**31]))
FOUND = st.builds(
    Found, st.dictionaries(st.sampled_from(ADDRESSES), TTLS, min_size=1), st.lists(TTLS, max_size=3).map(tuple)
)
ANSWERS: st.SearchStrategy[Answer] = st.one_of(FOUND, st.builds(Missing, TTLS), st.just(Failed("SERVFAIL")))
STEPS = st.lists(st.tuples(st.floats(0, 400), st.one_of(st.just("ask"), ANSWERS)), max_size=30)

# How fast the machine is has nothing to do with the law.
LAW = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass
class Model:
    """All that happened: times with what was said."""

    said: list[tuple[float, Answer | str]] = field(default_factory=list)

    def allowed(self, now: float, *, for_open: bool = False) -> set[str]:
        """Return the addresses of the last answer that holds, looked up from the history alone."""
        failed = False
        for when, what in reversed(self.said):
            if isinstance(what, Missing):
                return set()
            if isinstance(what, Failed):
                failed = True
            if isinstance(what, Found):
                more = STALE_SECONDS if failed else GRACE_SECONDS if for_open else 0.0
                shortest = min(what.chain, default=TTL_MOST)
                return {
                    address
                    for address, ttl in what.ttls.items()
                    if now < when + min(TTL_MOST, max(TTL_LEAST, min(ttl, shortest))) + more
                }
        return set()


@LAW
@given(STEPS)
def test_exactly_what_the_history_allows_may_be_used(steps: list[tuple[float, Answer | str]]) -> None:
    name, model, now = Name(), Model(), 0.0
    for wait, what in steps:
        now += wait
        assert set(usable(name, now)) == model.allowed(now)
        assert {each for each in ADDRESSES if now < serves_until(name, each)} == model.allowed(now, for_open=True)
        name = asking(name, now) if isinstance(what, str) else told(name, what, now)
        model.said.append((now, what))
        assert set(usable(name, now)) == model.allowed(now)


@LAW
@given(STEPS, st.floats(0, 4000))
def test_no_address_outlives_its_ttl_by_more_than_the_bounds(
    steps: list[tuple[float, Answer | str]], wait: float
) -> None:
    name, now, last = Name(), 0.0, {}
    for pause, what in steps:
        now += pause
        if isinstance(what, Found):
            last = {address: now + min(max(ttl, TTL_LEAST), TTL_MOST) for address, ttl in what.ttls.items()}
        name = asking(name, now) if isinstance(what, str) else told(name, what, now)
    now += wait
    for address in usable(name, now):
        assert now < last[address] + STALE_SECONDS
        if not name.failures:
            assert now < last[address]


@LAW
@given(STEPS, FOUND)
def test_a_new_answer_replaces_everything_at_once(steps: list[tuple[float, Answer | str]], answer: Found) -> None:
    name, now = Name(), 0.0
    for wait, what in steps:
        now += wait
        name = asking(name, now) if isinstance(what, str) else told(name, what, now)
    name = told(name, answer, now)
    assert usable(name, now) == tuple(answer.ttls)
    assert not due(name, now)
    assert not name.missing


@LAW
@given(STEPS, st.floats(0, 100_000))
def test_it_never_stops_asking(steps: list[tuple[float, Answer | str]], wait: float) -> None:
    name, now = Name(), 0.0
    for pause, what in steps:
        now += pause
        name = asking(name, now) if isinstance(what, str) else told(name, what, now)
    if name.asked_at is None:
        assert due(name, max(now, name.again_at) + wait)
        assert name.again_at <= now + max(TTL_MOST, MISSING_MOST, RETRY_MOST)
        if not usable(name, name.again_at) and now < name.again_at:
            # Nothing to use, and not asked: only ever for so long.
            assert name.missing or name.failures or name.again_at <= now + TTL_MOST


def test_a_name_that_nobody_asked_for_is_due_and_has_nothing() -> None:
    assert due(Name(), -1e9)
    assert usable(Name(), 0) == ()


def test_while_a_question_is_under_way_no_other_is_due() -> None:
    name = asking(told(Name(), Found({"192.0.2.1": 2}), 100), 102)
    assert not due(name, 1000)
    assert usable(name, 102) == ()


def test_the_ttl_of_a_cname_counts_for_what_it_leads_to() -> None:
    name = told(Name(), Found({"192.0.2.1": 300, "192.0.2.2": 5}, (60, 20)), 0)
    assert usable(name, 4.9) == ("192.0.2.1", "192.0.2.2")
    assert usable(name, 19.9) == ("192.0.2.1",)
    assert usable(name, 20) == ()
    assert (due(name, 4.9), due(name, 5)) == (False, True)


def test_an_open_connection_outlives_the_moment_between_the_end_of_its_ttl_and_the_question() -> None:
    name = told(Name(), Found({"192.0.2.1": 2}), 100)
    assert usable(name, 102) == ()
    assert [102 + late >= serves_until(name, "192.0.2.1") for late in (0, GRACE_SECONDS - 0.1, GRACE_SECONDS)] == [
        0,
        0,
        1,
    ]


def test_failures_are_tried_again_ever_more_seldom_and_the_stale_answer_ends() -> None:
    name, delays = told(Name(), Found({"192.0.2.1": 10}), 0), []
    now = 10.0
    while now < 10 + STALE_SECONDS:
        assert usable(name, now) in {("192.0.2.1",), ()}
        name = told(asking(name, now), Failed("SERVFAIL"), now)
        assert usable(name, now) == ("192.0.2.1",)
        delays.append(name.again_at - now)
        now = name.again_at
    assert usable(name, 10 + STALE_SECONDS) == ()
    assert name.reason == "SERVFAIL"
    assert delays[0] == RETRY_FIRST
    assert delays == sorted(delays)
    assert delays[-1] == RETRY_MOST


def test_a_name_that_is_gone_has_nothing_at_once_even_after_failures() -> None:
    name = told(told(Name(), Found({"192.0.2.1": 3600}), 0), Failed("silent"), 1)
    name = told(name, Missing(900), 2)
    assert usable(name, 2) == ()
    assert serves_until(name, "192.0.2.1") <= 2
    assert (due(name, 2 + MISSING_MOST - 0.1), due(name, 2 + MISSING_MOST)) == (False, True)


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        (Found({"a": 1}), Found({"b": 2}, (3,)), Found({"a": 1, "b": 2}, (3,))),
        (Found({"a": 1}), Failed("x"), Found({"a": 1})),
        (Missing(5), Found({"b": 2}), Found({"b": 2})),
        (Missing(5), Missing(7), Missing(5)),
        (Failed("x"), Missing(7), Failed("x")),
        (Missing(7), Failed("x"), Failed("x")),
        (Failed("x"), Failed("y"), Failed("x")),
    ],
)
def test_two_answers_make_one(first: Answer, second: Answer, wanted: Answer) -> None:
    assert merged(first, second) == wanted


def test_an_answer_without_addresses_is_a_missing_one() -> None:
    name = told(Name(), Found({}), 0)
    assert (name.missing, usable(name, 0), name.again_at) == (True, (), TTL_LEAST)
