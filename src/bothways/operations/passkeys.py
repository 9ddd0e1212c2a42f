"""Passkeys (WebAuthn Level 3) of people: offer to make one, take it, offer to sign in, and find out who did.

The one that is asked (the relying party) is the portal's host; user verification is wanted, so that a passkey alone is
two factors.
"""

from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from bothways.errors import Conflict, NotAuthorized
from bothways.operations.hub import Hub
from bothways.registry.person import Person
from bothways.store import passkeys, people
from bothways.store.passkeys import Passkey

PASSKEYS_MOST = 10
_REFUSED = "the passkey is not known here, or did not prove itself. Sign in with password and code."
_WRONG = (WebAuthnException, ValueError, KeyError, TypeError, RecursionError)


def passkey_offer(hub: Hub, person: Person) -> dict[str, Any]:
    """Return what a browser needs to make a passkey; `challenge` in it is expected back."""
    known = [PublicKeyCredentialDescriptor(id=each.credential) for each in list_passkeys(hub, person)]
    if len(known) >= PASSKEYS_MOST:
        raise Conflict(f"{person.email} has {PASSKEYS_MOST} passkeys already, which is the most. Be invited again.")
    options = webauthn.generate_registration_options(
        rp_id=_party(hub),
        rp_name=f"{hub.terms.hub} {hub.environment.value}",
        user_name=person.email,
        user_id=f"{hub.environment.value}-{person.id}".encode(),
        user_display_name=person.name,
        exclude_credentials=known,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return dict(options_to_json_dict(options))


def add_passkey(hub: Hub, person: Person, challenge: str, credential: str) -> None:
    """Store the passkey that a browser made. Raises `NotAuthorized` if it answers another challenge or origin."""
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=_party(hub),
            expected_origin=hub.terms.portal,
            require_user_verification=True,
        )
    except _WRONG as error:
        raise NotAuthorized("the passkey was not made as it has to be. Try again.") from error
    with hub.write() as transaction:
        passkeys.add(transaction, person.id, made.credential_id, made.credential_public_key, made.sign_count)
        transaction.audit("person.passkey", str(person.id), customer=person.tsp_id, email=person.email)


def sign_in_offer(hub: Hub) -> dict[str, Any]:
    """Return what a browser needs to sign in with a passkey; `challenge` in it is expected back."""
    options = webauthn.generate_authentication_options(
        rp_id=_party(hub), user_verification=UserVerificationRequirement.REQUIRED
    )
    return dict(options_to_json_dict(options))


def prove_passkey(hub: Hub, challenge: str, credential: str) -> Person:
    """Return the person whose passkey answered the challenge. Raises `NotAuthorized`."""
    try:
        answer = webauthn.helpers.parse_authentication_credential_json(credential)
        with hub.read() as connection:
            known = passkeys.find(connection, answer.raw_id)
            person = people.active_by_id(connection, known.person_id) if known else None
        if known is None or person is None:
            raise NotAuthorized(_REFUSED)
        proved = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=_party(hub),
            expected_origin=hub.terms.portal,
            credential_public_key=known.public_key,
            credential_current_sign_count=known.uses,
            require_user_verification=True,
        )
    except _WRONG as error:
        raise NotAuthorized(_REFUSED) from error
    with hub.write() as transaction:
        passkeys.used(transaction, known.id, proved.new_sign_count)
    return person


def list_passkeys(hub: Hub, person: Person) -> tuple[Passkey, ...]:
    """Return a person's passkeys, oldest first."""
    with hub.read() as connection:
        return passkeys.every(connection, person.id)


def _party(hub: Hub) -> str:
    return urlsplit(hub.terms.portal).hostname or ""
