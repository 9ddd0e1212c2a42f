"""People: who signs in to the portal or holds an API token, with the one role that each has."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bothways.findings import Finding
from bothways.registry.access import Principal, Role
from bothways.registry.contact import is_mailbox

_NAME_MOST = 100
_OS_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Person:
    """One person, of the hub or (with a `tsp_id`) of one customer.

    `email` is in small letters, and is how the audit names the person. `os_user` is the user that the same person is
    on the hub's own machine, if any: so that nobody counts as two people there. While a second person has to confirm
    it, `proposed_by` is who put this one on record, and `sign_in_proposed_by` who made the invitation.
    """

    id: int
    email: str
    name: str
    role: Role
    tsp_id: str | None
    os_user: str | None
    added_at: datetime
    disabled_at: datetime | None = None
    proposed_by: str | None = None
    sign_in_proposed_by: str | None = None

    @property
    def principal(self) -> Principal:
        """Who asks when this person does."""
        return Principal(self.email, self.role, self.tsp_id, person=self.email)

    def document(self) -> dict[str, object]:
        """Return the person as the JSON object that API and command line show."""
        return {
            "id": self.id,
            "email": self.email,
            "name": self.name,
            "role": self.role.value,
            "customer": self.tsp_id,
            "os_user": self.os_user,
            "state": "disabled" if self.disabled_at else "proposed" if self.proposed_by else "active",
            "added_at": self.added_at.isoformat(),
            "disabled_at": self.disabled_at and self.disabled_at.isoformat(),
            "proposed_by": self.proposed_by,
            "sign_in_proposed_by": self.sign_in_proposed_by,
        }


def person_findings(email: str, name: str, role: Role, tsp_id: str | None, os_user: str | None) -> Iterable[Finding]:
    """Yield what is wrong with what a person is to be put on record with."""
    if not is_mailbox(email):
        yield Finding(
            "PERSON-01", f"{email!r} is no e-mail address", "Give one, like ann@bank.example.", "RFC 5321", "email"
        )
    if not (0 < len(name.strip()) <= _NAME_MOST and name.isprintable()):
        message = f"the name is {name!r}; 1 to {_NAME_MOST} characters on one line are wanted"
        yield Finding("PERSON-02", message, "Give the name as the person writes it.", "R16", "name")
    if role.of_customer != (tsp_id is not None):
        message = f"the role {role.value} goes with {'a customer' if role.of_customer else 'no customer'}"
        hint = "Name the customer for a customer's role, and for no other."
        yield Finding("PERSON-03", message, hint, "R4", "role")
    if os_user is not None and (role.of_customer or not _OS_USER.fullmatch(os_user)):
        wanted = "a person of the hub alone has one" if role.of_customer else "a name of 1 to 64 characters is wanted"
        message = f"the user of the hub's machine is {os_user!r}; {wanted}"
        yield Finding("PERSON-04", message, "Give what `id -un` prints there, or nothing.", "R16", "os_user")
