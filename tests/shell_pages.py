"""The shell blocks of the documentation, and terminals to run them in, on a network of their own where there is one.

What stands behind `sh` on the fence of a block says how it is run: nothing, to its end; `listens on 9443`, in a
terminal of its own, until that port takes connections; `not run: WHY`, not at all.
"""

import fcntl
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.processes import processes_in
from tests.programs import require

DOCS = Path(__file__).parent.parent / "docs"
PROGRAMS = ("bash", "curl", "openssl")
PORTS = (8443, 8444, 9000, 9443, 15001, 15002)
"""The ports that the pages name: they are taken where the machine has no network of its own for them."""

TUTORIALS = ("tutorial-operator", "tutorial-customer")
ALIVE = (
    "api",
    "check",
    "doctor",
    "egress",
    "est",
    "probe",
    "trouble",
    *sorted(each.stem for each in DOCS.glob("howto-*.md")),
)
"""Pages whose commands want a hub that runs: they are run where the tutorials were."""
PLACES = {"/etc/bothways": "bank", "/var/lib/bothways/PPR": "hub", "/mnt/elsewhere": "elsewhere", "/etc/ssl": "ssl"}
"""Where on a test's machine is what the pages name."""

_ENVIRONMENT = {"ROOT": str(DOCS.parent), "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
"""Where the project is, for what `tests/pages` has; and pip fetches nothing: what a page installs has to be here."""

LISTENS, NOT_RUN = "listens on ", "not run: "
_FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_SECONDS = 120.0
_START = 120.0
"""A program that starts on a machine under load."""

_LOOPBACK_UP = (
    "import fcntl, socket, struct, sys\n"
    "with socket.socket() as any: fcntl.ioctl(any, 0x8914, struct.pack('16sH14x', b'lo', 1))\n"  # SIOCSIFFLAGS, IFF_UP
    "print('up', flush=True)\n"
    "sys.stdin.read()\n"
)


class Block(NamedTuple):
    """A fenced block: where it stands, its language, what else the fence says, and its text."""

    page: str
    line: int
    language: str
    said: str
    text: str


def blocks(page: str) -> list[Block]:
    """Return all fenced blocks of a page, by its file's name without `.md`."""
    whole = (DOCS / f"{page}.md").read_text()
    found = []
    for match in _FENCE.finditer(whole):
        language, _, said = match[2].partition(" ")
        line = whole.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, language, said, textwrap.dedent(match[3])))
    return found


def shell(page: str) -> list[Block]:
    """Return the shell blocks of a page that are run."""
    return [each for each in blocks(page) if each.language == "sh" and not each.said.startswith(NOT_RUN)]


class Machine:
    """A directory and a network, in which terminals are opened; what runs in them ends with it."""

    def __init__(self, directory: Path, network: Sequence[str], stack: ExitStack) -> None:
        self.directory, self._network, self._stack = directory, network, stack

    def start(self, command: Sequence[str], place: Path, **streams: Any) -> "subprocess.Popen[bytes]":
        """Start a command, which ends with the machine."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        process = subprocess.Popen(
            [*self._network, *command],
            cwd=place,
            start_new_session=True,
            env=os.environ | _ENVIRONMENT | {"PATH": path, "HOME": str(self.directory)},
            **streams,
        )
        self._stack.callback(_end, process)
        return process

    def listen(self, text: str, port: int, place: Path) -> None:
        """Run a text in a terminal of its own, and wait until its port takes connections."""
        log = self.directory / f"terminal-{port}.log"
        with log.open("wb") as said:
            process = self.start(["bash", "-ec", text], place, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        knock = [*self._network, "bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"]
        end = time.monotonic() + _START
        while subprocess.run(knock, capture_output=True, check=False, timeout=_SECONDS).returncode:
            assert process.poll() is None, f"{text}\nended with {process.returncode}\n{log.read_text()}"
            assert time.monotonic() < end, f"{text}\nnothing listens on port {port}\n{log.read_text()}"
            time.sleep(0.1)


class Terminal:
    """A shell that somebody types one block after the other into; a block that fails ends it."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._said, self._heard = machine.directory / "said", machine.directory / "heard"
        self._process = machine.start(["bash"], machine.directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.prepare(f"set -eo pipefail; SAID='{self._said}'")

    def prepare(self, text: str) -> None:
        """Type what is not on the page: `$SAID` is the file with what the last block printed."""
        self._type(text, Path(os.devnull))

    def follow(self, block: Block, text: str = "") -> str:
        """Do with a block what its fence says, and return what it printed; `text` is what stands in it, filled in."""
        if block.said.startswith(LISTENS):
            place = Path(f"/proc/{self._process.pid}/cwd").readlink()
            self._machine.listen(text or block.text, int(block.said.removeprefix(LISTENS)), place)
            return ""
        self._type(text or block.text, self._said)
        return self._said.read_text()

    def _type(self, text: str, said: Path) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{{\n{text}\n}} </dev/null >'{said}' 2>'{self._heard}'\necho $?\n".encode())
        stdin.flush()
        ended = select.select([stdout], [], [], _SECONDS)[0]
        status = stdout.readline() if ended else b"no end\n"
        assert status == b"0\n", f"{text}\n{status.decode()}{said.read_text()}\n{self._heard.read_text()}"


def follow_page(here: Machine, page: str, fill: Callable[[str], str], run: set[str]) -> None:
    """Run a page's blocks in their order in one terminal; `fill` puts the names of this machine where the page's stand.

    `tests/pages/PAGE.sh` does what the page takes for granted, and `before_N` in it what is done before its block N.
    What was `run` already, on another page, is not run again.
    """
    terminal, granted = Terminal(here), DOCS.parent / "tests" / "pages" / f"{page}.sh"
    terminal.prepare(granted.read_text() if granted.is_file() else ":")
    for number, block in enumerate(shell(page), 1):
        if block.text not in run:
            run.add(block.text)
            terminal.prepare(f"if declare -F before_{number} >/dev/null; then before_{number}; fi")
            text = fill(block.text)
            for printed, meant in PLACES.items():
                text = text.replace(printed, f"{here.directory}/{meant}")
            terminal.follow(block, text)


@contextmanager
def machine(*pages: str) -> Iterator[Machine]:
    """Yield an empty machine for some pages, with a network of its own if something listens on one of them.

    Its path is short, because unix sockets have short names.
    """
    require(*PROGRAMS)
    with tempfile.TemporaryDirectory(prefix="page-") as place, ExitStack() as stack:
        stack.callback(_end_all, Path(place))
        listens = any(block.said.startswith(LISTENS) for page in pages for block in shell(page))
        yield Machine(Path(place), _network(stack) if listens else [], stack)


def _network(stack: ExitStack) -> list[str]:
    """Return what puts a command into a network of its own: nothing where the system has none, but the ports."""
    holder = _holder(stack)
    if holder is not None:
        return ["nsenter", f"--target={holder}", "--user", "--net", "--preserve-credentials"]
    lock = stack.enter_context((Path(tempfile.gettempdir()) / "bothways-ports-of-the-pages").open("w"))
    fcntl.flock(lock, fcntl.LOCK_EX)
    for port in PORTS:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                pytest.skip(f"port {port}, which the pages name, is in use, and `unshare --net` is refused here")
    return []


def _holder(stack: ExitStack) -> int | None:
    """Start a process with a network of its own, and return its id; it ends when this process does."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        return None
    command = ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-c", _LOOPBACK_UP]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    stack.enter_context(holder)
    assert holder.stdout is not None
    return holder.pid if holder.stdout.readline() == b"up\n" else None


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and what it started, in good order."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with process:
        process.wait(_SECONDS)


def _end_all(directory: Path) -> None:
    """End what works in a directory still: an Envoy goes on when its hub has ended for a reason of its own."""
    end = time.monotonic() + _SECONDS
    while left := processes_in(directory):
        assert time.monotonic() < end, f"processes {left} work in {directory} and do not end"
        for each in left:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGTERM)
        time.sleep(0.1)
