"""Colours follow the state; bars stand where their dates are, and overlaps between them."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import segno

from bothways.connectivity.assess import FlowAssessment, State, Step, StepName
from bothways.registry.flow import Flow
from bothways.web.pages.drawing import Span, code, colour_of, shown_steps, timeline


def flow(state: State, *done: bool) -> FlowAssessment:
    names = (StepName.REQUEST, StepName.CERTIFICATE, StepName.CONNECTED)
    steps = tuple(Step(name, each, "") for name, each in zip(names, done, strict=True))
    return FlowAssessment(Flow.INBOUND, state, "", steps)


@pytest.mark.parametrize(
    ("assessment", "colours"),
    [
        (flow(State.NOT_STARTED, False, False, False), ["wait", "wait", "wait"]),
        (flow(State.IN_PROGRESS, True, False, False), ["good", "wait", "wait"]),
        (flow(State.IN_PROGRESS, False, False, False), ["bad", "wait", "wait"]),
        (flow(State.ESTABLISHED, True, True, True), ["good", "good", "good"]),
        (flow(State.BROKEN, True, False, True), ["good", "bad", "good"]),
        (flow(State.BROKEN, True, True, True), ["good", "good", "bad"]),
    ],
)
def test_what_broke_a_flow_is_bad_what_is_done_is_good_and_the_rest_waits(
    assessment: FlowAssessment, colours: list[str]
) -> None:
    assert [each.colour for each in shown_steps(assessment)] == colours


def test_the_next_step_is_the_one_that_broke_or_is_missing_unless_the_hub_has_it() -> None:
    assert [each.next for each in shown_steps(flow(State.IN_PROGRESS, True, False, False))] == [False, True, False]
    assert [each.next for each in shown_steps(flow(State.BROKEN, True, True, True))] == [False, False, True]
    assert not any(each.next for each in shown_steps(flow(State.ESTABLISHED, True, True, True)))
    waits = (
        Step(StepName.REQUEST, True, ""),
        Step(StepName.CERTIFICATE, False, "", under_review=True),
        Step(StepName.CONNECTED, False, ""),
    )
    assert not any(each.next for each in shown_steps(FlowAssessment(Flow.INBOUND, State.IN_PROGRESS, "", waits)))


def test_every_state_has_a_colour() -> None:
    assert {colour_of(each) for each in State} == {"good", "wait", "bad", "still"}


def test_a_timeline_shows_what_is_valid_due_over_and_where_two_overlap(now: datetime) -> None:
    day = timedelta(days=1)
    old, current, revoked = (
        Span("old", now - 300 * day, now + 10 * day),
        Span("current", now - 5 * day, now + 300 * day),
        Span("revoked", now - 400 * day, now + 300 * day, now),
    )
    drawn = timeline((old, current, revoked), now)
    assert [(bar.colour, bar.due) for bar in drawn.bars] == [("wait", True), ("good", False), ("still", False)]
    first, second, _ = drawn.bars
    [(x, width)] = drawn.overlaps
    assert x == second.x
    assert x + width == pytest.approx(first.x + first.width, abs=0.3)
    assert first.x < x < drawn.today < x + width


@pytest.mark.parametrize("days", [1, 40, 90, 400, 800, 4000, 20_000])
def test_few_dates_stand_at_the_firsts_of_months_and_away_from_the_edges(now: datetime, days: int) -> None:
    ticks = timeline([Span("one", now, now + timedelta(days=days))], now).ticks
    assert 1 <= len(ticks) <= 5
    assert {(each.day, each.hour) for _, each in ticks} == {(1, 0)}
    places = [x for x, _ in ticks]
    assert places == sorted(places)
    assert all(5 < x < 95 for x in places)
    assert all(b - a > 12 for a, b in pairwise(places))


def test_without_spans_today_is_drawn_alone(now: datetime) -> None:
    assert timeline((), now).bars == ()


def test_a_code_is_drawn_as_it_is_computed_with_a_light_margin() -> None:
    text = "otpauth://totp/hub:ann?secret=ABC"
    drawn, dark = code(text), set()
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", drawn.path):
        dark |= {(int(x) + step, int(y)) for step in range(int(length))}
    wanted = segno.make(text, micro=False)
    modules = {(x + 4, y + 4) for y, row in enumerate(wanted.matrix) for x, one in enumerate(row) if one}
    assert dark == modules
    assert drawn.side == wanted.symbol_size(border=4)[0]


def test_what_ends_names_its_successor_if_it_is_there() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    old = Span("old", now - timedelta(days=300), now + timedelta(days=10))
    new = Span("new", now - timedelta(days=1), now + timedelta(days=300))
    gone = Span("gone", new.begins, new.ends, now)
    for spans, wanted in (((old, new), "new"), ((old,), ""), ((old, gone), "")):
        assert timeline(spans, now).bars[0].successor == wanted
