"""What a hub does in the life of requests, certificates and CAs: each operation can be done again at any time.

Each says what was acknowledged to whoever asked, for `checks` to find it again.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from tests.crash.notes import ACKNOWLEDGED, note

from bothways.errors import Refused
from bothways.operations.authorities import add_issuing_authority, list_authorities, retire_authority
from bothways.operations.certificates import list_certificates, revoke_certificate, withdraw_approval
from bothways.operations.expiry import record_notices
from bothways.operations.hub import Hub
from bothways.operations.keys import list_banned_keys
from bothways.operations.renewal import supersede, supersessions
from bothways.operations.requests import (
    approve_all,
    approve_request,
    list_requests,
    refuse_request,
    submit_request,
    waiting_requests,
)
from bothways.operations.revocation import lists_due, publish_list
from bothways.pki.revocation import RevocationReason
from bothways.store.requests import RequestState

TSP_ID = "12345678"


def requests_in(hub: Hub) -> list[bytes]:
    """Return the requests that were prepared for this hub, in order."""
    return [path.read_bytes() for path in sorted((hub.directory / "csr").iterdir())]


def submit(hub: Hub) -> None:
    """Submit a request, and another."""
    for csr in requests_in(hub)[-2:]:
        note(hub.directory, ACKNOWLEDGED, f"submitted {submit_request(hub, TSP_ID, csr).id}")


def approve(hub: Hub) -> None:
    """Approve the first request that waits, unless that was done before."""
    for number in waiting_requests(hub)[:1] if len(list_certificates(hub)) < 3 else ():
        note(hub.directory, ACKNOWLEDGED, f"certified {approve_request(hub, number).request_id}")


def approve_many(hub: Hub) -> None:
    """Approve all that wait, in groups of two."""
    for approval in approve_all(hub, waiting_requests(hub)):
        note(hub.directory, ACKNOWLEDGED, f"certified {approval.number}")


def refuse(hub: Hub) -> None:
    """Refuse the last request, unless that was done before."""
    last = list_requests(hub)[-1]
    if last.state is not RequestState.REFUSED:
        refuse_request(hub, last.id, "not agreed")
    note(hub.directory, ACKNOWLEDGED, f"refused {last.id}")


def revoke(hub: Hub) -> None:
    """Revoke the first certificate for key compromise, which bans its key, unless that was done before."""
    first = list_certificates(hub)[0]
    if first.revoked_at is None:
        revoke_certificate(hub, first.serial, RevocationReason.KEY_COMPROMISE)
    note(hub.directory, ACKNOWLEDGED, f"revoked {first.request_id}")


def publish(hub: Hub) -> None:
    """Revoke the first certificate, and publish the lists that are due."""
    revoke(hub)
    for authority, due in lists_due(hub):
        if due <= hub.now() and (number := publish_list(hub, authority)):
            note(hub.directory, ACKNOWLEDGED, f"published {number}")


def withdraw(hub: Hub) -> None:
    """Approve the first request that waits, and withdraw that approval."""
    approve(hub)
    third = list_certificates(hub)[2]
    if list_requests(hub)[third.request_id - 1].state is not RequestState.WITHDRAWN:
        withdraw_approval(hub, third.request_id, "approved by mistake")
    note(hub.directory, ACKNOWLEDGED, f"withdrawn {third.request_id}")


def replace_old(hub: Hub) -> None:
    """Supersede the certificate whose successor is in use, as if the overlap of the contract was over."""
    terms = replace(hub.terms, certificate=replace(hub.terms.certificate, overlap_days=0))
    later = replace(hub, terms=terms)
    for serial in supersessions(later):
        supersede(later, serial)
    note(hub.directory, ACKNOWLEDGED, f"revoked {list_certificates(hub)[0].request_id}")


def late(hub: Hub) -> Hub:
    """Return the hub as it will be when the first certificate is about to end."""
    moment = list_certificates(hub)[0].not_after - timedelta(days=20)
    return replace(hub, now=lambda: moment)


def tell(hub: Hub) -> None:
    """Store the notices of what ends."""
    record_notices(late(hub))
    note(hub.directory, ACKNOWLEDGED, "told 1")


def disclose(hub: Hub) -> None:
    """Submit the private key of the first certificate."""
    with suppress(Refused):
        submit_request(hub, TSP_ID, (hub.directory / "disclosed.pem").read_bytes())
    note(hub.directory, ACKNOWLEDGED, f"revoked {list_certificates(hub)[0].request_id}")
    note(hub.directory, ACKNOWLEDGED, f"banned {len(list_banned_keys(hub))}")


def share(hub: Hub) -> None:
    """Submit two requests whose RSA keys have a prime in common."""
    for name in ("shared", "sharing"):
        with suppress(Refused):
            number = submit_request(hub, TSP_ID, (hub.directory / f"{name}.csr").read_bytes()).id
            note(hub.directory, ACKNOWLEDGED, f"submitted {number}")
    note(hub.directory, ACKNOWLEDGED, f"banned {len(list_banned_keys(hub))}")


def roll_over(hub: Hub) -> None:
    """Put a second issuing CA beside the first, and retire the first when nothing of it is in force."""
    if sum(each["role"] == "issuing" for each in list_authorities(hub)) == 1:
        add_issuing_authority(hub)
    first = next(each for each in list_authorities(hub) if each["role"] == "issuing")
    for each in list_certificates(hub):
        if each.revoked_at is None and each.authority_id == first["id"]:
            revoke_certificate(hub, each.serial, RevocationReason.CESSATION_OF_OPERATION)
    if first["state"] != "retired":
        retire_authority(hub, first["id"], "tested")
    note(hub.directory, ACKNOWLEDGED, f"retired {first['id']}")


OPERATIONS: dict[str, Callable[[Hub], None]] = {
    each.__name__: each
    for each in (
        submit,
        approve,
        approve_many,
        refuse,
        revoke,
        publish,
        withdraw,
        replace_old,
        tell,
        disclose,
        share,
        roll_over,
    )
}
