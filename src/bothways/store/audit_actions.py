"""The actions of the audit, and what the line of each must say beside who, when and in which call.

Three laws. What is new stands in the line under its own names. Where it takes the place of something, that is `before`.
Whoever takes away, refuses or shuts says why: `reason` has a person's words, or the cause where no person decided.
"""

from collections.abc import Mapping

REASON, BEFORE = "reason", "before"


def _carries(names: str = "") -> frozenset[str]:
    return frozenset(names.split())


ACTIONS: Mapping[str, frozenset[str]] = {
    "audit.head": _carries("reason"),
    "authority.activate": _carries("serial before reason"),
    "authority.add": _carries("role key"),
    "authority.retire": _carries("key reason"),
    "bundle.export": _carries("id fingerprint members"),
    "bundle.import": _carries("id fingerprint signer members"),
    "certificate.issue": _carries("customer"),
    "certificate.revoke": _carries("customer reason"),
    "certificate.seen": _carries("customer"),
    "certificate.supersede": _carries("customer reason"),
    "chain.endorse": _carries("customer fingerprint pins"),
    "chain.propose": _carries("customer person"),
    "chain.refuse": _carries("customer fingerprint reason"),
    "chain.submit": _carries("customer fingerprint"),
    "chain.withdraw": _carries("customer fingerprint reason"),
    "contact.add": _carries("customer kind address"),
    "contact.remove": _carries("customer kind address reason"),
    "contract.take": _carries("way"),
    "crl.publish": _carries("authority revoked"),
    "customer.add": _carries("kind organization"),
    "customer.remove": _carries("kind organization reason"),
    "customer.resume": _carries("reason"),
    "customer.suspend": _carries("reason"),
    "endpoint.approve": _carries("url before"),
    "endpoint.path": _carries("url before"),
    "endpoint.propose": _carries("customer person"),
    "endpoint.refuse": _carries("customer url reason"),
    "endpoint.remove": _carries("before reason"),
    "endpoint.replace": _carries("customer url reason"),
    "endpoint.set": _carries("url before"),
    "endpoint.submit": _carries("customer url"),
    "enrolment.password": _carries("expires"),
    "hub.backup": _carries(),
    "hub.hold": _carries("node reason"),
    "hub.init": _carries("environment"),
    "hub.join": _carries("directory"),
    "hub.migrate": _carries("before after"),
    "hub.move": _carries("rows tables"),
    "hub.reconcile": _carries("lost lists ended reason"),
    "hub.reopen": _carries("before reason"),
    "hub.restore": _carries("backup_of head lists ended"),
    "hub.retry": _carries("node before reason"),
    "hub.shut": _carries("reason"),
    "hub.terms": _carries("before after"),
    "key.ban": _carries("cause reason"),
    "key.take-in": _carries("keys"),
    "node.add": _carries("certificate inbound egress"),
    "node.certificate-used": _carries(),
    "node.renew": _carries("certificate inbound egress before"),
    "node.withdraw": _carries("reason"),
    "outbound.csr": _carries("number spki"),
    "outbound.install": _carries("number fingerprint serial until before"),
    "outbound.remove": _carries("number state reason"),
    "passphrase.change": _carries("before after keys"),
    "person.accept": _carries("customer email"),
    "person.add": _carries("customer email name role os_user"),
    "person.disable": _carries("customer email role reason"),
    "person.invite": _carries("customer email"),
    "person.lock": _carries("customer email reason"),
    "person.passkey": _carries("customer email"),
    "person.propose": _carries("customer person email name role os_user"),
    "person.refuse": _carries("customer email role what reason"),
    "probe": _carries("address ok seen"),
    "probe.certificates": _carries(),
    "request.approve": _carries("customer serial"),
    "request.propose": _carries("customer person"),
    "request.refuse": _carries("customer reason"),
    "request.renews": _carries("customer serial"),
    "request.submit": _carries("customer fingerprint"),
    "request.withdraw": _carries("customer serial reason"),
    "rotate.client": _carries("before"),
    "rotate.control-plane": _carries("before"),
    "rotate.hold": _carries("serial reason"),
    "rotate.next": _carries(),
    "rotate.release": _carries("reason"),
    "rotate.server": _carries("before"),
    "service.add": _carries("prefix upstream upstream_ca needs"),
    "service.grant": _carries("customer"),
    "service.withdraw": _carries("customer reason"),
    "session.begin": _carries("customer email how"),
    "session.end": _carries("customer email"),
    "sign-in.propose": _carries("customer person email"),
    "token.add": _carries("customer name role scopes expires"),
    "token.revoke": _carries("customer name role reason"),
}
"""The names in the detail of each action's line. A line may say more."""

OPTIONAL = frozenset({"customer.resume", "hub.reopen", "hub.retry"})
"""What gives back: why may be left out, and then stands there as an empty text."""


def missing(action: str, detail: Mapping[str, object]) -> frozenset[str]:
    """Return what the line of an action lacks. Raises `KeyError` for an action that is not in the table."""
    lacking = ACTIONS[action] - detail.keys()
    if REASON in ACTIONS[action] and action not in OPTIONAL and not str(detail.get(REASON) or "").strip():
        lacking |= {REASON}
    return lacking
