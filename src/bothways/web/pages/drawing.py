"""What is drawn: the colour of each step of a flow, and the bars of a timeline. Numbers alone; templates draw them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise

import segno

from bothways.connectivity.assess import EXPIRING, FlowAssessment, State, Step, StepName

_COLOURS = {
    State.NOT_STARTED: "still",
    State.IN_PROGRESS: "wait",
    State.ESTABLISHED: "good",
    State.AT_RISK: "wait",
    State.BROKEN: "bad",
    State.SUSPENDED: "bad",
}
_PLACES = {
    StepName.REQUEST: "requests",
    StepName.CERTIFICATE: "certificates",
    StepName.CONNECTED: "activity",
    StepName.ENDPOINT: "endpoint",
    StepName.CHAIN: "trust",
    StepName.PROBED: "endpoint",
}
ROW, TOP = 44, 26
"""Pixels of the timeline's drawing: the height of a row, and of the dates above. It is as wide as there is room."""
_WIDTH = 100.0
_MARGIN = 0.04
# So many dates stand side by side on a phone; near an edge one would be cut off.
_TICKS_MOST, _EDGE = 4, 9.0
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 600)


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step with its colour (`good`, `wait`, `bad`), the page where one goes on, and whether it is what to do next."""

    step: Step
    colour: str
    place: str
    next: bool


@dataclass(frozen=True, slots=True)
class Span:
    """What is valid from one moment to another; `revoked` ends it earlier, in effect; `used`: the hub has seen it."""

    label: str
    begins: datetime
    ends: datetime
    revoked: datetime | None = None
    used: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A span as it is drawn: left edge and width in percent, upper edge in pixels, colour, `due` if one has to act.

    `successor` is the label of what is valid after it, if that is there already; `successor_used`, whether it was seen.
    """

    span: Span
    x: float
    width: float
    y: float
    colour: str
    due: bool
    successor: str = ""
    successor_used: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """A drawing of spans: bars, dates with their places, where today is, and where spans overlap (left edge, width).

    What is across is in percent of the width, the height in pixels.
    """

    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, datetime], ...]
    today: float
    overlaps: tuple[tuple[float, float], ...]
    height: int


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code: the side of its square in modules, with the light margin, and the path that fills the dark ones."""

    side: int
    path: str


def code(text: str) -> Code:
    """Return the QR code of a text (ISO/IEC 18004), with the light margin of four modules that readers need."""
    rows = tuple(segno.make(text, micro=False).matrix_iter(border=4))
    runs = []
    for y, row in enumerate(rows):
        x = 0
        for dark, same in groupby(row):
            length = len(tuple(same))
            runs += [f"M{x} {y}h{length}v1h-{length}z"] if dark else []
            x += length
    return Code(len(rows), "".join(runs))


def colour_of(state: State) -> str:
    """Return the colour of a flow's state."""
    return _COLOURS[state]


def shown_steps(flow: FlowAssessment) -> tuple[ShownStep, ...]:
    """Return the steps of a flow: done is good; of a flow that is broken, what broke it is bad; the rest waits."""
    broken = flow.state is State.BROKEN
    # What broke a flow whose steps are all done is its last one: it worked, and does not any more.
    culprit = next((each for each in flow.steps if not each.done), flow.steps[-1]) if broken else None
    missing = culprit or next((each for each in flow.steps if not each.done), None)
    return tuple(
        ShownStep(each, _colour(each, flow, culprit), _PLACES[each.name], each is missing and not _waits(each))
        for each in flow.steps
    )


def timeline(spans: Sequence[Span], now: datetime, others: Sequence[Span] = ()) -> Timeline:
    """Return the drawing of spans, which is as wide as all of them and today together.

    `others` are not drawn, and can be the successors of those that are.
    """
    among = (*spans, *others)
    first = min([now - timedelta(days=30), *(each.begins for each in spans)])
    last = max([now + timedelta(days=30), *(each.ends for each in spans)])
    room = (last - first) * _MARGIN
    first, whole = first - room, (last - first) + 2 * room

    def x(moment: datetime) -> float:
        return round(_WIDTH * ((moment - first) / whole), 1)

    bars = tuple(
        _bar(each, x(each.begins), x(each.ends), TOP + ROW * row, now, _successor(each, among))
        for row, each in enumerate(spans)
    )
    months = ((x(moment), moment) for moment in _months(first, first + whole))
    ticks = tuple(each for each in months if _EDGE < each[0] < _WIDTH - _EDGE)
    return Timeline(bars, ticks, x(now), _overlaps(spans, x), TOP + ROW * len(spans) + 8)


def _waits(step: Step) -> bool:
    return step.under_review and not step.done


def _colour(step: Step, flow: FlowAssessment, culprit: Step | None) -> str:
    if step is culprit:
        return "bad"
    if step.done:
        return "good"
    # Under way and yet without a request: the last one was refused.
    return "bad" if step.name is StepName.REQUEST and flow.state is State.IN_PROGRESS else "wait"


def _months(first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield the firsts of months between two moments, as many months apart as leaves few of them."""
    begins, ends = (each.year * 12 + each.month - 1 for each in (first, last))
    apart = next((each for each in _MONTHS if (ends - begins) // each <= _TICKS_MOST), _MONTHS[-1])
    for month in range(begins + 1, ends + 1):
        if month % apart == 0:
            yield datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def _bar(span: Span, begins: float, ends: float, y: float, now: datetime, following: Span | None) -> Bar:
    due = span.revoked is None and now < span.ends and span.ends - now < EXPIRING
    colour = "still" if span.revoked or span.ends <= now else "wait" if due else "good"
    next_, used = (following.label, following.used) if following else ("", False)
    return Bar(span, begins, max(0.5, round(ends - begins, 1)), y, colour, due, next_, used)


def _successor(span: Span, spans: Sequence[Span]) -> Span | None:
    later = [each for each in spans if each.revoked is None and each.begins <= span.ends < each.ends]
    return max(later, key=lambda each: (each.used, each.ends)) if later else None


def _overlaps(spans: Sequence[Span], x: Callable[[datetime], float]) -> tuple[tuple[float, float], ...]:
    living = sorted((each for each in spans if each.revoked is None), key=lambda each: each.begins)
    found = []
    for earlier, later in pairwise(living):
        if later.begins < (end := min(earlier.ends, later.ends)):
            found.append((x(later.begins), round(x(end) - x(later.begins), 1)))
    return tuple(found)
