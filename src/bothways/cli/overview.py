"""The overview: what `bothways` says when it is asked for nothing more. Text out of the tables of commands alone."""

from textwrap import wrap

from bothways.cli.commands import ALONE, EXIT_CODES, GROUPS, TAGLINE

_WIDTH_LEAST, _WIDTH_MOST = 60, 100
_OPTIONS = {"--help (-h)": "Display this message and exit.", "--version": "Display application version."}


def overview(columns: int) -> str:
    """Return the overview for a terminal of so many columns."""
    width = min(max(columns, _WIDTH_LEAST), _WIDTH_MOST)
    lines = {name: line for name, (line, _) in GROUPS.items()} | {name: line for name, (_, line) in ALONE.items()}
    rows = dict(sorted(lines.items())) | _OPTIONS
    place = 2 + max(map(len, rows)) + 2
    text = ["Usage: bothways COMMAND", "", *wrap(TAGLINE, width), "", "Commands:"]
    for name, line in rows.items():
        first, *rest = wrap(line, width - place)
        text += [f"  {name}".ljust(place) + first, *(" " * place + each for each in rest)]
    text += ["", "bothways COMMAND --help says more of each.", "", *wrap(EXIT_CODES, width)]
    return "\n".join(text)
