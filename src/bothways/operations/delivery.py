"""Delivery of notices: e-mail over SMTP with STARTTLS, webhooks signed with HMAC. What fails is tried again."""

import asyncio
import base64
import hashlib
import hmac
import json
import smtplib
import ssl
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx2

from bothways.errors import BothwaysError, Unusable
from bothways.operations.hub import Hub
from bothways.registry.contact import Contact, ContactKind
from bothways.signer.secret import read_secret
from bothways.store import contacts, notices
from bothways.store.notices import StoredNotice

FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=6)
"""From the first failure on the wait doubles, up to the longest."""

GIVE_UP = timedelta(days=7)
"""After the end that a notice is about, nobody needs it any more."""

_TIMEOUT = 10.0
_POSTS_AT_ONCE = 8
_ERROR_LIMIT = 300
_FAILURES = (OSError, smtplib.SMTPException, httpx2.HTTPError, BothwaysError, ValueError)


async def deliver_notices(hub: Hub) -> int:
    """Try each notice that is due once; return how many were received. Those that hang keep no other.

    At least once: what was received, and not recorded because the hub was killed, is sent again under the same id.
    """
    due = await asyncio.to_thread(_due, hub)
    if not due:
        return 0
    # There is one mail server, and each letter to it takes a thread; webhooks are of many, and some of them are slow.
    letters, posts = asyncio.Semaphore(1), asyncio.Semaphore(_POSTS_AT_ONCE)
    # A redirection would lead to where the operator never said; the environment's proxies are not ours.
    async with httpx2.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as client:

        async def deliver(notice: StoredNotice, contact: Contact) -> bool:
            if contact.kind is ContactKind.EMAIL:
                async with letters:
                    return await _tried(hub, notice, asyncio.to_thread(_mail, hub, notice, contact))
            async with posts:
                return await _tried(hub, notice, _post(hub, client, notice, contact))

        return sum(await asyncio.gather(*(deliver(*each) for each in due)))


def notice_states(hub: Hub) -> dict[str, Any]:
    """Return how many notices wait, and what keeps those that failed, as the JSON object that the status shows."""
    with hub.read() as connection:
        left = notices.waiting(connection, hub.now() - GIVE_UP)
        failing = [
            {
                "contact": contacts.find(connection, each.contact_id).address,
                "attempts": each.attempts,
                "error": each.error,
            }
            for each in left
            if each.error
        ]
    return {"waiting": len(left), "failing": failing}


@contextmanager
def connect_mail(hub: Hub) -> Iterator[smtplib.SMTP]:
    """Open a session with the mail server, ready to take letters.

    Raises `OSError` or `smtplib.SMTPException` if the server does not let this hub in, `Unusable` without a password.
    """
    settings = hub.settings
    with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=_TIMEOUT) as server:
        if not settings.danger_smtp_plain:
            # Without it in the server's list, starttls() raises: nothing is ever sent in the clear.
            server.starttls(context=ssl.create_default_context(cafile=settings.smtp_ca_file or None))
        if settings.smtp_username:
            password = read_secret(hub.directory / Path(settings.smtp_password_file), "the password of the mail server")
            server.login(settings.smtp_username, password.decode())
        yield server


def retry_at(now: datetime, attempts: int) -> datetime:
    """Return when to try again after so many attempts: a minute, doubled each time, six hours at most."""
    return now + min(FIRST_RETRY * (1 << min(attempts, 16)), LONGEST_RETRY)


def signature(secret: str, notice_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a webhook as the Standard Webhooks specification has it: HMAC-SHA256, base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{notice_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _due(hub: Hub) -> list[tuple[StoredNotice, Contact]]:
    with hub.read() as connection:
        return [
            (each, contacts.find(connection, each.contact_id))
            for each in notices.waiting(connection, hub.now() - GIVE_UP)
            if each.attempt_at <= hub.now()
        ]


async def _tried(hub: Hub, notice: StoredNotice, attempt: Awaitable[None]) -> bool:
    try:
        await attempt
    except _FAILURES as error:
        await asyncio.to_thread(_record, hub, notice, f"{type(error).__name__}: {error}"[:_ERROR_LIMIT])
        return False
    await asyncio.to_thread(_record, hub, notice, None)
    return True


def _record(hub: Hub, notice: StoredNotice, error: str | None) -> None:
    with hub.write() as transaction:
        if error is None:
            notices.delivered(transaction, notice.id)
        else:
            notices.failed(transaction, notice.id, error, retry_at(hub.now(), notice.attempts))


def _mail(hub: Hub, notice: StoredNotice, contact: Contact) -> None:
    settings = hub.settings
    if not settings.smtp_host:
        raise Unusable("no mail server is set. Set smtp.host and smtp.sender in hub.toml.")
    message = EmailMessage()
    message["From"], message["To"] = settings.smtp_sender, contact.address
    message["Subject"] = f"[{hub.terms.hub} {hub.environment.value}] {_headline(hub, notice)}"
    message["Date"], message["Message-ID"] = hub.now(), f"<{notice.id}@{hub.terms.hub}>"
    # So that no out-of-office answers it (RFC 3834 section 5).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{notice.text}\n\nEnd: {notice.ends_at:%Y-%m-%d %H:%M} UTC\nPortal: {hub.terms.portal}\n")
    with connect_mail(hub) as server:
        server.send_message(message)


async def _post(hub: Hub, client: httpx2.AsyncClient, notice: StoredNotice, contact: Contact) -> None:
    document = {
        "type": f"{notice.kind}.ending",
        "timestamp": notice.made_at.isoformat(),
        "data": {
            "environment": hub.environment.value,
            "hub": hub.terms.hub,
            "kind": notice.kind,
            "subject": notice.subject,
            "customer": contact.tsp_id,
            "ends_at": notice.ends_at.isoformat(),
            "threshold_days": notice.threshold_days,
            "text": notice.text,
        },
    }
    body, now = json.dumps(document).encode(), int(hub.now().timestamp())
    headers = {
        "Content-Type": "application/json",
        "Webhook-Id": notice.id,
        "Webhook-Timestamp": str(now),
        "Webhook-Signature": signature(contact.secret, notice.id, now, body),
    }
    try:
        # The client's own limit counts anew with each byte that comes. Of the answer nothing but its status is read.
        async with (
            asyncio.timeout(_TIMEOUT),
            client.stream("POST", contact.address, content=body, headers=headers) as answer,
        ):
            status = answer.status_code
    except TimeoutError:
        raise Unusable(f"the webhook did not answer within {_TIMEOUT:.0f} s. Look at its own log.") from None
    if status // 100 != 2:  # noqa: PLR2004 - as the message says
        raise Unusable(f"the webhook answered {status}, and 2xx is wanted. Look at its own log.")


def _headline(hub: Hub, notice: StoredNotice) -> str:
    days = (notice.ends_at - hub.now()).days
    return f"{notice.kind} {notice.subject} ends on {notice.ends_at:%Y-%m-%d} ({days} days left)"
