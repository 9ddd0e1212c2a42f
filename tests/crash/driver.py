"""Kills an operation at every point at which it writes, opens the hub again, and looks at what is left.

`python -m tests.crash.driver points TEMPLATE OPERATION` runs the operation on copies of a hub, in processes that kill
themselves with SIGKILL at the first point, then at the second, and so on, until one comes to its end. A point is before
each statement that writes, and before and after each commit and each signature; behind a statement is none, for what it
did is lost either way until the commit. After each kill the hub is opened, what was cut off is finished (killed at each
of its own points too), everything is checked, and the operation is done again.
`... loop HUB` does operations for ever, for somebody else to kill.
`... at-once HUB`, with a JSON list of operations on stdin, does each in a process of its own, all at once, and prints
what became of each.
`... check HUB` finishes what was cut off, and checks everything.
Nothing in the hub knows of this: the points are events of SQLAlchemy, and a key that is watched.
"""

import json
import os
import random
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import event
from tests.crash import lifecycle, outbound
from tests.crash.checks import check
from tests.crash.copies import copy_hub, make_template, remove_hub
from tests.crash.lifecycle import TSP_ID, approve_many, refuse, requests_in, revoke
from tests.crash.notes import ACKNOWLEDGED, SIGNED, note
from tests.places import memory

from bothways.errors import Conflict, Refused
from bothways.operations import issuing
from bothways.operations.certificates import list_certificates
from bothways.operations.hub import Hub, open_hub
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.revocation import lists_due
from bothways.operations.upkeep import upkeep
from bothways.pki.issue import Unsigned
from bothways.pki.revocation import UnsignedList
from bothways.signer.signer import Signer

# What begins a transaction that writes, in SQLite and in PostgreSQL, and what writes.
_WRITING = ("BEGIN IMMEDIATE", "SELECT PG_ADVISORY_XACT_LOCK", "INSERT", "UPDATE", "DELETE")


class Points:
    """Counts the points that are passed; at number `deadly` the process is killed, as by `kill -9`."""

    def __init__(self, deadly: int) -> None:
        self._deadly = deadly
        self._passed = 0
        self._wrote = False

    def here(self) -> None:
        """Pass a point."""
        self._passed += 1
        if self._passed == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    def statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        """Pass a point, if the statement writes: between two that only read, nothing changes."""
        if statement.lstrip().upper().startswith(_WRITING):
            self._wrote = True
            self.here()

    def watch(self, hub: Hub) -> None:
        """Put points before each statement that writes, and around its commit and each signature of the hub."""
        engine = hub.database._base
        event.listen(engine, "before_cursor_execute", self.statement)
        commit = engine.dialect.do_commit

        def do_commit(connection: Any) -> None:
            wrote, self._wrote = self._wrote, False
            if wrote:
                self.here()
            commit(connection)
            if wrote:
                self.here()

        setattr(engine.dialect, "do_commit", do_commit)  # noqa: B010 - as the line below, mypy refuses the plain form
        signer_of = hub.keys.signer_of
        setattr(hub.keys, "signer_of", lambda *named: Watched(signer_of(*named), self, hub.directory))  # noqa: B010


class Watched:
    """A key that writes down what it signed before anybody gets the signature."""

    def __init__(self, signer: Signer, points: Points, directory: Path) -> None:
        self._signer = signer
        self._points = points
        self._directory = directory

    @property
    def public_key(self) -> Any:
        """The public part."""
        return self._signer.public_key

    def sign(self, unsigned: Unsigned | UnsignedList) -> bytes:
        """Sign, with a point before and one after."""
        self._points.here()
        signature = self._signer.sign(unsigned)
        if isinstance(unsigned, Unsigned):
            # A revocation list that is signed and not stored was seen by nobody; the next one takes its number.
            note(self._directory, SIGNED, unsigned.der.hex())
        self._points.here()
        return signature


def finish(hub: Hub) -> None:
    """Do what a hub does when it starts."""
    if problems := upkeep(hub).problems:
        raise RuntimeError("; ".join(problems))


@contextmanager
def opened(directory: Path) -> Iterator[Hub]:
    """Open the hub, with small groups, so that an operation has several."""
    issuing.GROUP = 2
    with open_hub(directory, "crash") as hub:
        yield hub


def killed(directory: Path, operation: Callable[[Hub], None], deadly: int) -> bool:
    """Run an operation in a process of its own that dies at a point; tell whether it did."""
    if (pid := os.fork()) == 0:
        with opened(directory) as hub:
            Points(deadly).watch(hub)
            operation(hub)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if status != 0:
        raise SystemExit(f"the operation failed at point {deadly}: status {status}")
    return False


def every_recovery(directory: Path) -> int:
    """Finish what was cut off, killed at each of its points on the way; return how many there were."""
    points = 0
    while killed(directory, finish, 1 + points):
        points += 1
    return points


def cut_off(directory: Path) -> tuple[int, int]:
    """Return how many certificates are approved and not signed, and how many revocation lists are due."""
    with opened(directory) as hub:
        due = sum(moment <= hub.now() for _, moment in lists_due(hub))
        return sum(each.der is None for each in list_certificates(hub)), due


def rehearse(template: Path, operation: Callable[[Hub], None]) -> None:
    """Do it once in this process, so that its forks inherit what is loaded only when it is needed (pkilint is slow)."""
    directory = template.with_name("rehearsal")
    copy_hub(template, directory)
    with opened(directory) as hub:
        operation(hub)
    remove_hub(directory)


def every_point(template: Path, operation: Callable[[Hub], None]) -> tuple[int, int]:
    """Kill the operation at each point, each time on a new copy; return the points, and those of the recoveries."""
    rehearse(template, operation)
    points = 0
    recoveries: dict[tuple[int, int], int] = {}
    alive = False
    while not alive:
        directory = template.with_name(f"{operation.__name__}-{points}")
        copy_hub(template, directory)
        alive = not killed(directory, operation, 1 + points)
        # Killed on its way once for each amount of work: where the kill was before does not matter to it.
        if (left := cut_off(directory)) not in recoveries:
            recoveries[left] = every_recovery(directory)
        with opened(directory) as hub:
            finish(hub)
            check(hub, finished=True)
            # Whoever had no answer asks again.
            operation(hub)
            check(hub)
        remove_hub(directory)
        points += 0 if alive else 1
    return points, sum(recoveries.values())


def loop(directory: Path) -> None:
    """Do operations for ever, in any order, beside others that may do the same."""
    chance = random.Random(os.getpid())  # noqa: S311 - nothing secret
    with opened(directory) as hub:
        Points(0).watch(hub)
        prepared = requests_in(hub)
        subject = x509.load_pem_x509_csr(prepared[0]).subject
        while True:
            new = x509.CertificateSigningRequestBuilder(subject).sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
            try:
                stored = submit_request(hub, TSP_ID, chance.choice([*prepared, new.public_bytes(Encoding.PEM)]))
                note(directory, ACKNOWLEDGED, f"submitted {stored.id}")
                step = chance.choice([approve_many, approve_many, refuse, revoke, finish])
                step(hub)
            except (Conflict, IndexError, Refused):
                # Somebody else decided it first, there is nothing to revoke yet, or the key was banned.
                continue


def at_once(directory: Path, jobs: list[list[str]]) -> list[str]:
    """Do each of the jobs in a process of its own, which has opened the hub before the first one starts."""
    waiting, start = os.pipe()
    children = []
    for number, job in enumerate(jobs):
        if (pid := os.fork()) == 0:
            os.close(start)
            with opened(directory) as hub:
                os.read(waiting, 1)
                (directory / f"outcome-{number}").write_text(outcome(hub, *job))
            os._exit(0)
        children.append(pid)
    # All that wait for a byte see the end at once.
    os.close(start)
    assert {os.waitpid(pid, 0)[1] for pid in children} == {0}
    return [(directory / f"outcome-{number}").read_text() for number in range(len(jobs))]


def outcome(hub: Hub, what: str, *arguments: str) -> str:
    """Do one thing; return its number, or the ids of the findings, or the kind of error."""
    try:
        if what == "submit":
            return str(submit_request(hub, arguments[0], Path(arguments[1]).read_bytes()).id)
        return approve_request(hub, int(arguments[0])).serial
    except Refused as error:
        return " ".join(finding.id for finding in error.findings)
    except Conflict:
        return "conflict"


def main(what: str, directory: Path, name: str = "") -> None:
    """Do what the command line says."""
    if what == "loop":
        loop(directory)
    elif what == "at-once":
        print(json.dumps(at_once(directory, json.load(sys.stdin))))  # noqa: T201 - for the test that started it
    elif what == "check":
        with opened(directory) as hub:
            finish(hub)
            check(hub, finished=True)
    else:
        with tempfile.TemporaryDirectory(dir=memory()) as place:
            template = Path(place) / "template"
            make_template(directory, template)
            points, recoveries = every_point(template, {**lifecycle.OPERATIONS, **outbound.OPERATIONS}[name])
            remove_hub(template)
        print(points, recoveries)  # noqa: T201 - for the test that started it


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
