"""The line to the hub of a spoke directory: its endpoint, and TLS made of its certificate, key and contract (R1)."""

import ssl
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bothways.errors import Unusable
from bothways.spoke.directory import Spoke, open_spoke, stands
from bothways.spoke.events import Event
from bothways.spoke.line import Ask, Line
from bothways.spoke.metrics import Metrics
from bothways.spoke.pair import read_key
from bothways.spoke.platform_store import server_ca
from bothways.spoke.tls import anchors, load_pair


class SpokeLine(Line):
    """The line of one client; certificate, key and contract are read again when they change.

    `endpoint` is the hub's address as the contract says, at the time when the client was made. Raises `Unusable` or
    `Refused` if the directory holds no spoke with a certificate that can be used.
    """

    def __init__(
        self, directory: str | Path | Spoke, on_event: Callable[[Event], None] | None = None, ask: Ask | None = None
    ) -> None:
        spoke = directory if isinstance(directory, Spoke) else open_spoke(Path(directory))
        metrics = Metrics()

        def loaded(spoke: Spoke) -> ssl.SSLContext:
            context, ends = _loaded(spoke)
            metrics.certificate_ends(ends)
            return context

        self.endpoint = spoke.contract.terms.endpoint
        super().__init__(
            lambda: loaded(spoke),
            lambda: loaded(open_spoke(spoke.directory)),
            (spoke.certificate_file, spoke.key_file, spoke.contract_file),
            ask=ask,
            on_event=on_event or (lambda _: None),
            metrics=metrics,
        )


def tls_context(spoke: Spoke) -> ssl.SSLContext:
    """Return the TLS context towards the hub: our certificate, the contract's server CA alone, TLS 1.2 or higher."""
    return _loaded(spoke)[0]


def _loaded(spoke: Spoke) -> tuple[ssl.SSLContext, datetime]:
    for path, missing in ((spoke.key_file, "csr"), (spoke.certificate_file, "install CERT")):
        if not stands(path):
            raise Unusable(f"{path} is missing. Get it: bothways spoke {missing} --directory {spoke.directory}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=anchors(server_ca(spoke.contract)))
    read_key(spoke.key_file)
    return context, load_pair(context, spoke.certificate_file, spoke.key_file).not_valid_after_utc
