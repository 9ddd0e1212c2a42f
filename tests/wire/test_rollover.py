"""The issuing CA is replaced under the real Envoy, and no customer notices who does not have to."""

import ssl

import pytest
from tests.wire.conftest import MERCHANT, World

from bothways.operations.authorities import add_issuing_authority, retire_authority
from bothways.operations.certificates import list_certificates, revoke_certificate
from bothways.pki.revocation import RevocationReason

pytestmark = pytest.mark.envoy


def refused(world: World, context: ssl.SSLContext) -> str:
    """Shake hands, and return the alert with which the endpoint refused."""
    # So that the client reads before it writes: in TLS 1.3 its handshake is over before the server has judged it.
    with pytest.raises(ssl.SSLError) as alert, world.tls(context) as line:
        line.recv(1)
    return str(alert.value.reason)


def test_old_and_new_certificates_open_the_endpoint_until_the_old_ca_is_retired(world: World) -> None:
    (old, _), (lost, lost_serial) = world.connected(), world.connected(MERCHANT)
    with world.open(old) as line:
        assert line.ask("/tokens/before")[0] == 200
        add_issuing_authority(world.hub)
        world.apply()
        assert line.ask("/tokens/on-the-open-connection")[0] == 200
        (new, _), (gone, gone_serial) = world.connected(), world.connected()
        for spoke in (old, new):
            with world.open(spoke) as another:
                assert another.ask("/tokens/both")[0] == 200
        # Each CA's own list counts, and refuses nobody else.
        for spoke, serial in ((lost, lost_serial), (gone, gone_serial)):
            revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
            world.apply()
            assert refused(world, world.context(spoke)) == "SSLV3_ALERT_CERTIFICATE_REVOKED"
        for spoke in (old, new):
            with world.open(spoke) as another:
                assert another.ask("/tokens/still")[0] == 200
        for each in list_certificates(world.hub):
            if each.authority_id == 1 and each.revoked_at is None:
                revoke_certificate(world.hub, each.serial, RevocationReason.SUPERSEDED)
        retire_authority(world.hub, 1, "tested")
        world.apply()
        assert line.ask("/tokens/after")[0] == 403
    assert refused(world, world.context(old)) == "TLSV1_ALERT_UNKNOWN_CA"
    with world.open(new) as another:
        assert another.ask("/tokens/alone")[0] == 200
