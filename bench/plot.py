"""A picture of figures: lines over a logarithmic axis, as SVG that reads in light and in dark."""

import math
from html import escape

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 640, 360, 70, 50, 40, 130
_COLOURS = ("#2a78d6", "#c4552d", "#3a8f5c", "#8a5cc2")
_TICKS = 5


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
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'font-family="system-ui,sans-serif" font-size="13" fill="#888"><title>{escape(title)}</title>'
        f"<desc>{escape(told)}</desc>{''.join(drawn)}</svg>\n"
    )


def _step(most: float) -> float:
    """Return a round distance of ticks, so that the most fits below the last."""
    rough = (most or 1) / _TICKS
    magnitude = 10.0 ** math.floor(math.log10(rough))
    return next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough)
