"""Notices arrive at a real SMTP server over STARTTLS, and at a real HTTP server, signed; what fails comes again."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from tests.conftest import free_ports
from tests.mail_server import Mailbox

from bothways.operations import delivery
from bothways.operations.contacts import add_contact, remove_contact
from bothways.operations.delivery import GIVE_UP, deliver_notices, notice_states, retry_at, signature
from bothways.operations.expiry import record_notices
from bothways.operations.hub import Hub
from bothways.registry.contact import Contact, ContactKind
from bothways.store.certificates import StoredCertificate

Certify = Callable[[str], StoredCertificate]


@dataclass
class Receiver:
    """An HTTP server that keeps what it gets, and answers each of it with `status`."""

    url: str = ""
    status: int = 204
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(kept.status)
            if kept.status == 302:
                self.send_header("Location", kept.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


def deliver(hub: Hub) -> int:
    return asyncio.run(deliver_notices(hub))


def due(hub: Hub, record: StoredCertificate, days: int = 14) -> Hub:
    """Return the hub so many days before a certificate ends, when the notices of it are written."""
    moment = record.not_after - timedelta(days=days)
    later = replace(hub, now=lambda: moment)
    record_notices(later)
    return later


def after(hub: Hub, time: timedelta) -> Hub:
    moment = hub.now() + time
    return replace(hub, now=lambda: moment)


def test_a_letter_arrives_over_starttls_once(mailing: Hub, mailbox: Mailbox, issuer: str, certify: Certify) -> None:
    record = certify(issuer)
    add_contact(mailing, issuer, ContactKind.EMAIL, "pki@bank.example")
    later = due(mailing, record)
    assert (deliver(later), deliver(later)) == (1, 0)
    [letter] = [message_from_bytes(each) for each in mailbox.letters]
    assert (letter["From"], letter["To"]) == ("pki@hub.example", "pki@bank.example")
    assert record.serial in letter["Subject"].replace("\n", "")
    assert "(14 days left)" in " ".join(letter["Subject"].split())
    assert (letter["Auto-Submitted"], "@ppr.hub.localhost>" in letter["Message-ID"]) == ("auto-generated", True)
    assert f"{record.not_after:%Y-%m-%d %H:%M} UTC" in letter.get_payload()
    assert notice_states(later) == {"waiting": 0, "failing": []}


def test_a_letter_that_is_refused_is_sent_again_under_the_same_id_and_told(
    mailing: Hub, mailbox: Mailbox, issuer: str, certify: Certify
) -> None:
    add_contact(mailing, issuer, ContactKind.EMAIL, "pki@bank.example")
    later = due(mailing, certify(issuer))
    mailbox.answer = "451 come back later"
    assert deliver(later) == 0
    [failing] = notice_states(later)["failing"]
    assert (failing["contact"], failing["attempts"]) == ("pki@bank.example", 1)
    assert "come back later" in failing["error"]
    mailbox.answer = "250 OK"
    # Not before a minute has gone by, and never twice.
    assert deliver(after(later, timedelta(seconds=59))) == 0
    assert deliver(after(later, timedelta(seconds=60))) == 1
    assert deliver(after(later, timedelta(hours=9))) == 0
    assert len(mailbox.letters) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"smtp_host": ""}, "no mail server is set"),
        ({"smtp_ca_file": ""}, "CERTIFICATE_VERIFY_FAILED"),
        ({"smtp_username": "other"}, "SMTPAuthenticationError"),
        ({"smtp_username": "", "danger_smtp_plain": True}, "STARTTLS"),
    ],
)
def test_a_mail_server_that_cannot_be_trusted_or_used_gets_nothing(
    mailing: Hub, mailbox: Mailbox, issuer: str, certify: Certify, change: dict[str, Any], said: str
) -> None:
    add_contact(mailing, issuer, ContactKind.EMAIL, "pki@bank.example")
    wrong = replace(mailing, settings=replace(mailing.settings, **change))
    later = due(wrong, certify(issuer))
    assert deliver(later) == 0
    assert said in notice_states(later)["failing"][0]["error"]
    assert mailbox.letters == []


def test_without_starttls_in_the_server_nothing_is_sent(
    hub: Hub, issuer: str, certify: Certify, tmp_path: Path
) -> None:
    box = Mailbox(free_ports(1)[0], tmp_path)
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        settings = replace(hub.settings, smtp_host="127.0.0.1", smtp_port=box.port, smtp_sender="pki@hub.example")
        add_contact(hub, issuer, ContactKind.EMAIL, "pki@bank.example")
        later = due(replace(hub, settings=settings), certify(issuer))
        assert (deliver(later), box.letters) == (0, [])
        assert "STARTTLS" in notice_states(later)["failing"][0]["error"]
        plain = replace(later, settings=replace(settings, danger_smtp_plain=True))
        assert deliver(after(plain, timedelta(minutes=1))) == 1
        assert len(box.letters) == 1
    finally:
        controller.stop()


@pytest.fixture
def hook(hub: Hub, issuer: str, receiver: Receiver) -> Contact:
    return add_contact(hub, issuer, ContactKind.WEBHOOK, receiver.url)


def test_a_webhook_is_signed_and_says_all(
    hub: Hub, issuer: str, certify: Certify, receiver: Receiver, hook: Contact
) -> None:
    record = certify(issuer)
    later = due(hub, record)
    assert (deliver(later), deliver(later)) == (1, 0)
    [(headers, body)] = receiver.calls
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(hook.secret.removeprefix("whsec_"))
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    assert headers["content-type"] == "application/json"
    document = json.loads(body)
    assert document["type"] == "certificate.ending"
    assert document["data"] | {"text": ""} == {
        "environment": "PPR",
        "hub": "ppr.hub.localhost",
        "kind": "certificate",
        "subject": record.serial,
        "customer": issuer,
        "ends_at": record.not_after.isoformat(),
        "threshold_days": 14,
        "text": "",
    }


def test_the_signature_is_that_of_the_specification() -> None:
    # The example of the Standard Webhooks specification.
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    assert signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_webhook_that_fails_comes_again_with_the_same_id_and_follows_nobody(
    hub: Hub, issuer: str, certify: Certify, receiver: Receiver, hook: Contact, status: int
) -> None:
    later, receiver.status = due(hub, certify(issuer)), status
    assert deliver(later) == 0
    assert len(receiver.calls) == 1
    assert notice_states(later)["failing"] == [
        {
            "contact": hook.address,
            "attempts": 1,
            "error": f"Unusable: the webhook answered {status}, and 2xx is wanted. Look at its own log.",
        }
    ]
    receiver.status = 200
    assert deliver(after(later, timedelta(minutes=1))) == 1
    assert receiver.calls[0][0]["webhook-id"] == receiver.calls[1][0]["webhook-id"]


def test_one_that_fails_keeps_no_other(
    hub: Hub, issuer: str, certify: Certify, receiver: Receiver, hook: Contact
) -> None:
    add_contact(hub, issuer, ContactKind.WEBHOOK, f"http://127.0.0.1:{free_ports(1)[0]}/")
    assert hook.id
    later = due(hub, certify(issuer))
    assert deliver(later) == len(receiver.calls) == 1
    assert notice_states(later)["waiting"] == 1


@pytest.fixture
def dripping() -> Iterator[str]:
    """The URL of a server that sends a byte of its answer now and then, and never all of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as stack:
        ended = threading.Event()

        def drip() -> None:
            # It ends with the client's patience, or with the test.
            with listener.accept()[0] as connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 204 No Content\r\nX-Drip: ")
                while not ended.wait(0.05):
                    connection.sendall(b".")

        thread = threading.Thread(target=drip)
        thread.start()
        stack.callback(thread.join)
        stack.callback(ended.set)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def test_a_webhook_that_never_finishes_its_answer_fails_and_keeps_no_other(
    hub: Hub, issuer: str, certify: Certify, receiver: Receiver, dripping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_TIMEOUT", 1.0)
    add_contact(hub, issuer, ContactKind.WEBHOOK, dripping)
    add_contact(hub, issuer, ContactKind.WEBHOOK, receiver.url)
    later = due(hub, certify(issuer))
    assert deliver(later) == len(receiver.calls) == 1
    [failing] = notice_states(later)["failing"]
    assert failing["error"] == "Unusable: the webhook did not answer within 1 s. Look at its own log."


def test_a_contact_that_was_removed_and_an_end_long_ago_are_told_nothing(
    hub: Hub, issuer: str, certify: Certify, receiver: Receiver, hook: Contact
) -> None:
    later, receiver.status = due(hub, certify(issuer), days=1), 500
    assert deliver(later) == 0
    receiver.status = 200
    assert deliver(after(later, timedelta(days=1) + GIVE_UP)) == 0
    remove_contact(hub, issuer, hook.id, "tested")
    assert deliver(after(later, timedelta(minutes=1))) == 0
    assert len(receiver.calls) == 1


def test_the_wait_doubles_from_a_minute_to_six_hours(now: datetime) -> None:
    waits = [retry_at(now, attempts) - now for attempts in (0, 1, 2, 8, 9, 1000)]
    assert waits == [timedelta(minutes=each) for each in (1, 2, 4, 256, 360, 360)]
