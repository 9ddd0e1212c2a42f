"""The drawings of the documentation, made of data: both flows, the states of a flow, who trusts whom.

Each is one SVG with a title and a description for those who do not see it, and with the colours of both schemes inside.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from bothways.connectivity.assess import FlowAssessment, State, assess
from bothways.connectivity.facts import Facts
from bothways.registry.flow import Flow
from bothways.store.authorities import Role
from bothways.web.pages.drawing import colour_of

_LIGHT = {
    "text": "fill: #16202b",
    ".small": "fill: #4a5665",
    ".box": "fill: #fff; stroke: #808b99",
    ".line": "stroke: #0b57b8",
    ".head": "fill: #0b57b8",
    ".ground": "fill: #f5f6f8",
    ".good": "fill: #e2f4e8; stroke: #136b3a",
    ".wait": "fill: #fdf0d5; stroke: #7a4a00",
    ".bad": "fill: #fce6e4; stroke: #a81818",
    ".still": "fill: #e9edf1; stroke: #4a5665",
}
_DARK = {
    "text": "fill: #e8edf2",
    ".small": "fill: #aab6c3",
    ".box": "fill: #18202a; stroke: #8795a5",
    ".line": "stroke: #7db6ff",
    ".head": "fill: #7db6ff",
    ".ground": "fill: #10151b",
    ".good": "fill: #11301f; stroke: #7bd8a0",
    ".wait": "fill: #3a2a08; stroke: #f0c069",
    ".bad": "fill: #43161a; stroke: #ff9d95",
    ".still": "fill: #232d38; stroke: #aab6c3",
}
_SHAPES = {
    "text": 'font: 15px system-ui, "Noto Sans", sans-serif',
    ".small": "font-size: 12.5px",
    ".strong": "font-weight: 600",
    ".line": "stroke-width: 2; fill: none",
}

_STEPS = {
    "request": "request (CSR)",
    "certificate": "certificate",
    "connected": "first call",
    "endpoint": "server named",
    "chain": "CA chain endorsed",
    "probed": "probe passed",
}
_STATES = {
    State.NOT_STARTED: "nothing was handed in yet",
    State.IN_PROGRESS: "some steps are done, one waits",
    State.ESTABLISHED: "every step is done, and was seen",
    State.AT_RISK: "it works, and something ends or fails soon",
    State.BROKEN: "it worked, and does not any more",
    State.SUSPENDED: "the operator shut it; nothing passes",
}
_MARKS = {"good": "✓", "wait": "◔", "bad": "✕", "still": "○"}
_ISSUED = {
    Role.ISSUING: ("issuing CA (hub)", "the customer's client certificate", "trusted by the hub's endpoint"),
    Role.SERVER: ("server CA (hub)", "the certificate of the hub's endpoint", "trusted by the customer's client"),
    Role.CLIENT: (
        "Client CA (hub)",
        "the hub's client certificate",
        "trusted by the customer's server; it alone, never the certificate",
    ),
    None: (
        "the customer's own CA",
        "the certificate of the customer's server",
        "trusted by the hub once endorsed, for this customer alone",
    ),
}
"""What each CA signs, and who trusts it for that: R6, R12, R14, R15. The node CA is nobody's whom a customer meets."""


def drawings() -> dict[str, str]:
    """Return each drawing by its file's name."""
    return {"flows.svg": _flows(), "states.svg": _states(), "trust.svg": _trust()}


def _flows() -> str:
    assessment = assess(Facts(), datetime(2026, 1, 1, tzinfo=UTC))
    said, parts = [], []
    for row, flow in enumerate((assessment.inbound, assessment.outbound)):
        callers = (
            ("the customer's host", "the hub") if flow.flow is Flow.INBOUND else ("the hub", "the customer's host")
        )
        steps = [_STEPS[each.name] for each in flow.steps]
        said.append(
            f"{flow.flow.value.capitalize()}: {callers[0]} calls {callers[1]}. Established by: {', '.join(steps)}."
        )
        parts.append(_flow(flow, callers, steps, 10 + 150 * row))
    return _svg(760, 310, "The two flows", " ".join(said), parts)


def _flow(flow: FlowAssessment, callers: tuple[str, str], steps: Sequence[str], y: int) -> str:
    left, right = callers
    numbered = [f"{number}. {each}" for number, each in enumerate(steps, 1)]
    return "".join(
        [
            _box("box", 10, y + 25, 190, 60, left),
            _box("box", 560, y + 25, 190, 60, right),
            _text(380, y + 18, f"{flow.flow.value} flow", "strong"),
            _arrow(204, 556, y + 55),
            _text(380, y + 46, "mutual TLS 1.2 or 1.3", "small"),
            _text(380, y + 110, " → ".join(numbered), "small"),
        ]
    )


def _states() -> str:
    parts = []
    for row, (state, meaning) in enumerate(_STATES.items()):
        y = 10 + 52 * row
        colour = colour_of(state)
        parts.append(_box(colour, 10, y, 210, 42, f"{_MARKS[colour]} {state.value}"))
        parts.append(_text(240, y + 26, meaning, "", "start"))
    said = " ".join(f"{state.value.capitalize()}: {meaning}." for state, meaning in _STATES.items())
    return _svg(620, 20 + 52 * len(_STATES), "The states of a flow", said, parts)


def _trust() -> str:
    parts = []
    for row, (signer, signed, trusted) in enumerate(_ISSUED.values()):
        y = 10 + 84 * row
        parts += [
            _box("box", 10, y + 6, 220, 48, signer),
            _arrow(234, 316, y + 30),
            _text(275, y + 22, "signs", "small"),
            _box("box", 320, y + 6, 410, 48, signed),
            _text(525, y + 72, trusted, "small"),
        ]
    said = " ".join(
        f"The {signer.removeprefix('the ')} signs {signed}; {trusted}." for signer, signed, trusted in _ISSUED.values()
    )
    return _svg(740, 20 + 84 * len(_ISSUED), "Who signs, and who trusts", said, parts)


def _box(kind: str, x: int, y: int, width: int, height: int, text: str) -> str:
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>' + _text(
        x + width // 2, y + height // 2 + 5, text, "strong"
    )


def _arrow(left: int, right: int, y: int) -> str:
    return f'<path class="line" d="M{left} {y}H{right - 8}"/><path class="head" d="M{right - 10} {y - 6}l10 6-10 6z"/>'


def _text(x: int, y: int, text: str, kind: str, anchor: str = "middle") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(text, quote=False)}</text>'


def _svg(width: int, height: int, title: str, said: str, parts: Sequence[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"',
            ' role="img" aria-labelledby="t d">',
            f'<title id="t">{escape(title)}</title>',
            f'<desc id="d">{escape(said)}</desc>',
            "<style>",
            *(_rules(each) for each in (_SHAPES, _LIGHT)),
            f"@media (prefers-color-scheme: dark) {{\n{_rules(_DARK)}\n}}",
            "</style>",
            f'<rect class="ground" width="{width}" height="{height}" rx="8"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _rules(styles: dict[str, str]) -> str:
    return "\n".join(f"{selector} {{ {rules} }}" for selector, rules in styles.items())
