"""Contacts: whom the hub tells what is about to end, by e-mail or by webhook."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from bothways.findings import Finding

_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)
_MAILBOX_LIMIT = 254
"""Characters of a mailbox in a path (RFC 5321 section 4.5.3.1.3, without the angle brackets)."""
_URL_LIMIT = 2048
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ContactKind(StrEnum):
    """How a contact is told."""

    EMAIL = "email"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Contact:
    """Who is told: for the customer `tsp_id`, or for the operator if that is None. `secret` signs webhooks."""

    id: int
    tsp_id: str | None
    kind: ContactKind
    address: str
    secret: str = field(repr=False)

    def document(self) -> dict[str, object]:
        """Return the contact as the JSON object that the command line shows, without its secret."""
        return {"id": self.id, "customer": self.tsp_id, "kind": self.kind.value, "address": self.address}


def is_mailbox(text: str) -> bool:
    """Tell whether the text is an ASCII mailbox (RFC 5321 section 4.1.2, without quoted ones)."""
    return len(text) <= _MAILBOX_LIMIT and _MAILBOX.fullmatch(text) is not None


def contact_findings(kind: ContactKind, address: str, *, danger_loopback: bool) -> tuple[Finding, ...]:
    """Return what is wrong with an address: an ASCII mailbox, or an https URL; http to loopback for developers."""
    if kind is ContactKind.EMAIL:
        if is_mailbox(address):
            return ()
        return (_finding(f"{address!r} is no e-mail address", "Give one, like pki@bank.example.", "RFC 5321"),)
    if _is_target(address, danger_loopback=danger_loopback):
        return ()
    return (_finding(f"{address!r} is no https URL", "Give one, like https://bank.example/hooks.", "RFC 9110"),)


def _is_target(address: str, *, danger_loopback: bool) -> bool:
    if len(address) > _URL_LIMIT or not (address.isascii() and address.isprintable()) or " " in address:
        return False
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plain = parts.scheme == "http" and danger_loopback and host in _LOOPBACK
    return (parts.scheme == "https" or plain) and bool(host) and parts.username is None and not parts.fragment


def _finding(message: str, hint: str, citation: str) -> Finding:
    return Finding("CONTACT-ADDRESS", message, hint, citation, "contact")
