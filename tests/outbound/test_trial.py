"""What a customer's CA signed is tried at that customer's server, before anything depends on it."""

from typing import Any

from tests.outbound.conftest import Serve
from tests.outbound.signing import returned_by

from bothways.operations.customer_credentials import request_credential, show_credentials
from bothways.operations.hub import Hub
from bothways.outbound.handshake import Verdict
from bothways.outbound.trial import try_credential
from bothways.pki.chain import certificate_pem


def test_a_server_that_does_not_trust_its_own_ca_yet_is_found_and_one_that_does_is_not(
    hub: Hub, issuer: str, serve: Serve, make_ca: Any
) -> None:
    server, ca = serve(issuer), make_ca("Bank Clients")
    certificate = returned_by(ca, request_credential(hub, issuer, {}))
    seen = try_credential(hub, issuer, certificate)
    assert seen is not None
    assert seen.verdict is Verdict.REFUSED
    server.trust(certificate_pem(ca[1]))
    assert try_credential(hub, issuer, certificate) is None
    assert [each.state.value for each in show_credentials(hub, issuer)] == ["requested"]


def test_nothing_speaks_against_it_where_nobody_is_called_yet(hub: Hub, issuer: str, make_ca: Any) -> None:
    assert try_credential(hub, issuer, returned_by(make_ca("CA"), request_credential(hub, issuer, {}))) is None
