"""Issuing CA and server CA are replaced under the real Envoy, and no customer notices who does not have to."""

import socket
import ssl
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.programs import needs
from tests.wire.conftest import MERCHANT, World
from tests.wire.load import Load

from bothways.cli.opening import control
from bothways.operations.authorities import add_issuing_authority, add_server_authority, retire_authority
from bothways.operations.certificates import list_certificates, revoke_certificate
from bothways.operations.server_rollover import activate_authority
from bothways.pki.chain import certificate_pem
from bothways.pki.revocation import RevocationReason
from bothways.spoke.directory import Spoke
from bothways.store import authorities
from bothways.store.authorities import Role

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


class Believers:
    """Customers that trust the old server CA, the new one, or both, and call as such; with other `programs` as well."""

    def __init__(self, world: World, spoke: Spoke, place: Path, old: str, new: str, *, programs: bool) -> None:
        self._world, self._spoke, self._programs = world, spoke, programs
        self._files = {"old": place / "old.crt", "new": place / "new.crt", "both": place / "both.crt"}
        for name, pem in (("old", old), ("new", new), ("both", new + old)):
            self._files[name].write_text(pem)

    def let_down(self) -> set[str]:
        """Return who does not believe endpoint and portal; all programs have to agree about each."""
        return {name for name, anchors in self._files.items() if self._doubts(anchors)}

    def _doubts(self, anchors: Path) -> bool:
        endpoint, portal = (self._python(anchors, endpoint=each) for each in (True, False))
        found = {endpoint, portal}
        if self._programs:
            found |= {self._curl(anchors), self._openssl(anchors)}
        assert len(found) == 1, (anchors.name, found)
        return endpoint

    def _curl(self, anchors: Path) -> bool:
        pair = ["--cert", str(self._spoke.certificate_file), "--key", str(self._spoke.key_file)]
        at = f"{self._world.host}:127.0.0.1"
        command = ["curl", "--silent", "--fail", "--resolve", at, *pair, "--cacert", str(anchors)]
        command.append(f"https://{self._world.host}/tokens/curl")
        code = subprocess.run(command, stdout=subprocess.DEVNULL, check=False, timeout=60).returncode
        # "Peer certificate cannot be authenticated with known CA certificates."
        assert code in {0, 60}
        return code == 60

    def _openssl(self, anchors: Path) -> bool:
        name, port = self._world.host.split(":")
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-CAfile", str(anchors)]
        command += ["-verify_return_error", "-verify_hostname", name]
        command += ["-cert", str(self._spoke.certificate_file), "-key", str(self._spoke.key_file)]
        done = subprocess.run(command, input=b"", capture_output=True, check=False, timeout=60)
        assert (done.returncode == 0) == (b"Verify return code: 0 (ok)" in done.stdout), done.stderr
        return done.returncode != 0

    def _python(self, anchors: Path, *, endpoint: bool) -> bool:
        context = ssl.create_default_context(cafile=str(anchors))
        portal = urlsplit(self._world.hub.terms.portal)
        try:
            if endpoint:
                self._world.tls(context).close()
            else:
                with socket.create_connection(("127.0.0.1", portal.port or 443), 10) as plain:
                    context.wrap_socket(plain, server_hostname=portal.hostname).close()
        except ssl.SSLCertVerificationError:
            return True
        return False


@needs("curl")
@pytest.mark.parametrize("programs", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_the_server_ca_is_replaced_and_no_call_is_lost(world: World, tmp_path: Path, programs: bool) -> None:  # noqa: FBT001
    hub, (spoke, _) = world.hub, world.connected()
    with hub.read() as connection:
        old = authorities.signing_authority(connection, Role.SERVER)
    with Load(world, spoke) as load:
        new = add_server_authority(hub)
        pem = certificate_pem(old.certificate), certificate_pem(new.certificate)
        believers = Believers(world, spoke, tmp_path, *pem, programs=programs)
        for change, wanted in ((None, {"new"}), (new.id, set()), (old.id, {"new"}), (new.id, set())):
            if change:
                activate_authority(hub, change, "tested")
            world.apply()
            assert believers.let_down() == wanted
            load.wait_for_more(5)
    assert load.lost == []
    # Who calls here never took the contract.
    retire_authority(hub, old.id, "tested", force=True)
    world.apply()
    assert believers.let_down() == {"old"}
    status = control(hub, "GET", "/status")
    assert status is not None
    assert status["problem"] == ""
