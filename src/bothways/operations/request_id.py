"""The id of the request in which something is done: one for the answer's header, the audit and the logs."""

import re
import secrets
from contextvars import ContextVar

_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """Return the id of the request that is being answered, in this task or thread; empty outside of one."""
    return _current.get()


def begin(given: str = "") -> str:
    """Begin a request, and return its id: `given` if it can be one (the audit keeps 64 characters), else a new one.

    It holds in this task, and in the tasks and threads that are begun in it; it is not taken back, so that whatever
    is logged of the request after its end names it too.
    """
    chosen = given if _WELL_FORMED.fullmatch(given) else f"web-{secrets.token_hex(8)}"
    _current.set(chosen)
    return chosen
