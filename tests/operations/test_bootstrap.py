"""The files of a node: the private key in them alone, what was there replaced only if it was this node's."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from tests.operations.conftest import Audit
from tests.stored_keys import key_names

from bothways.errors import Conflict, Refused, Unusable
from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.hub import Hub
from bothways.operations.nodes import list_nodes
from bothways.registry.node import Binding
from bothways.store import authorities
from bothways.store.authorities import Role
from bothways.store.nodes import NodeCertificate
from bothways.xds.state import Address

PLACES = ([Address("127.0.0.1", 18000)], [Address("127.0.0.1", 18001)])
FILES = {"envoy.json", "tls.crt", "tls.key", "ca.crt", "node-certificate.json", "node-trust.json", "node.toml"}


def public_part(pem: bytes) -> bytes:
    return load_pem_private_key(pem, None).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_a_node_gets_all_that_it_needs_and_nobody_else_can_read_its_key(nodes_hub: Hub, tmp_path: Path) -> None:
    before = key_names(nodes_hub)
    out = tmp_path / "new" / "eu-1"
    bootstrap_node(nodes_hub, "eu-1", out, *PLACES)
    assert {each.name for each in out.iterdir()} == FILES
    assert (out / "tls.key").stat().st_mode & 0o777 == 0o600
    certificate = x509.load_pem_x509_certificate((out / "tls.crt").read_bytes())
    ca = x509.load_pem_x509_certificate((out / "ca.crt").read_bytes())
    certificate.verify_directly_issued_by(ca)
    with nodes_hub.read() as connection:
        assert ca == authorities.signing_authority(connection, Role.NODE).certificate
    key = (out / "tls.key").read_bytes()
    assert public_part(key) == certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert json.loads((out / "envoy.json").read_text())["node"]["id"] == "eu-1"
    # The hub keeps no key of a node.
    assert key_names(nodes_hub) == before
    secret = load_pem_private_key(key, None).private_numbers().private_value.to_bytes(32, "big")  # type: ignore[union-attr]
    assert not any(secret in path.read_bytes() for path in nodes_hub.directory.glob("hub.db*"))


def test_a_renewal_has_another_key_and_the_node_stays_where_it_binds(
    nodes_hub: Hub, tmp_path: Path, audited: Audit
) -> None:
    binding = Binding("::1", 443, "::1", 15002)
    first = bootstrap_node(nodes_hub, "eu-1", tmp_path, *PLACES, binding)
    key = (tmp_path / "tls.key").read_bytes()
    again = bootstrap_node(nodes_hub, "eu-1", tmp_path, *PLACES)
    assert (again.id, again.binding) == (first.id, binding)
    assert (tmp_path / "tls.key").read_bytes() != key
    moved = bootstrap_node(nodes_hub, "eu-1", tmp_path, *PLACES, Binding("::1", 444, "::1", 15002))
    assert moved.binding.inbound_port == 444
    assert len(list_nodes(nodes_hub)[0]["certificates"]) == 3
    assert audited()[-3:] == [("node.add", "eu-1"), ("node.renew", "eu-1"), ("node.renew", "eu-1")]


@pytest.mark.parametrize("name", ["tls.key", "tls.crt"])
def test_a_key_or_certificate_of_somebody_else_is_not_overwritten(
    nodes_hub: Hub, tmp_path: Path, certify_node: Callable[[str], NodeCertificate], audited: Audit, name: str
) -> None:
    certify_node("eu-2")
    place = tmp_path / "out"
    place.mkdir()
    (place / name).write_text("somebody's")
    lines = audited()
    for there in (place, tmp_path / "eu-2"):
        with pytest.raises(Conflict, match="keys are never overwritten"):
            bootstrap_node(nodes_hub, "eu-1", there, *PLACES)
    assert (place / name).read_text() == "somebody's"
    assert audited() == lines


def test_a_node_that_cannot_be_leaves_nothing(nodes_hub: Hub, tmp_path: Path, audited: Audit) -> None:
    lines = audited()
    with pytest.raises(Refused, match="NODE-NAME"):
        bootstrap_node(nodes_hub, "EU 1", tmp_path, *PLACES)
    with pytest.raises(Refused, match="NODE-NAME"):
        bootstrap_node(nodes_hub, "ppr-embedded", tmp_path, *PLACES)
    bootstrap_node(nodes_hub, "eu-1", tmp_path, *PLACES)
    with pytest.raises(Refused, match="NODE-ADDRESS"):
        bootstrap_node(nodes_hub, "eu-1", tmp_path, *PLACES, Binding("here", 1, "::1", 1))
    assert audited() == [*lines, ("node.add", "eu-1")]


def test_a_hub_without_a_port_for_nodes_makes_none(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"listen.nodes_port is 0.*hub\.toml"):
        bootstrap_node(hub, "eu-1", tmp_path, *PLACES)
    assert list_nodes(hub) == []
