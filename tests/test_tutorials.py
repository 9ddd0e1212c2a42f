"""The two tutorials, run together line by line, as they are printed, in a clean directory."""

import pytest
from tests.shell_pages import ALIVE, TUTORIALS, Machine, Terminal, follow_page, machine, shell

from bothways.manual.filling import Names

NAMES = Names("https://api.ppr.hub.localhost:9443", "https://portal.ppr.hub.localhost:8444", "ppr.hub.localhost")
"""As the hub of the tutorial is called."""

pytestmark = [pytest.mark.envoy, pytest.mark.timeout(600)]


def test_both_tutorials_and_the_pages_behind_them_work_as_they_are_printed(subtests: pytest.Subtests) -> None:
    init, run_hub, service, register, request, chain, calls, shut = shell("tutorial-operator")
    begin, csr, install, server, listen, again = shell("tutorial-customer")
    with machine(*TUTORIALS) as here:
        operator, customer = Terminal(here), Terminal(here)
        for block in (init, run_hub, service, register):
            operator.follow(block)
        customer.follow(begin)
        customer.follow(csr)
        operator.follow(request)
        assert '"token": "4111"' in customer.follow(install)
        customer.follow(server)
        customer.follow(listen)
        assert "outbound: established" in operator.follow(chain)
        assert operator.follow(calls).count('"received": true') == 2
        assert "nothing is wrong" in customer.follow(again)
        operator.follow(shut)
        follow_pages(here, subtests)


def follow_pages(here: Machine, subtests: pytest.Subtests) -> None:
    """Run what is on the pages that want a hub and a customer's server that run."""
    done = set[str]()
    for page in ALIVE:
        with subtests.test(page):
            follow_page(here, page, NAMES.fill, done)
