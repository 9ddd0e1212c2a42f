"""What must be true of a hub whatever was killed: everything that is stored, and everything that was acknowledged."""

from collections import Counter
from collections.abc import Iterator

from cryptography import x509
from sqlalchemy import Connection, select
from tests.crash.lifecycle import late
from tests.crash.notes import ACKNOWLEDGED, PUBLISHED, SIGNED, note, noted
from tests.crash.outbound import check_outbound, outbound_facts

from bothways.operations.certificates import list_certificates
from bothways.operations.expiry import expiring
from bothways.operations.hub import Hub
from bothways.operations.keys import list_banned_keys
from bothways.operations.requests import list_requests
from bothways.pki.revocation import RevocationReason
from bothways.store import authorities, keys, revocation_lists, schema, sealed_keys
from bothways.store.audit import first_broken
from bothways.store.authorities import Role
from bothways.store.certificates import StoredCertificate
from bothways.store.requests import RequestState, StoredRequest
from bothways.store.revocation_lists import KEPT

Lines = Counter[tuple[str, str]]


def check(hub: Hub, *, finished: bool = False) -> None:
    """Look at everything: what is stored, what was acknowledged, what a key signed, and the audit.

    `finished` tells that the hub did just now what it does when it starts.
    """
    requests = {each.id: each for each in list_requests(hub)}
    certificates = list_certificates(hub)
    with hub.read() as connection:
        assert first_broken(connection) is None
        rows = connection.execute(select(schema.audit.c.action, schema.audit.c.subject))
        lines = Counter((row.action, row.subject) for row in rows)
        check_certificates(hub, connection, requests, certificates)
        check_keys(hub, connection, requests)
        check_notices(hub, connection, finished=finished)
        check_outbound(hub, connection)
        check_lists(hub, connection, certificates, lines, finished=finished)
        assert sealed_keys.missing(connection) == (), "a key is lost"
        expected = Counter(changes(hub, connection, requests, certificates))
    told = {key: count for key, count in lines.items() if key[0] in {action for action, _ in expected}}
    assert told == expected, "the audit has one line for each change"
    check_acknowledged(hub, requests, certificates)


def check_certificates(
    hub: Hub,
    connection: Connection,
    requests: dict[int, StoredRequest],
    certificates: tuple[StoredCertificate, ...],
) -> None:
    """One certificate for each approval, signed by its CA as it was reserved, each serial number once."""
    approved = sorted(
        each.id for each in requests.values() if each.state in {RequestState.APPROVED, RequestState.WITHDRAWN}
    )
    assert [each.request_id for each in certificates] == approved, "one certificate for each approved request"
    assert len({each.serial for each in certificates}) == len(certificates), "serial numbers are unique"
    for each in certificates:
        if requests[each.request_id].state is RequestState.WITHDRAWN:
            assert each.revoked_at, "a withdrawn approval leaves no certificate"
        if each.der is None:
            assert each.revoked_at, "what was approved is signed"
            continue
        certificate = x509.load_der_x509_certificate(each.der)
        certificate.verify_directly_issued_by(authorities.authority_by_id(connection, each.authority_id).certificate)
        assert (certificate.tbs_certificate_bytes, f"{certificate.serial_number:x}") == (each.unsigned.der, each.serial)
    stored = {each.unsigned.der.hex() for each in certificates}
    assert set(noted(hub.directory, SIGNED)) <= stored, "a key signed what is not stored"


def check_keys(hub: Hub, connection: Connection, requests: dict[int, StoredRequest]) -> None:
    """Nothing is in force with a banned key; of two keys with a prime in common both are banned, or one is unknown."""
    assert keys.certified_and_banned(connection, hub.now()) == (), "a key is banned, and its certificate is in force"
    known = {pin for pin, _ in keys.moduli_after(connection, 0)}
    shared = [each for each in list_banned_keys(hub) if each.shares_with]
    assert len(shared) == (2 if len(known) == 2 else 0), "both keys with a common prime are banned"
    assert {each.spki_pin for each in shared} <= known
    rsa = {each.request.spki_pin for each in requests.values() if b"TLSMA-RSA" in each.request.der}
    assert rsa <= known, "the key of a request was never compared"


def check_notices(hub: Hub, connection: Connection, *, finished: bool) -> None:
    """Of what ends in months, each notice is stored once, or none is; after an upkeep, none that is due is missing."""
    columns = (getattr(schema.notice.c, each) for each in ("contact_id", "kind", "subject", "threshold_days"))
    rows = [tuple(row) for row in connection.execute(select(*columns))]
    assert len(set(rows)) == len(rows), "a notice is stored twice"
    if finished:
        assert notices_due(hub, connection) <= set(rows), "a notice is missing"
    if list_certificates(hub):
        later = notices_due(late(hub), connection)
        told = "told 1" in noted(hub.directory, ACKNOWLEDGED)
        assert later & set(rows) in ([later] if told else [later, set()]), "a notice is lost"


def notices_due(hub: Hub, connection: Connection) -> set[tuple[int, str, str, int]]:
    """Return contact, kind, subject and threshold of each notice that has to be there."""
    contacts = connection.execute(select(schema.contact.c.id, schema.contact.c.tsp_id)).all()
    return {
        (contact.id, each.kind, each.subject, each.threshold(hub.now()) or 0)
        for each in expiring(hub)
        for contact in contacts
        if contact.tsp_id in {None, each.tsp_id}
    }


def check_lists(
    hub: Hub,
    connection: Connection,
    certificates: tuple[StoredCertificate, ...],
    lines: Lines,
    *,
    finished: bool,
) -> None:
    """A number has one content for ever, each list is whole; after an upkeep, nothing that was revoked is missing."""
    rows = connection.execute(select(schema.revocation_list).order_by(schema.revocation_list.c.number)).all()
    for row in rows:
        note(hub.directory, PUBLISHED, f"{row.authority_id}/{row.number} {row.der.hex()}")
        made = x509.load_der_x509_crl(row.der)
        issuer = authorities.authority_by_id(connection, row.authority_id).certificate
        assert made.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
        number = made.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        assert number == row.number
    seen = set(noted(hub.directory, PUBLISHED))
    assert len(seen) == len({each.split()[0] for each in seen}), "a number was published with two contents"
    newest = {row.authority_id: row.number for row in rows}
    kept = {(number, each) for number, last in newest.items() for each in range(max(1, last - KEPT + 1), last + 1)}
    assert {(row.authority_id, row.number) for row in rows} == kept, "a list is lost"
    published = sum(count for (action, _), count in lines.items() if action == "crl.publish")
    assert published == sum(newest.values()), "the audit has one line for each list"
    if finished:
        for authority in authorities.trusted(connection, Role.ISSUING):
            last = revocation_lists.current(connection, authority.id)
            assert last is not None, "a CA has no list"
            listed = {f"{each.serial_number:x}" for each in x509.load_der_x509_crl(last.der)}
            revoked = {each.serial for each in certificates if each.revoked_at and each.authority_id == authority.id}
            assert listed == revoked, "a revocation is on no list"


def changes(
    hub: Hub, connection: Connection, requests: dict[int, StoredRequest], certificates: tuple[StoredCertificate, ...]
) -> Iterator[tuple[str, str]]:
    """Yield the lines that the audit must have, for what is stored."""
    decided = {RequestState.REFUSED: "request.refuse", RequestState.WITHDRAWN: "request.withdraw"}
    for each in requests.values():
        yield "request.submit", str(each.id)
        if each.state in decided:
            yield decided[each.state], str(each.id)
    for record in certificates:
        yield "request.approve", str(record.request_id)
        if record.der is not None:
            yield "certificate.issue", record.serial
        if record.revoked_at and record.revoked_reason != RevocationReason.PRIVILEGE_WITHDRAWN:
            superseded = record.revoked_reason == RevocationReason.SUPERSEDED
            yield f"certificate.{'supersede' if superseded else 'revoke'}", record.serial
    yield from (("key.ban", ban.spki_pin) for ban in list_banned_keys(hub))
    issuing = authorities.every_authority(connection, Role.ISSUING)
    yield from (("authority.add", str(each.id)) for each in issuing[:-1])
    yield from (("authority.retire", str(each.id)) for each in issuing if each.retired_at)


def check_acknowledged(
    hub: Hub, requests: dict[int, StoredRequest], certificates: tuple[StoredCertificate, ...]
) -> None:
    """Nothing is lost that somebody was told."""
    with hub.read() as connection:
        retired = {each.id for each in authorities.every_authority(connection) if each.retired_at}
        published = set(connection.execute(select(schema.revocation_list.c.number)).scalars())
        of_servers = outbound_facts(connection)
    in_state = {state: {each.id for each in requests.values() if each.state is state} for state in RequestState}
    facts = {
        "submitted": set(requests),
        "certified": {each.request_id for each in certificates},
        "refused": in_state[RequestState.REFUSED],
        "withdrawn": in_state[RequestState.WITHDRAWN],
        "revoked": {each.request_id for each in certificates if each.revoked_at},
        "banned": {*range(1 + len(list_banned_keys(hub)))},
        "published": published,
        "retired": retired,
        "told": {1},
        **of_servers,
    }
    for word, number in (line.split() for line in noted(hub.directory, ACKNOWLEDGED)):
        assert int(number) in facts[word], f"{word} {number} was acknowledged, and is lost"
