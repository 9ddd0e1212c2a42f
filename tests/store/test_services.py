import pytest
from sqlalchemy.exc import IntegrityError

from bothways.errors import NotFound
from bothways.registry.customer import Customer
from bothways.registry.flow import Flow
from bothways.registry.service import Service
from bothways.store import services
from bothways.store.database import Database

TOKENS = Service("tokens", "/tokens", "http://127.0.0.1:8080")
DISPUTES = Service(
    "disputes",
    "/disputes",
    "https://disputes.internal:8443",
    frozenset(Flow),
    upstream_ca="-----BEGIN CERTIFICATE-----",
    http2=True,
    timeout=5,
    streaming=600,
    health_path="/health",
    strip_prefix=True,
    client_cert=True,
)


@pytest.fixture
def stored(database: Database, customer: Customer) -> Database:
    """A database with two services."""
    with database.write(customer.created_at, "tester") as transaction:
        services.add(transaction, TOKENS)
        services.add(transaction, DISPUTES)
    return database


def test_services_come_back_as_they_went_in_by_name(stored: Database) -> None:
    with stored.read() as connection:
        assert services.find(connection, "tokens") == TOKENS
        assert services.find(connection, "disputes") == DISPUTES
        assert services.every(connection) == (DISPUTES, TOKENS)


def test_an_unknown_service_is_not_found(stored: Database) -> None:
    with stored.read() as connection, pytest.raises(NotFound, match=r"there is no service nothing. Look at: "):
        services.find(connection, "nothing")


@pytest.mark.parametrize("taken", [Service("tokens", "/new", "http://a:1"), Service("new", "/tokens", "http://a:1")])
def test_a_name_and_a_prefix_are_given_once(stored: Database, customer: Customer, taken: Service) -> None:
    with (
        pytest.raises(IntegrityError, match="UNIQUE"),
        stored.write(customer.created_at, "tester") as transaction,
    ):
        services.add(transaction, taken)


def test_a_grant_is_made_once_and_for_that_customer_alone(
    stored: Database, customer: Customer, other: Customer
) -> None:
    with stored.write(customer.created_at, "tester") as transaction:
        assert services.grant(transaction, "tokens", customer.tsp_id)
        assert not services.grant(transaction, "tokens", customer.tsp_id)
        assert services.count_grants(transaction.connection) == {"tokens": 1}
        assert services.grant(transaction, "tokens", other.tsp_id)
        assert services.count_grants(transaction.connection) == {"tokens": 2}
        both = {each.tsp_id: each.organization for each in (customer, other)}
        assert services.grants_to(transaction.connection, "tokens", "", 9) == both
        assert [*services.grants_to(transaction.connection, "tokens", "", 1)] == [customer.tsp_id]
        assert [*services.grants_to(transaction.connection, "tokens", customer.tsp_id, 9)] == [other.tsp_id]
        assert services.grants_to(transaction.connection, "disputes", "", 9) == {}


def test_one_service_is_withdrawn_from_one_customer(stored: Database, customer: Customer, other: Customer) -> None:
    with stored.write(customer.created_at, "tester") as transaction:
        for service, tsp_id in (("tokens", customer), ("tokens", other), ("disputes", customer)):
            services.grant(transaction, service, tsp_id.tsp_id)
        assert services.withdraw(transaction, "tokens", customer.tsp_id)
        assert not services.withdraw(transaction, "tokens", customer.tsp_id)
        left = [[*services.grants_to(transaction.connection, each, "", 9)] for each in ("tokens", "disputes")]
        assert left == [["87654321"], ["12345678"]]


@pytest.mark.parametrize(("name", "tsp_id"), [("nothing", "12345678"), ("tokens", "99")])
def test_nothing_is_granted_that_does_not_exist_and_to_nobody(
    stored: Database, customer: Customer, name: str, tsp_id: str
) -> None:
    with (
        pytest.raises(IntegrityError, match="FOREIGN KEY"),
        stored.write(customer.created_at, "tester") as transaction,
    ):
        services.grant(transaction, name, tsp_id)
