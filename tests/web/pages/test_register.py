"""Customers are looked through page by page, filtered, and registered."""

import re

from tests.web.pages.conftest import Visit, Visitor

from bothways.operations.customers import add_customer, show_customer
from bothways.operations.hub import Hub
from bothways.registry.access import Role
from bothways.registry.customer import CustomerKind


def test_pages_follow_each_other_with_their_filter(hub: Hub, operator: Visitor) -> None:
    for number in range(60):
        add_customer(hub, f"{1000 + number}", CustomerKind.ISSUER, f"Bank {number}")
    page = operator.get("/customers?kind=issuer&find=bank")
    assert page.text.count("/home") == 50
    [following] = re.findall(r'href="([^"]*after=1049)"', page.text)
    page = operator.get(following.replace("&amp;", "&"))
    assert page.text.count("/home") == 10
    assert "kind=issuer" in following
    assert operator.get("/customers?kind=x&attention=y&after=%00").status_code == 200


def test_a_customer_is_registered_or_told_why_not(hub: Hub, operator: Visitor, visit: Visit) -> None:
    answer = operator.post("/customers", tsp_id="777", organization="New Bank", kind="merchant")
    assert answer.headers["location"] == "/customers/777/home?done=added"
    assert show_customer(hub, "777").customer.kind is CustomerKind.MERCHANT
    assert operator.post("/customers", tsp_id="777", organization="New Bank", kind="issuer").status_code == 409
    assert "CUSTOMER-01" in operator.post("/customers", tsp_id="a b", organization="X", kind="issuer").text
    assert visit(Role.REVIEWER).post("/customers", tsp_id="778", organization="X", kind="issuer").status_code == 403
