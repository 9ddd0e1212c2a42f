"""Pictures of figures, as SVG that reads in light and in dark: lines, and bars, over a logarithmic axis."""

import math
from collections.abc import Sequence
from html import escape

from bench.ratios import Ratio

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 640, 360, 70, 50, 40, 130
_COLOURS = ("#2a78d6", "#c4552d", "#3a8f5c", "#8a5cc2")
_TICKS = 5
_BAR, _BAR_TOP, _BAR_LEFT, _BAR_RIGHT = 22, 44, 240, 190


def lines(title: str, across: str, up: str, measured: dict[str, list[tuple[float, float]]]) -> str:
    """Return the picture: for each name its points, from left to right; both axes begin where a reader expects it."""
    points = [each for line in measured.values() for each in line]
    least, most = (math.log10(edge(x for x, _ in points)) for edge in (min, max))
    step = _step(max(y for _, y in points))

    def place(x: float, y: float) -> tuple[float, float]:
        share = (math.log10(x) - least) / ((most - least) or 1)
        return (
            _LEFT + share * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - y / (step * _TICKS) * (_HEIGHT - _BOTTOM - _TOP),
        )

    drawn = [f'<text x="{_LEFT}" y="24" font-weight="bold">{escape(title)}</text>']
    for tick in range(_TICKS + 1):
        _, y = place(10**least, tick * step)
        drawn.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#888" stroke-opacity=".3"/>')
        drawn.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick * step:g}</text>')
    drawn += [
        f'<text x="{place(x, 0)[0]:.1f}" y="{_HEIGHT - 30}" text-anchor="middle">{x:,g}</text>'
        for x in sorted({x for x, _ in points})
    ]
    drawn.append(f'<text x="{_LEFT}" y="{_HEIGHT - 8}">{escape(across)} (logarithmic), {escape(up)}</text>')
    for (name, line), colour in zip(measured.items(), _COLOURS, strict=False):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*each) for each in line))
        end_x, end_y = place(*line[-1])
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn.append(f'<text x="{end_x + 8:.1f}" y="{end_y + 4:.1f}" fill="{colour}">{escape(name)}</text>')
    told = "; ".join(f"{name}: " + ", ".join(f"{y:.0f} at {x:,g}" for x, y in line) for name, line in measured.items())
    return _picture(title, told, drawn, _HEIGHT)


def bars(title: str, measured: Sequence[Ratio]) -> str:
    """Return the picture of ratios: each bar begins at 1, where both are the same; a mark is the goal."""
    values = [each for ratio in measured for each in (ratio.value, ratio.goal or 1)]
    least, most = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    height = _BAR_TOP + _BAR * len(measured) + 40

    def place(value: float) -> float:
        return _BAR_LEFT + (math.log10(value) - least) / (most - least) * (_WIDTH - _BAR_LEFT - _BAR_RIGHT)

    drawn = [f'<text x="10" y="24" font-weight="bold">{escape(title)}</text>']
    for tick in (10.0**each for each in range(least, most + 1)):
        strength = 1 if tick == 1 else 0.3
        drawn.append(
            f'<path d="M{place(tick):.1f} {_BAR_TOP - 6}V{height - 34}" stroke="#888" stroke-opacity="{strength}"/>'
        )
        drawn.append(f'<text x="{place(tick):.1f}" y="{height - 18}" text-anchor="middle">{tick:g}</text>')
    for number, each in enumerate(measured):
        top, colour = _BAR_TOP + _BAR * number, _COLOURS[0 if each.met else 1]
        left, right = sorted((place(1), place(each.value)))
        drawn.append(f'<text x="{_BAR_LEFT - 8}" y="{top + 13}" text-anchor="end">{escape(each.name)}</text>')
        drawn.append(f'<rect x="{left:.1f}" y="{top + 2}" width="{right - left:.1f}" height="14" fill="{colour}"/>')
        if each.goal is not None:
            drawn.append(f'<path d="M{place(each.goal):.1f} {top - 1}v20" stroke="#888" stroke-width="2"/>')
        said = f"{each.value:.3g} of {_short(each.peer)}" + ("" if each.met else f", goal {each.goal:g}")
        end = max(right, place(each.goal or 1)) + 8
        drawn.append(f'<text x="{end:.1f}" y="{top + 13}" fill="{colour}">{escape(said)}</text>')
    told = "; ".join(f"{each.name}: {each.value:g} of {each.peer}" for each in measured)
    return _picture(title, told, drawn, height)


def _short(peer: str) -> str:
    return peer.partition(":")[0]


def _picture(title: str, told: str, drawn: Sequence[str], height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'font-family="system-ui,sans-serif" font-size="13" fill="#888"><title>{escape(title)}</title>'
        f"<desc>{escape(told)}</desc>{''.join(drawn)}</svg>\n"
    )


def _step(most: float) -> float:
    """Return a round distance of ticks, so that the most fits below the last."""
    rough = (most or 1) / _TICKS
    magnitude = 10.0 ** math.floor(math.log10(rough))
    return next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough)
