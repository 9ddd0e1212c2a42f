"""The files of a remote node: its private key, which the hub does not keep, its certificate, and Envoy's bootstrap."""

from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bothways import files
from bothways.errors import Conflict, NotFound, Refused, Unusable
from bothways.operations.hub import Hub, serial_number
from bothways.operations.node_authority import node_trust
from bothways.operations.node_settings import NODE_FILE, NodeSettings, render_node
from bothways.operations.nodes import default_binding
from bothways.pki import issue, profile
from bothways.pki.chain import certificate_pem, fingerprint
from bothways.registry.node import Binding, Node, node_findings
from bothways.store import authorities, nodes
from bothways.store.authorities import Role
from bothways.store.database import Transaction
from bothways.xds import bootstrap, names
from bothways.xds.state import Address, RemoteHub


def bootstrap_node(
    hub: Hub,
    name: str,
    out: Path,
    control_planes: Sequence[Address],
    connectivity: Sequence[Address],
    binding: Binding | None = None,
    reached_at: Address | None = None,
) -> Node:
    """Give the node `name` a new key and certificate, and write all that an Envoy there needs into `out`.

    A name that is new becomes a node; one that is known keeps its other certificates until the new one was used.
    `control_planes` and `connectivity` are where the node reaches them, in the order in which its agent tries them;
    `binding` is where it binds, None for where it did, or where the hub's settings say; `reached_at` is where the
    control plane reaches its endpoint, None for where it did, or where the node binds. The key is in `out` alone.
    Raises `Refused`, `Conflict` if `out` holds another key, `Unusable` if it cannot be written or the hub lets no node
    in.
    """
    if not hub.settings.nodes_port:
        raise Unusable(
            "the hub lets no remote node in: listen.nodes_port is 0. Set nodes_address, nodes_port and "
            f"nodes_connectivity_port in {hub.directory / 'hub.toml'}, and start the hub again."
        )
    _require_own(hub, name, out)
    files.make_directory(out.absolute())
    key = ec.generate_private_key(ec.SECP256R1())
    with hub.write() as transaction:
        node, before = _recorded(hub, transaction, name, binding)
        if reached_at is not None:
            nodes.reach(transaction, node.id, str(reached_at))
            node = nodes.find(transaction.connection, name)
        certificate, trusted = certified(hub, transaction, node, key.public_key())
        transaction.audit(
            "node.renew" if before else "node.add",
            name,
            certificate=f"{certificate.serial_number:x}",
            **places(node.binding),
            **({"reached_at": str(reached_at)} if reached_at else {}),
            **({"before": places(before)} if before else {}),
        )
    place = RemoteHub(tuple(control_planes), tuple(connectivity), hub.control_plane_name)
    texts = {**bootstrap.remote_files(name, place), NODE_FILE: render_node(NodeSettings(name, place))}
    for file, text in texts.items():
        files.replace(out / file, text.encode())
    files.replace(out / names.TRUST_FILE, trusted.encode())
    # The certificate before the key: an Envoy that looks in between finds no pair, and keeps the one that it has.
    files.replace(out / names.CERTIFICATE_FILE, certificate_pem(certificate).encode())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files.replace(out / names.KEY_FILE, pem, files.PRIVATE)
    return node


def _recorded(hub: Hub, transaction: Transaction, name: str, binding: Binding | None) -> tuple[Node, Binding | None]:
    """Return the node with this name, and where it bound before; None if it is new, and stored now."""
    try:
        known = nodes.find(transaction.connection, name)
    except NotFound:
        wanted = binding or default_binding(hub)
        if findings := node_findings(name, wanted, names.embedded_node(hub.environment.value)):
            raise Refused(findings) from None
        return nodes.add(transaction, name, wanted), None
    if binding is not None and binding != known.binding:
        if findings := node_findings(name, binding, names.embedded_node(hub.environment.value)):
            raise Refused(findings)
        nodes.move(transaction, known.id, binding)
    return nodes.find(transaction.connection, name), known.binding


def places(binding: Binding) -> dict[str, str]:
    """Return where a node binds, as the audit says it."""
    return {
        "inbound": f"{binding.inbound_address} {binding.inbound_port}",
        "egress": f"{binding.egress_address} {binding.egress_port}",
    }


def certified(
    hub: Hub, transaction: Transaction, node: Node, key: ec.EllipticCurvePublicKey
) -> tuple[x509.Certificate, str]:
    """Return a new certificate of the node, stored, and the CAs under which it finds the control plane, in PEM."""
    issuer = authorities.signing_authority(transaction.connection, Role.NODE)
    signer = hub.keys.signer_of(issuer.certificate, issuer.key_name)
    wanted = profile.node(node.name, hub.terms.hub, hub.environment, key, transaction.now)
    unsigned = issue.issued_by(issuer.certificate, wanted, serial_number())
    certificate = issue.assemble(unsigned, signer.sign(unsigned))
    nodes.add_certificate(transaction, node.id, certificate, issuer)
    return certificate, node_trust(transaction.connection)


def _require_own(hub: Hub, name: str, out: Path) -> None:
    """Raise `Conflict` unless the key in `out`, if there is one, is this node's: no other is ever overwritten."""
    if not (out / names.KEY_FILE).exists() and not (out / names.CERTIFICATE_FILE).exists():
        return
    try:
        content = files.read(out / names.CERTIFICATE_FILE, "the node's certificate")
        found = fingerprint(x509.load_pem_x509_certificate(content))
    except (Unusable, ValueError):
        found = ""
    with hub.read() as connection:
        named = {each.id for each in nodes.every(connection, withdrawn=True) if each.name == name}
        own = {each.fingerprint for each in nodes.certificates(connection) if each.node_id in named}
    if found not in own:
        raise Conflict(
            f"{out} holds a key that is not the node {name}'s, and keys are never overwritten. Name another directory."
        )
