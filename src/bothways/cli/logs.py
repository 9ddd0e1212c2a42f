"""The one set-up of the logs: lines for people, or JSON objects for programs; each names its request, if it has one."""

import json
import logging
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from bothways.operations import request_id
from bothways.operations.settings import LogFormat

Logs = Annotated[
    LogFormat | None, Parameter(help="How the log is written, if not as log.format in hub.toml says: text, or json.")
]

_TOO_TALKATIVE = ("uvicorn", "httpx2")
"""Each question to Envoy's admin interface would be a line."""


def set_up(form: LogFormat, level: int = logging.INFO) -> None:
    """Write the log of this process to standard error, once and for all."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form is LogFormat.JSON else TextLines())
    logging.basicConfig(handlers=[handler], level=level)
    for library in _TOO_TALKATIVE:
        logging.getLogger(library).setLevel(logging.WARNING)


class TextLines(logging.Formatter):
    """A line as a person reads it, with who asked and the id of the request at its end."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """Return the line without what stands under it, a traceback for example."""
        actor = getattr(record, "fields", {}).get("actor")
        told = {"actor": actor, "request_id": request_id.current()}
        more = " ".join(f"{name}={value}" for name, value in told.items() if value)
        return super().formatMessage(record) + (f" [{more}]" if more else "")


class JsonLines(logging.Formatter):
    """One JSON object a line: `time` (UTC), `level`, `logger`, `message`, `request_id`, and what the line is about."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object."""
        document = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if own := request_id.current():
            document["request_id"] = own
        document |= getattr(record, "fields", {})
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        return json.dumps(document, ensure_ascii=False)
