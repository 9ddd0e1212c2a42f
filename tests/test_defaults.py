"""Each limit and time-out that the code names stands in `docs/defaults.md`, by its value and unit."""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "bothways"
PAGE = (ROOT / "docs" / "defaults.md").read_text()

LIMITS = re.compile(
    r"_(LIMIT|MOST|LEAST|TIMEOUT|SECONDS|MILLISECONDS|KEPT|AT_ONCE|INTERVAL|RETRY|BACK_OFF|VALIDITY|LIFE|DAYS|BYTES|"
    r"LOOK|AGAIN|AGE|IDLE|PATIENCE|QUIET|EVERY|OVERLAP|BURST|DELIVERY|LONGEST|REUSED|APART)(_|$)"
)
TIMES = re.compile(r"TIMEOUT|SECONDS|INTERVAL|BACK_OFF|LOOK|AGAIN|AGE|IDLE|PATIENCE|QUIET|EVERY|DELIVERY")
"""How limits are called in the code, and those of them that are seconds."""

NONE_OF_OURS = {
    "registry/node.py: _PORT_MOST": "a port has 16 bits",
    "cli/output.py: _ROW_MOST": "the largest number of a row in SQLite",
    "web/api/inputs.py: NUMBER_MOST": "the largest whole number that every reader of JSON takes (RFC 8259 section 6)",
    "demo/customer_ca.py: _DAYS": "of certificates in the demo",
    "pki/der.py: _ARC_BITS_MOST": "as the library takes them",
}
UNITS = ((timedelta(days=1), "days?"), (timedelta(hours=1), "hours?|h"), (timedelta(minutes=1), "minutes?"))


class Limit(NamedTuple):
    """A constant of a module, and its value."""

    name: str
    value: int | float | timedelta


def limits() -> Iterator[Limit]:
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign):
                for name, value in _pairs(node.targets[0], node.value):
                    if LIMITS.search(f"_{name}") and isinstance(value, int | float | timedelta):
                        yield Limit(f"{path.relative_to(SOURCE).as_posix()}: {name}", value)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, object]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, other in zip(target.elts, value.elts, strict=True):
            yield from _pairs(one, other)
    elif isinstance(target, ast.Name) and not {each.id for each in ast.walk(value) if isinstance(each, ast.Name)} - {
        "timedelta"
    }:
        try:
            yield target.id, eval(ast.unparse(value), {"timedelta": timedelta})  # noqa: S307 - what we wrote ourselves
        except (TypeError, ValueError):
            return


def spelled(limit: Limit) -> str:
    """Return the pattern of what a person writes for a value: with its unit, or in a range of which the end has it."""
    name, value = limit
    if isinstance(value, timedelta) or TIMES.search(name) or isinstance(value, float):
        return _time(
            value if isinstance(value, timedelta) else timedelta(seconds=value / (1000 if "MILLI" in name else 1))
        )
    sizes = "".join(
        rf"|{value // size:,} {unit}"
        for size, unit in ((1 << 10, "KiB"), (1 << 20, "MiB"), (1 << 30, "GiB"), (1 << 40, "TiB"))
        if value >= size and not value % size
    )
    return rf"{value:,}|{value}{sizes}"


def _time(value: timedelta) -> str:
    ways = [_counted(f"{value.total_seconds():,.10g}", "s|seconds?|Hz")]
    ways += [_counted(f"{value.total_seconds() * 1000:,.10g}", "ms|milliseconds?")]
    ways += [_counted(f"{1 / value.total_seconds():.10g}", "times a second")] if value else []
    ways += [_counted(f"{value / unit:g}", words) for unit, words in UNITS if not value % unit]
    ways += [rf"(?:an?|each|every|once an?) (?:{words})\b" for unit, words in UNITS if value == unit]
    ways += [r"each second|once a second"] if value == timedelta(seconds=1) else []
    ways += [_counted(f"{value.days // 365}", "years?")] if value.days % 365 < 4 and value.days else []
    return "|".join(ways)


def _counted(number: str, words: str) -> str:
    return rf"{re.escape(number)}(?: s?)?[^|\n]{{0,24}}? (?:{words})\b"


@pytest.mark.parametrize("limit", [*limits()], ids=lambda each: each.name)
def test_a_limit_has_its_reason(limit: Limit) -> None:
    """A new one gets a row in `docs/defaults.md`; what a standard or a library fixes is named above."""
    assert limit.name in NONE_OF_OURS or re.search(rf"(?<![\w.,])(?:{spelled(limit)})(?![\w])", PAGE), limit.value


def test_what_is_none_of_ours_is_there() -> None:
    assert NONE_OF_OURS.keys() <= {each.name for each in limits()}


@pytest.mark.parametrize(
    ("limit", "row"),
    [
        (Limit("_TIMEOUT", 17.0), "17 s"),
        (Limit("_PATIENCE", 0.25), "250 ms"),
        (Limit("_QUIET_LEAST", 0.2), "0.2 to 1.5 s"),
        (Limit("AGAIN", timedelta(minutes=1)), "after a minute"),
        (Limit("_LIMIT", 1 << 28), "256 MiB"),
        (Limit("KEY_MOST", 1255), "1,255"),
    ],
)
def test_a_value_is_found_with_its_unit_and_not_without(limit: Limit, row: str) -> None:
    assert re.search(spelled(limit), f"| a thing | {row} | because |")
    assert not re.search(spelled(limit), "| a thing | 17, 0.25, 0.2, 60, 256 | 2255 s, 1 KiB |")
