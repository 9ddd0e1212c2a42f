"""What the clock asks of a hub, all of it: called at any time, and as often, it does what is due and no more."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from bothways.errors import BothwaysError
from bothways.operations.audit_head import sign_head
from bothways.operations.authorities import retirable, retire_authority
from bothways.operations.certificates import finish_certificate
from bothways.operations.expiry import record_notices
from bothways.operations.hub import Hub
from bothways.operations.idle import let_go
from bothways.operations.issuing import in_groups, sign_reserved
from bothways.operations.keys import endangered
from bothways.operations.renewal import set_aside, supersede, supersessions
from bothways.operations.revocation import lists_due, publish_list
from bothways.operations.rotation import OWN, next_renewal, renew_credential, waiting_next
from bothways.store import certificates, touched
from bothways.store.authorities import Role

ACTOR = "hub"
"""Who acts, as the audit names it, where nobody asked and the clock did."""

LOOK = timedelta(hours=1)
"""When it looks again at the latest: what is due and not known to be, waits no longer."""

AGAIN = timedelta(minutes=1)
"""When what failed is tried again."""

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What was done, in sentences; what failed, in sentences; and when the next call is due."""

    done: tuple[str, ...]
    problems: tuple[str, ...]
    next_due: datetime


class _Round:
    """One call: each step by itself, so that one that fails stops no other."""

    def __init__(self, hub: Hub) -> None:
        self.hub = replace(hub, actor=ACTOR)
        self.done: list[str] = []
        self.problems: list[str] = []
        self.due = [hub.now() + LOOK]

    def attempt(self, what: str, step: Callable[[], _Value]) -> _Value | None:
        """Return what the step returns, or None after remembering what it failed with."""
        try:
            return step()
        except BothwaysError as error:
            self.problems.append(f"{what}: {error}")
        except Exception as error:  # noqa: BLE001 - whatever it was, the other steps are due all the same
            self.problems.append(f"{what}: {type(error).__name__}: {error}")
        self.due.append(self.hub.now() + AGAIN)
        return None


def lists_first(hub: Hub) -> tuple[str, ...]:
    """Publish the revocation lists that are due, and return what was done, in sentences.

    This is what somebody waits for who has revoked: TLS itself refuses by the list. What fails is tried again by
    `upkeep`, which does this as well, and told there.
    """
    this = _Round(hub)
    _publish_lists(this)
    return tuple(this.done)


def witness(hub: Hub) -> str:
    """Do what each control plane does for itself, whoever has the turn: sign the head of the audit, in its directory.

    Returns what that failed with, in a sentence, or "". Whoever cuts off lines has to reach them all.
    """
    this = _Round(hub)
    _sign(this)
    return "".join(this.problems)


def upkeep(hub: Hub) -> Upkeep:
    """Do everything that is due now; safe to repeat, and to do in several processes. What fails is in `problems`."""
    this = _Round(hub)
    _finish(this)
    for role in OWN:
        _renew(this, role)
    _supersede(this)
    # Last of what revokes: the list has what this round superseded.
    _publish_lists(this)
    _retire(this)
    this.attempt("the notices of what ends are not written", partial(record_notices, this.hub))
    this.attempt("the list of touched customers is not shortened", partial(_forget, this.hub))
    if count := this.attempt("customers whom nobody calls are not let go", partial(let_go, this.hub)):
        this.done.append(f"{count} customers whom nobody called for {hub.settings.idle_days} days are let go")
    # After all that writes lines.
    _sign(this)
    # Nothing that fails: but whoever reads the problems has to act on it.
    this.problems += this.attempt("whether a key is banned is not known", partial(endangered, this.hub)) or ()
    return Upkeep(tuple(this.done), tuple(this.problems), min(this.due))


def _sign(this: _Round) -> None:
    this.attempt("the head of the audit is not signed", partial(sign_head, this.hub))


def _finish(this: _Round) -> None:
    """Sign what was approved and not signed: whoever approved was killed in between, or the key was away."""
    hub = this.hub
    with hub.read() as connection:
        left = certificates.unfinished(connection)
    for group in in_groups(left):
        # In one go; and if that fails, each by itself, so that what one fails with keeps no other.
        with contextlib.suppress(Exception):
            sign_reserved(hub, group)
        for record in group:
            what = f"certificate {record.serial} is not signed"
            if this.attempt(what, partial(finish_certificate, hub, record.serial)):
                this.done.append(f"certificate {record.serial}, which was approved and not signed, is signed")


def _renew(this: _Round, role: Role) -> None:
    """Renew one of the hub's own certificates when a third of its life is left (R15)."""
    hub = this.hub
    due = next_renewal(hub, role)
    if due is None:
        return
    if due > hub.now():
        this.due.append(due)
    elif serial := this.attempt(f"the {OWN[role]} certificate is not renewed", partial(renew_credential, hub, role)):
        asked = role is Role.CLIENT and waiting_next(hub) is not None
        said = "has a successor, which the customers are asked to take" if asked else "is renewed"
        this.done.append(f"the {OWN[role]} certificate {said}: {serial}")


def _supersede(this: _Round) -> None:
    """Supersede the customers' certificates whose successors were in use for the overlap of the contract."""
    hub = this.hub
    for serial, due in supersessions(hub).items():
        if due > hub.now():
            this.due.append(due)
        elif this.attempt(f"certificate {serial} is not superseded", partial(supersede, hub, serial)):
            this.done.append(f"certificate {serial} is superseded")
    this.attempt("renewals that are over are looked through again", partial(set_aside, hub))


def _publish_lists(this: _Round) -> None:
    """Publish the revocation list of each issuing CA: anew every day, and at once after a revocation."""
    hub = this.hub
    for authority, due in lists_due(hub):
        if due > hub.now():
            this.due.append(due)
            continue
        what = f"the revocation list of the CA {authority.id} is not published"
        if number := this.attempt(what, partial(publish_list, hub, authority)):
            this.done.append(f"the revocation list {number} of the CA {authority.id} is published")


def _retire(this: _Round) -> None:
    """Retire the issuing CAs that were replaced, and whose last certificate is gone."""
    hub = this.hub

    def retired(number: int) -> int:
        retire_authority(hub, number, "it was replaced, and nothing that it signed is in force")
        return number

    for number in retirable(hub):
        if this.attempt(f"the CA {number} is not retired", partial(retired, number)):
            this.done.append(f"the CA {number} is retired")


def _forget(hub: Hub) -> None:
    """Shorten the list of the customers whose facts changed, which everybody who follows has read."""
    with hub.read() as connection:
        long = touched.is_long(connection)
    if long:
        with hub.write() as transaction:
            touched.forget(transaction.connection)
