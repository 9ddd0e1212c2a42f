"""How a command that stays is told to end: a wait that SIGTERM and Ctrl-C cut short, whenever they come."""

import select
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def told_to_end() -> Iterator[Callable[[float], bool]]:
    """Give a wait of so many seconds, in the main thread, that tells whether the process has been told to end.

    What is under way when the signal comes is done to its end. The handlers and the wake-up before are put back.
    """
    heard, woken = socket.socketpair()
    with heard, woken:
        woken.setblocking(False)
        # A handler runs between two lines of this very thread: one that set a `threading.Event` would wait for the
        # lock that the wait itself holds at that moment, and the process would never end. This writes, and locks not.
        before = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        handlers = {each: signal.signal(each, lambda *_: None) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            # Nobody reads what was written, so that each wait after it ends at once.
            yield lambda seconds: bool(select.select([heard], [], [], seconds)[0])
        finally:
            for each, handler in handlers.items():
                signal.signal(each, handler)
            signal.set_wakeup_fd(before)
