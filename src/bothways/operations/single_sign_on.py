"""Sign-in at an OpenID provider: authorization code with PKCE (RFC 7636), state and nonce (OpenID Connect Core).

Who signs in is found on record by the verified e-mail address; the provider makes nobody a person of this hub.
"""

import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from bothways.errors import NotAuthorized, Unreachable
from bothways.operations.hub import Hub
from bothways.operations.people import active_person
from bothways.registry.person import Person
from bothways.signer.secret import read_secret

CALLBACK = "/sign-in/oidc/callback"
_TIMEOUT = 10.0
_LEEWAY = 120
_ANSWER_MOST = 1 << 20
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
"""What an ID token may be signed with: public keys alone, and never `none`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser was sent away with, and is expected to come back for."""

    path: str
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)


def provider_address(hub: Hub, state: str, asked: Asked) -> str:
    """Return where the browser is sent to. Raises `Unreachable` if the provider does not say."""
    with _client(hub) as client:
        endpoint = str(_provider(hub, client)["authorization_endpoint"])
    parameters = {
        "response_type": "code",
        "client_id": hub.settings.oidc_client_id,
        "redirect_uri": hub.terms.portal + CALLBACK,
        "scope": "openid email",
        "state": state,
        "nonce": asked.nonce,
        "code_challenge": create_s256_code_challenge(asked.verifier),
        "code_challenge_method": "S256",
    }
    return str(add_params_to_uri(endpoint, list(parameters.items())))


def require_provider(hub: Hub) -> None:
    """Ask the OpenID provider what it is, as each sign-in does. Raises `Unreachable` if it does not say so well."""
    with _client(hub) as client:
        _provider(hub, client)


def prove_by_provider(hub: Hub, asked: Asked, code: str, issuer: str = "") -> Person:
    """Return the person whom the provider names for this code; `issuer` is who answered, if it said (RFC 9207).

    Raises `NotAuthorized` if its word does not hold, or names nobody on record, `Unreachable` without an answer.
    """
    if issuer and issuer != hub.settings.oidc_issuer:
        raise NotAuthorized("another OpenID provider answered than the one that was asked. Sign in again.")
    with _client(hub) as client:
        provider = _provider(hub, client)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": hub.terms.portal + CALLBACK,
            "code_verifier": asked.verifier,
        }
        secret = read_secret(hub.directory / hub.settings.oidc_secret_file, "the secret of the OpenID client").decode()
        answer = client.post(str(provider["token_endpoint"]), data=form, auth=(hub.settings.oidc_client_id, secret))
        if answer.status_code != httpx2.codes.OK:
            raise NotAuthorized("the OpenID provider does not take the code of this sign-in. Sign in again.")
        keys = KeySet.import_key_set({"keys": _json(client.get(str(provider["jwks_uri"]))).get("keys", [])})
        token = str(_json(answer).get("id_token", ""))
    claims = _claims(hub, token, keys, asked.nonce)
    email, verified = claims.get("email"), claims.get("email_verified")
    person = active_person(hub, email) if isinstance(email, str) and verified is True else None
    if person is None:
        raise NotAuthorized(
            "your organization knows you, and this hub does not: no person with your verified e-mail address is on "
            "record here. Ask the hub's representative to add you."
        )
    return person


def _claims(hub: Hub, token: str, keys: KeySet, nonce: str) -> dict[str, Any]:
    settings = hub.settings
    try:
        decoded = jwt.decode(token, keys, algorithms=_ALGORITHMS)
        wanted = {"iss": {"essential": True, "value": settings.oidc_issuer}, "aud": {"value": settings.oidc_client_id}}
        claims = CodeIDToken(
            decoded.claims, decoded.header, wanted, {"nonce": nonce, "client_id": settings.oidc_client_id}
        )
        claims.validate(now=int(hub.now().timestamp()), leeway=_LEEWAY)
    except (JoseError, ValueError, KeyError) as error:
        raise NotAuthorized("the word of the OpenID provider does not hold. Sign in again.") from error
    return dict(claims)


def _provider(hub: Hub, client: httpx2.Client) -> dict[str, Any]:
    """Return what the provider says of itself (OpenID Connect Discovery 1.0). Raises `Unreachable`."""
    issuer = hub.settings.oidc_issuer
    document = _json(client.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration"))
    places = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    if document.get("issuer") != issuer or not all(str(document.get(each)).startswith("https://") for each in places):
        raise Unreachable(
            f"what {issuer} says of itself is not what an OpenID provider says. Check sign_in.oidc_issuer."
        )
    return document


def _json(answer: httpx2.Response) -> dict[str, Any]:
    try:
        answer.raise_for_status()
        document = answer.json() if len(answer.content) <= _ANSWER_MOST else None
    except (httpx2.HTTPError, ValueError):
        document = None
    if not isinstance(document, dict):
        raise Unreachable("the OpenID provider does not answer as it has to. Try again later.")
    return document


@contextmanager
def _client(hub: Hub) -> Iterator[httpx2.Client]:
    """Open the client for one exchange with the provider; what fails on the way is `Unreachable`."""
    trust = ssl.create_default_context(cafile=hub.settings.oidc_ca_file or None)
    try:
        with httpx2.Client(verify=trust, timeout=_TIMEOUT, follow_redirects=False) as client:
            yield client
    except httpx2.HTTPError as error:
        raise Unreachable(f"the OpenID provider cannot be reached: {error}. Try again later.") from error
