import re
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from bothways.errors import Unusable
from bothways.signer.token_uri import EXAMPLE, parse_token_uri
from bothways.spoke.directory import Spoke
from bothways.spoke.snippet import Stack, Wiring, snippet, system_resolvers
from bothways.spoke.token_key import reference
from bothways.xds.state import Address

# Each is run for real in tests/wire/test_snippets.py, but .NET, which Debian has not.


@pytest.fixture
def wiring(tmp_path: Path) -> Wiring:
    return Wiring(tmp_path / "server.crt", tmp_path / "server.key", "callbacks.bank.example")


@pytest.mark.parametrize("stack", Stack)
def test_each_place_is_filled_in(spoke: Spoke, wiring: Wiring, stack: Stack) -> None:
    text = snippet(stack, spoke, wiring)
    assert not re.search(r"@[a-z_]+@", text)
    for said in (str(spoke.directory), spoke.contract.terms.hub, "12345678"):
        assert said in text
    if stack is not Stack.CURL:
        assert str(wiring.server_certificate) in text


@pytest.mark.parametrize("stack", Stack)
def test_no_text_keeps_an_address_or_trusts_more_than_the_contract(spoke: Spoke, wiring: Wiring, stack: Stack) -> None:
    text = snippet(stack, spoke, wiring)
    said = {
        Stack.NGINX: ("resolver ", "set $hub ", "proxy_ssl_verify on", "ssl_verify_client on"),
        Stack.HAPROXY: ("resolvers hub", "hold obsolete 0s", "pool-max-conn 0", "verifyhost", "verify required"),
        Stack.APACHE: (
            "disablereuse=On",
            "SSLProxyVerify require",
            "SSLProxyCheckPeerName on",
            "SSLVerifyClient require",
        ),
        Stack.ENVOY: ('"respect_dns_ttl": true', '"require_client_certificate": true', '"max_connection_duration"'),
        Stack.JAVA: ('"networkaddress.cache.ttl", "1"', '"http.keepAlive", "false"', "setNeedClientAuth(true)"),
        Stack.DOTNET: ("PooledConnectionLifetime", "CustomRootTrust", "RequireCertificate", "MatchesHostname(Hub"),
        Stack.NODE: ("agent: false", "requestCert: true", "rejectUnauthorized: true"),
        Stack.GO: ("DisableKeepAlives: true", "RequireAndVerifyClientCert", "VerifyConnection"),
        Stack.PYTHON: ("PROTOCOL_TLS_CLIENT", "CERT_REQUIRED"),
        Stack.CURL: ("--cacert",),
        Stack.OPENSSL: ("-verify_return_error", "-verify_hostname", "-Verify 4", "-no-CAstore"),
    }[stack]
    assert [each for each in said if each not in text] == []


@pytest.mark.parametrize("stack", [Stack.NGINX, Stack.HAPROXY, Stack.CURL, Stack.OPENSSL, Stack.PYTHON])
def test_what_is_built_on_openssl_is_told_how_to_reach_a_token(spoke: Spoke, wiring: Wiring, stack: Stack) -> None:
    plain = snippet(stack, spoke, wiring)
    lead_to_token(spoke)
    text = snippet(stack, spoke, wiring)
    assert text.endswith(plain)
    before = text.removesuffix(plain)
    assert f"OPENSSL_CONF={spoke.directory}/current/openssl.cnf" in before
    assert "The key our-key lies in the token ppr" in before
    lines = before.splitlines()
    assert [each for each in lines if each and not each.startswith(("#", "export OPENSSL_CONF="))] == []


@pytest.mark.parametrize("stack", [Stack.APACHE, Stack.ENVOY, Stack.JAVA, Stack.DOTNET, Stack.NODE, Stack.GO])
def test_what_reaches_no_token_says_which_proxy_does(spoke: Spoke, wiring: Wiring, stack: Stack) -> None:
    lead_to_token(spoke)
    with pytest.raises(Unusable, match=rf"{stack.value} does not reach it by itself.*bothways spoke config nginx"):
        snippet(stack, spoke, wiring)


def lead_to_token(spoke: Spoke) -> None:
    """Make the spoke's key one in a token; nobody opens it here."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    spoke.key_file.write_bytes(reference(parse_token_uri(EXAMPLE), public))


def test_a_path_that_means_something_to_a_program_is_refused(spoke: Spoke, wiring: Wiring) -> None:
    for name in ("a b", "a;b", 'a"b', "a$b", "a'b", "a\nb"):
        with pytest.raises(Unusable, match="letters, digits"):
            snippet(Stack.NGINX, spoke, replace(wiring, server_key=Path(f"/{name}/tls.key")))


def test_the_systems_dns_servers_are_read() -> None:
    text = "# nameserver 10.0.0.9\nsearch bank.example\nnameserver 10.0.0.2\nnameserver fe80::1%eth0\nnameserver x\n"
    assert system_resolvers(text) == (Address("10.0.0.2", 53), Address("fe80::1", 53))
    assert str(system_resolvers(text)[1]) == "[fe80::1]:53"
