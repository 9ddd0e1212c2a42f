"""Settings: read back as they were written, every mistake told at once, the dangerous knobs off."""

from dataclasses import replace
from pathlib import Path

import pytest

from bothways.errors import Refused, Unusable
from bothways.operations.settings import FILE, Settings, TwoPeople, read_settings, render_settings
from bothways.xds.state import Address

ODD = Settings(
    inbound_address="::1",
    inbound_port=1,
    egress_address="10.0.0.1",
    egress_port=65535,
    portal_address="0.0.0.0",  # noqa: S104
    portal_port=443,
    nodes_address="::",
    nodes_port=18000,
    nodes_connectivity_port=18001,
    passphrase_file="/etc/pass phrase",  # noqa: S106 - the name of a file
    envoy='/opt/"envoy"',
    danger_outbound_loopback=True,
    danger_outbound_any_port=True,
    scheduled_probes=False,
    signer="pkcs11:token=hub;object=ca?module-path=/lib/hsm.so&pin-source=/etc/pin",
    crl_url="http://pki.hub.example/crl",
    danger_enrolment_without_review=True,
    used_elsewhere="/var/lib/bothways/keys of the other",
    two_people=TwoPeople.ALWAYS,
    smtp_host="mail.hub.example",
    smtp_port=25,
    smtp_sender="pki@hub.example",
    smtp_username="hub",
    smtp_password_file="smtp-password",  # noqa: S106 - the name of a file
    smtp_ca_file="/etc/mail-ca.pem",
    danger_smtp_plain=True,
    canary_addresses=(Address("192.0.2.7", 443), Address("2001:db8::7", 8443)),
)


@pytest.mark.parametrize("settings", [Settings(), ODD])
def test_settings_are_read_back_as_they_were_written(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / FILE).write_text(render_settings(settings))
    assert read_settings(tmp_path) == settings


def test_an_empty_file_is_the_defaults_and_nothing_dangerous(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("")
    settings = read_settings(tmp_path)
    assert settings == Settings()
    assert not settings.danger_outbound_loopback
    assert not settings.danger_outbound_any_port


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(
        """
        [listen]
        inbound_port = 0
        egress_port = "15001"
        portal_prot = 8444
        [outbound]
        danger_outbound_loopback = "yes"
        """
    )
    with pytest.raises(Refused) as refused:
        read_settings(tmp_path)
    text = str(refused.value)
    for key in ("inbound_port", "egress_port", "portal_prot", "danger_outbound_loopback"):
        assert key in text


@pytest.mark.parametrize("key", ["inbound_address", "egress_address", "portal_address"])
@pytest.mark.parametrize("found", ["localhost", "hub.example", "127.0.0.1:8443", "[::1]", "fe80::1%eth0", ""])
def test_only_an_ip_address_can_be_listened_at(tmp_path: Path, key: str, found: str) -> None:
    (tmp_path / FILE).write_text(f'listen.{key} = "{found}"')
    with pytest.raises(Refused) as refused:
        read_settings(tmp_path)
    [finding] = refused.value.findings
    assert finding.message.startswith(f"listen.{key}: found {found!r}, wanted the IP address of an interface")


def test_a_file_that_is_no_toml_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("[listen")
    with pytest.raises(Refused, match=r"hub\.toml"):
        read_settings(tmp_path)


def test_without_a_file_the_directory_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"hub\.toml"):
        read_settings(tmp_path)


def test_settings_cannot_be_changed_by_accident() -> None:
    with pytest.raises(AttributeError):
        Settings().inbound_port = 1  # type: ignore[misc]
    assert replace(Settings(), inbound_port=1).inbound_port == 1


@pytest.mark.parametrize(
    "address", ["hub.example:443", "192.0.2.7", "192.0.2.7:0", "192.0.2.7:65536", "192.0.2.7:x", 7]
)
def test_the_canary_knocks_at_addresses_with_ports_alone(tmp_path: Path, address: object) -> None:
    (tmp_path / FILE).write_text(f"[canary]\naddresses = ['192.0.2.7:443', {address!r}]\n")
    with pytest.raises(Refused) as refused:
        read_settings(tmp_path)
    assert [finding.id for finding in refused.value.findings] == ["CONTRACT-ADDRESS"]
    assert repr(address) in refused.value.findings[0].message


@pytest.mark.parametrize("name", ["nodes_port", "nodes_connectivity_port"])
def test_remote_nodes_need_both_ports_and_without_either_none_is_let_in(tmp_path: Path, name: str) -> None:
    assert (Settings().nodes_port, Settings().nodes_connectivity_port) == (0, 0)
    (tmp_path / FILE).write_text(f"[listen]\n{name} = 18000\n")
    with pytest.raises(Refused, match="Remote nodes need both"):
        read_settings(tmp_path)
