"""Who an OpenID provider names is let in if its word holds in every point and the person is on record."""

import ssl
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc.jwk import ECKey, OctKey
from tests.oidc_server import Provider

from bothways.errors import NotAuthorized, Unreachable
from bothways.operations.hub import Hub
from bothways.operations.people import add_person, disable_person
from bothways.operations.single_sign_on import Asked, prove_by_provider, provider_address
from bothways.registry.access import Role
from bothways.registry.person import Person

Site = tuple[Hub, Provider]


@pytest.fixture
def ann(hub: Hub) -> Person:
    return add_person(hub, "ann@hub.example", "Ann", Role.OPERATOR)


def code_of(hub: Hub, asked: Asked) -> str:
    """Go to the provider as the browser does; return the code that it comes back with."""
    trust = ssl.create_default_context(cafile=hub.settings.oidc_ca_file)
    with httpx2.Client(verify=trust) as client:
        back = client.get(provider_address(hub, "state", asked)).headers["location"]
    assert back.startswith(f"{hub.terms.portal}/sign-in/oidc/callback?")
    return parse_qs(urlsplit(back).query)["code"][0]


def test_who_the_provider_names_is_let_in(oidc: Site, ann: Person) -> None:
    hub, provider = oidc
    asked = Asked("/")
    assert prove_by_provider(hub, asked, code_of(hub, asked), provider.issuer) == ann


def test_a_code_works_once_and_with_the_verifier_of_the_browser_that_asked(oidc: Site, ann: Person) -> None:
    hub, _ = oidc
    asked, stolen = Asked("/"), Asked("/")
    code = code_of(hub, asked)
    with pytest.raises(NotAuthorized, match="does not take the code"):
        prove_by_provider(hub, replace(stolen, nonce=asked.nonce), code)
    code = code_of(hub, asked)
    assert prove_by_provider(hub, asked, code) == ann
    with pytest.raises(NotAuthorized):
        prove_by_provider(hub, asked, code)


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize(
    "changes",
    [{"nonce": "another"}, {"nonce": None}, {"aud": "another"}, {"iss": "https://evil.example"}, {"exp": 1}],
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(oidc: Site, changes: dict[str, Any]) -> None:
    hub, provider = oidc
    provider.changes, asked = changes, Asked("/")
    with pytest.raises(NotAuthorized, match="does not hold"):
        prove_by_provider(hub, asked, code_of(hub, asked))


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize(
    ("header", "key"),
    [
        ({"alg": "ES256", "kid": "1"}, ECKey.generate_key("P-256")),
        ({"alg": "HS256", "kid": "1"}, OctKey.import_key("client secret of the hub, long enough")),
    ],
)
def test_a_token_that_another_key_signed_is_refused(oidc: Site, header: dict[str, str], key: Any) -> None:
    hub, provider = oidc
    provider.header, provider.signing, asked = header, key, Asked("/")
    with pytest.raises(NotAuthorized, match="does not hold"):
        prove_by_provider(hub, asked, code_of(hub, asked))


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize(
    "claims",
    [
        {"email": "eve@hub.example", "email_verified": True},
        {"email": "ann@hub.example", "email_verified": False},
        {"email": "ann@hub.example", "email_verified": "true"},
        {"email": "ann@hub.example"},
        {},
    ],
)
def test_who_is_not_on_record_by_a_verified_address_is_not_let_in(oidc: Site, claims: dict[str, Any]) -> None:
    hub, provider = oidc
    provider.claims, asked = {"sub": "1"} | claims, Asked("/")
    with pytest.raises(NotAuthorized, match="this hub does not"):
        prove_by_provider(hub, asked, code_of(hub, asked))


@pytest.mark.usefixtures("ann")
def test_who_was_disabled_is_not_let_in(oidc: Site, ann: Person) -> None:
    hub, _ = oidc
    disable_person(hub, ann.id, "tested")
    asked = Asked("/")
    with pytest.raises(NotAuthorized, match="this hub does not"):
        prove_by_provider(hub, asked, code_of(hub, asked))


def test_another_provider_that_answers_is_refused(oidc: Site) -> None:
    hub, _ = oidc
    with pytest.raises(NotAuthorized, match="another OpenID provider"):
        prove_by_provider(hub, Asked("/"), "code", "https://evil.example")


def test_a_provider_that_calls_itself_otherwise_is_not_used(oidc: Site) -> None:
    hub, provider = oidc
    wrong = replace(hub, settings=replace(hub.settings, oidc_issuer=f"{provider.issuer}/tenant"))
    with pytest.raises(Unreachable, match="is not what an OpenID provider says"):
        provider_address(wrong, "state", Asked("/"))


def test_without_its_ca_the_provider_is_not_believed(oidc: Site) -> None:
    hub, _ = oidc
    public = replace(hub, settings=replace(hub.settings, oidc_ca_file=""))
    with pytest.raises(Unreachable, match="cannot be reached"):
        provider_address(public, "state", Asked("/"))
