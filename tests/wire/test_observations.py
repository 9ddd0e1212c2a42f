"""Why handshakes fail: each case against the real Envoy, each with exactly its finding, for the right customer."""

import ssl
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.conftest import local_settings
from tests.wire.conftest import ISSUER, World
from tests.wire.observing import Caller, next_caller, said, waited
from tests.wire.test_inbound import SERVER_AUTH, leaf_of, presented, signed_by_the_issuing_ca, twin

from bothways.cli.opening import control_text
from bothways.connectivity.observation import MatchedBy
from bothways.contract.document import Environment
from bothways.operations.certificates import revoke_certificate
from bothways.operations.customers import add_customer
from bothways.operations.hub import initialise, new_terms, open_hub
from bothways.operations.observations import list_observations
from bothways.pki.profile import Profile
from bothways.pki.revocation import RevocationReason
from bothways.registry.customer import CustomerKind
from bothways.spoke.directory import Spoke
from bothways.store.observations import customer_at

pytestmark = pytest.mark.envoy

_VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture
def place(world: World) -> Caller:
    return next_caller(world)


def only(context: ssl.SSLContext, version: ssl.TLSVersion) -> ssl.SSLContext:
    context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize("version", _VERSIONS)
def test_no_certificate_was_sent(world: World, place: Caller, version: ssl.TLSVersion) -> None:
    place.fail(only(world.context(), version))
    assert said(place.observed()) == ("INBOUND-TLS-01", None)


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_certificate_is_of_another_ca(
    world: World, place: Caller, caller: Spoke, tmp_path: Path, make_ca: Callable[..., Any], version: ssl.TLSVersion
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    signer, authority = make_ca("Some other CA")
    foreign = twin(leaf_of(caller), authority.subject, key, signer)
    place.fail(only(world.context(presented(caller, foreign, key, tmp_path)), version))
    observed = place.observed(ISSUER)
    assert said(observed) == ("INBOUND-CERTIFICATE-01", MatchedBy.SUBJECT)
    assert "'CN=Some other CA'" in observed.finding.message


def test_the_certificate_says_that_our_ca_signed_it_and_it_did_not(
    world: World, place: Caller, caller: Spoke, tmp_path: Path
) -> None:
    key, signer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    original = leaf_of(caller)
    place.fail(world.context(presented(caller, twin(original, original.issuer, key, signer), key, tmp_path)))
    assert said(place.observed(ISSUER)) == ("INBOUND-CERTIFICATE-07", MatchedBy.SERIAL)


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_certificate_is_of_the_other_environment(
    world: World, place: Caller, tmp_path_factory: pytest.TempPathFactory, version: ssl.TLSVersion
) -> None:
    directory, settings = tmp_path_factory.mktemp("prd"), local_settings()
    initialise(directory / "hub", new_terms(Environment.PRD, "prd.hub.localhost", settings), settings, "tester")
    with open_hub(directory / "hub", "tester") as hub:
        add_customer(hub, ISSUER, CustomerKind.ISSUER, "Bank")
        spoke, _ = World(hub, directory).certified()
    place.fail(only(world.context(spoke), version))
    observed = place.observed(ISSUER)
    assert said(observed) == ("INBOUND-CERTIFICATE-02", MatchedBy.SUBJECT)
    assert observed.finding.message == "the certificate is for PRD; this is PPR"


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda usual: replace(usual, not_after=datetime.now(UTC) - timedelta(days=1)), "INBOUND-CERTIFICATE-03"),
        (lambda usual: replace(usual, not_before=datetime.now(UTC) + timedelta(hours=1)), "INBOUND-CERTIFICATE-04"),
        (lambda usual: replace(usual, usage=SERVER_AUTH), "INBOUND-CERTIFICATE-06"),
    ],
    ids=["expired", "not valid yet", "for servers"],
)
def test_our_own_certificate_at_another_time_or_for_another_use(
    world: World,
    place: Caller,
    caller: Spoke,
    tmp_path: Path,
    change: Callable[[Profile], Profile],
    wanted: str,
    version: ssl.TLSVersion,
) -> None:
    other = signed_by_the_issuing_ca(world, caller, tmp_path, change)
    place.fail(only(world.context(other), version))
    assert said(place.observed(ISSUER)) == (wanted, MatchedBy.SIGNATURE)


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_certificate_is_revoked_at_the_handshake(world: World, place: Caller, version: ssl.TLSVersion) -> None:
    spoke, serial = world.certified()
    revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
    world.apply()
    place.fail(only(world.context(spoke), version))
    observed = place.observed(ISSUER)
    assert said(observed) == ("INBOUND-CERTIFICATE-05", MatchedBy.CERTIFICATE)
    assert observed.finding.message.startswith("the certificate was revoked on ")
    assert observed.finding.message.endswith(" (keyCompromise)")


def test_tls_is_too_old(world: World, place: Caller, caller: Spoke) -> None:
    context = world.context(caller)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        only(context, ssl.TLSVersion.TLSv1_1)
    place.fail(context)
    observed = place.observed()
    assert said(observed) == ("INBOUND-TLS-02", None)
    assert observed.finding.message == "TLS 1.1 was offered; 1.2 or 1.3 is wanted"


@pytest.mark.parametrize("version", _VERSIONS)
def test_no_curve_in_common(world: World, place: Caller, caller: Spoke, version: ssl.TLSVersion) -> None:
    context = only(world.context(caller), version)
    context.set_ecdh_curve("secp521r1")
    place.fail(context)
    assert said(place.observed()) == ("INBOUND-TLS-03", None)


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_caller_does_not_trust_the_hub(place: Caller, caller: Spoke, version: ssl.TLSVersion) -> None:
    context = only(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), version)
    context.load_cert_chain(caller.certificate_file, caller.key_file)
    place.fail(context)
    assert said(place.observed()) == ("INBOUND-TLS-05", None)


@pytest.mark.parametrize(("name", "wanted"), [("other.localhost", "INBOUND-NAME-01"), (None, "INBOUND-NAME-02")])
def test_a_wrong_or_missing_server_name(
    world: World, place: Caller, caller: Spoke, name: str | None, wanted: str
) -> None:
    context = world.context(caller)
    context.check_hostname = False
    place.fail(context, name)
    assert said(place.observed()) == (wanted, None)


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-2.0-OpenSSH_9.9\r\n"])
def test_it_is_no_tls_at_all(place: Caller, sent: bytes) -> None:
    with place.plain() as line:
        line.sendall(sent)
        with pytest.raises(ConnectionResetError):
            line.recv(1)
    assert said(place.observed()) == ("INBOUND-TLS-04", None)


def test_a_caller_without_a_certificate_is_known_by_an_address_at_which_one_customer_alone_was_seen(
    world: World, place: Caller, caller: Spoke
) -> None:
    with place.open(caller) as line:
        assert line.ask("/tokens")[0] == 200

    def known() -> bool:
        with world.hub.observations.read() as connection:
            return customer_at(connection, place.source) == ISSUER

    waited(known)
    place.fail(world.context())
    assert said(place.observed(ISSUER)) == ("INBOUND-TLS-01", MatchedBy.SOURCE)


def test_the_hubs_own_canary_is_no_stranger(world: World, place: Caller) -> None:
    waited(lambda: "bothways_canary_refused_timestamp_seconds{" in (control_text(world.hub, "/metrics") or ""))
    place.fail(world.context())
    place.observed()
    assert [each for each in list_observations(world.hub) if each.source == "127.0.0.1"] == []
