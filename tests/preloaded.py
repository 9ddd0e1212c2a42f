"""What a forked process has imported already: every command, and what it runs with."""

import gc
import importlib
import pkgutil

from tests.work_factor import lower

import bothways.cli

# What the library of the web imports when the first page is made.
_LATE = ("pydantic.v1", "uvicorn.lifespan.off", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto")

for _each in (*(f"bothways.cli.{each.name}" for each in pkgutil.iter_modules(bothways.cli.__path__)), *_LATE):
    importlib.import_module(_each)
# As in the process that starts them: what the one has sealed, the other one reads.
lower()
# What is there now is the same in all of them: the collector need not touch it, which would copy it.
gc.freeze()
