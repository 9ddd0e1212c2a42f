import io
from collections.abc import Callable, Iterator

from bothways.cli.progress import Progress


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        return True


def ticking(*moments: float) -> Callable[[], float]:
    clock: Iterator[float] = iter(moments)
    return lambda: next(clock)


def test_a_log_gets_a_line_every_five_seconds_and_one_at_the_end() -> None:
    log = io.StringIO()
    progress = Progress(1000, "requests", log, ticking(0.0, 1.0, 4.9, 5.0, 5.0, 9.0, 10.0))
    for _ in range(4):
        progress.step()
    progress.end()
    assert log.getvalue() == "3 of 1000 requests, 1 a second\n4 of 1000 requests, 0 a second\n"


def test_a_terminal_gets_one_line_that_is_written_anew_and_wiped() -> None:
    screen = Terminal()
    progress = Progress(2, "requests", screen, ticking(0.0, 0.05, 0.1, 0.1, 0.2))
    progress.step()
    progress.step()
    progress.end()
    first, second = screen.getvalue().removeprefix("\r").split("\r")
    assert first.rstrip() == "2 of 2 requests, 20 a second"
    assert second.rstrip() == "2 of 2 requests, 10 a second"
    assert len(first) == len(second.removesuffix("\n")) == 60
    assert second.endswith("\n")


def test_nothing_done_in_no_time_has_no_rate() -> None:
    log = io.StringIO()
    Progress(0, "requests", log, ticking(1.0, 1.0)).end()
    assert log.getvalue() == "0 of 0 requests\n"
