"""Services: each behind a prefix of its own, for those to whom it was granted."""

import pytest
from tests.operations.conftest import Audit

from bothways.errors import Conflict, NotFound, Refused
from bothways.operations.hub import Hub
from bothways.operations.services import (
    add_service,
    every_grant,
    grant_service,
    list_grants,
    list_services,
    withdraw_service,
)
from bothways.registry.flow import Flow
from bothways.registry.service import Service

TOKENS = Service("tokens", "/tokens", "http://127.0.0.1:9000")


@pytest.fixture
def tokens(hub: Hub) -> str:
    add_service(hub, TOKENS)
    return TOKENS.name


def test_a_service_comes_back_as_it_was_added(hub: Hub, tokens: str, audited: Audit) -> None:
    both = Service("vault", "/vault/v1", "http://vault:80", frozenset(Flow))
    add_service(hub, both)
    assert list_services(hub) == ((TOKENS, 0), (both, 0))
    assert audited()[-2:] == [("service.add", tokens), ("service.add", "vault")]


def test_a_name_is_taken_once(hub: Hub, tokens: str) -> None:
    with pytest.raises(Conflict, match="exists already"):
        add_service(hub, Service(tokens, "/elsewhere", "http://127.0.0.1:9000"))
    assert list_services(hub) == ((TOKENS, 0),)


@pytest.mark.parametrize("prefix", ["/tokens", "/tokens/inner", "/connectivity", "/connectivity/inner"])
def test_a_prefix_inside_another_is_refused(hub: Hub, tokens: str, prefix: str) -> None:
    with pytest.raises(Refused) as refused:
        add_service(hub, Service("other", prefix, "http://127.0.0.1:9000"))
    assert [finding.id for finding in refused.value.findings] == ["SERVICE-03"]
    assert [service.name for service, _ in list_services(hub)] == [tokens]


def test_a_service_is_granted_to_each_customer_separately(
    hub: Hub, tokens: str, issuer: str, merchant: str, audited: Audit
) -> None:
    grant_service(hub, tokens, issuer)
    assert [each["customer"] for each in every_grant(hub, tokens)] == [issuer]
    grant_service(hub, tokens, merchant)
    withdraw_service(hub, tokens, issuer, "tested")
    assert (list_services(hub)[0][1], [each["customer"] for each in every_grant(hub, tokens)]) == (1, [merchant])
    with pytest.raises(NotFound):
        list_grants(hub, "nothing")
    assert [action for action, _ in audited()][-3:] == ["service.grant", "service.grant", "service.withdraw"]


def test_granting_twice_is_granting_once(hub: Hub, tokens: str, issuer: str, audited: Audit) -> None:
    grant_service(hub, tokens, issuer)
    before = audited()
    grant_service(hub, tokens, issuer)
    assert audited() == before
    withdraw_service(hub, tokens, issuer, "tested")
    with pytest.raises(Conflict, match="was not granted"):
        withdraw_service(hub, tokens, issuer, "tested")


def test_what_does_not_exist_is_not_granted(hub: Hub, tokens: str, issuer: str) -> None:
    with pytest.raises(NotFound, match="no service vault"):
        grant_service(hub, "vault", issuer)
    with pytest.raises(NotFound, match="no customer 00000000"):
        grant_service(hub, tokens, "00000000")
    with pytest.raises(NotFound, match="no service vault"):
        withdraw_service(hub, "vault", issuer, "tested")
