"""An Envoy for one question: started with files of its own, asked once at its socket, and ended."""

import asyncio
import os
import signal
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx2

from bothways import files
from bothways.dataplane.admin import answers
from bothways.dataplane.child import ending_with
from bothways.dataplane.envoy import last_line
from bothways.dataplane.local import over_socket_async
from bothways.errors import Unusable

PATIENCE = 20.0
"""Seconds for all of it: a start, which mostly takes a fifth of one, and the answer."""

_LOOK = 0.01
_LOG = "envoy.log"


async def ask_once(
    binary: Path, contents: Callable[[Path], Mapping[str, bytes]], bootstrap: str, socket: str, path: str
) -> httpx2.Response:
    """Return what comes out of an Envoy at a GET of this path.

    `contents` gives its files for the directory that is made for it, and taken away again; `bootstrap` and `socket`
    are names in there. Raises `Unusable` if there is no answer in time, or Envoy does not start.
    """
    with _directory() as name:
        place = Path(name)
        for each, content in contents(place).items():
            files.write_new(place / each, content, files.PRIVATE)
        command = [str(binary), "--config-path", str(place / bootstrap), "--disable-hot-restart", "--concurrency", "1"]
        command += ["--log-path", str(place / _LOG), "--log-level", "warning"]
        with (place / _LOG).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *ending_with(os.getpid(), command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(PATIENCE):
                while not answers(place / socket):
                    if process.returncode is not None:
                        raise Unusable(f"Envoy does not start: {last_line(place / _LOG)}")
                    await asyncio.sleep(_LOOK)
                async with httpx2.AsyncClient(transport=over_socket_async(place / socket), timeout=PATIENCE) as client:
                    return await client.get(f"http://envoy{path}")
        except (TimeoutError, httpx2.HTTPError) as error:
            why = f"no answer came out of Envoy ({str(error) or f'in {PATIENCE:.0f} s'})"
            raise Unusable(why) from error
        finally:
            # Nothing of it is needed any more, so it is not asked to end in good order.
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()


def _directory() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="bothways-")
    except OSError as error:
        # In a container whose file system is read-only, for one.
        why = f"no directory for Envoy's files can be made ({error.strerror or error}); TMPDIR names a place for it"
        raise Unusable(why) from error
