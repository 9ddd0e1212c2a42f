"""The one map from what happened to exit codes, which are part of the agreement with users."""

from bothways.errors import (
    BothwaysError,
    Conflict,
    NotAuthenticated,
    NotAuthorized,
    NotFound,
    Proposed,
    Refused,
    Unreachable,
    Unusable,
)

OK = 0
FAILED = 1
USAGE = 2
NETWORK = 3
NOT_AUTHORIZED = 4
EXPIRING = 5
INTERRUPTED = 130
"""128 and the number of SIGINT, as shells have it."""

CODES: dict[type[BothwaysError], int] = {
    Proposed: OK,
    Refused: FAILED,
    NotFound: USAGE,
    Conflict: USAGE,
    Unusable: USAGE,
    Unreachable: NETWORK,
    NotAuthenticated: NOT_AUTHORIZED,
    NotAuthorized: NOT_AUTHORIZED,
}
"""The code of each error; what none of them stands for, `exit_code` decides."""


def exit_code(error: Exception) -> int:
    """Return the exit code for an error.

    One that nobody foresaw has `USAGE` if the operating system said no to something in the set-up, otherwise `FAILED`.
    """
    unforeseen = USAGE if isinstance(error, OSError) else FAILED
    return next((code for kind, code in CODES.items() if isinstance(error, kind)), unforeseen)
