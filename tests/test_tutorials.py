"""The two tutorials, run together line by line, as they are printed, in a clean directory."""

import pytest
from tests.shell_pages import Terminal, machine, shell

pytestmark = [pytest.mark.envoy, pytest.mark.timeout(300)]


def test_both_tutorials_work_as_they_are_printed() -> None:
    init, run_hub, service, register, request, chain, calls, shut = shell("tutorial-operator")
    begin, csr, install, server, listen, again = shell("tutorial-customer")
    with machine() as here:
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
