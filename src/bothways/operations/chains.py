"""Customers' CA chains: submit, list, show, endorse, refuse, withdraw (R14)."""

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from bothways.errors import Conflict, Proposed, Refused
from bothways.findings import Finding, Level, errors
from bothways.operations import two_people
from bothways.operations.hub import Hub
from bothways.operations.keys import disclosures_banned, used_elsewhere
from bothways.operations.public_roots import public_root_pins
from bothways.pki.anchors import Circumstances, anchor_findings
from bothways.pki.chain import Chain, Presented, fingerprint, parse_anchors, read_chain
from bothways.pki.keys import spki_pin
from bothways.pki.tree import chain_document
from bothways.store import authorities, chains, customers, endpoints, keys
from bothways.store.chains import ChainState, StoredChain
from bothways.store.database import Transaction
from bothways.store.proposals import Kind

PUBLIC_ROOT = "CHAIN-PUBLIC-01"
_PIN = re.compile("[0-9a-f]{64}")
PINS_MOST = 8
"""Pins of one endorsement: the server's keys of today and of the next change, for a few instances."""


def submit_chain(hub: Hub, tsp_id: str, data: bytes, subject: str = "chain") -> StoredChain:
    """Take the CA chain of a customer's server under review. Raises `Refused` with every finding."""
    with disclosures_banned(hub, tsp_id, (data,), subject):
        presented = read_chain(data, subject)
    with hub.write() as transaction:
        customers.find(transaction.connection, tsp_id)
        if findings := errors(_findings(hub, transaction.connection, tsp_id, presented, subject)):
            raise Refused(findings)
        chain = Chain(presented.path)
        for known in chains.every(transaction.connection, tsp_id):
            if known.pem == chain.pem and known.state in {ChainState.SUBMITTED, ChainState.ENDORSED}:
                return known
        number = chains.add(transaction, tsp_id, chain)
        two_people.handed_in(hub, transaction, Kind.CHAIN, number)
        transaction.audit("chain.submit", str(number), customer=tsp_id, fingerprint=chain.fingerprint)
        return chains.find(transaction.connection, number)


def list_chains(
    hub: Hub, tsp_id: str | None = None, state: ChainState | None = None, after: int = 0, limit: int | None = None
) -> tuple[StoredChain, ...]:
    """Return chains, oldest first: of all customers or of one, in any state or in one, after a number."""
    with hub.read() as connection:
        return chains.every(connection, tsp_id, state, after, limit)


def show_chain(hub: Hub, number: int) -> StoredChain:
    """Return a chain. Raises `NotFound`."""
    with hub.read() as connection:
        return chains.find(connection, number)


def review_chain(hub: Hub, number: int) -> tuple[StoredChain, Chain, tuple[Finding, ...]]:
    """Return a chain, as it was understood, and with what the rules say about it now. Raises `NotFound`."""
    with hub.read() as connection:
        stored = chains.find(connection, number)
        presented = read_chain(stored.pem.encode(), f"chain {number}")
        return stored, Chain(presented.path), _findings(hub, connection, stored.tsp_id, presented, f"chain {number}")


def chain_review(hub: Hub, number: int) -> dict[str, Any]:
    """Return the same as the JSON object that API and command line show. Raises `NotFound`."""
    stored, chain, findings = review_chain(hub, number)
    proposed = two_people.proposal_document(hub, Kind.CHAIN, number)
    return (
        stored.document()
        | proposed
        | {
            "tree": chain_document(chain.certificates),
            "findings": [each.document() for each in findings],
            "pem": stored.pem,
        }
    )


def endorse_chain(hub: Hub, number: int, *, public_root: bool = False, pins: Collection[str] = ()) -> StoredChain:
    """Endorse a chain: from the next push on, it vouches for this customer's server, and for no other.

    `public_root` says that the operator knows that everybody's CA is endorsed. `pins` are SPKI pins (lower-case hex) of
    the server's own keys: then no other key is believed, whoever certified it, and a new one needs its pin first.
    Raises `NotFound` if the customer was removed, `Refused` if a rule that held does not hold any more, `Proposed` or
    `NotAuthorized` if it takes another person too, who endorses it in the same way.
    """
    with hub.write() as transaction:
        stored = _in_state(transaction, number, ChainState.SUBMITTED)
        customers.find(transaction.connection, stored.tsp_id)
        subject = f"chain {number}"
        presented = read_chain(stored.pem.encode(), subject)
        findings = _findings(hub, transaction.connection, stored.tsp_id, presented, subject)
        if not public_root:
            findings = tuple(replace(each, level=Level.ERROR) if each.id == PUBLIC_ROOT else each for each in findings)
        if refused := errors((*findings, *_pin_findings(pins, subject))):
            raise Refused(refused)
        wanted: dict[str, object] = {"pins": sorted(set(pins))}
        wanted |= {"public_root": True} if any(each.id == PUBLIC_ROOT for each in findings) else {}
        proposed = two_people.judge_one(hub, transaction, Kind.CHAIN, number, stored.tsp_id, wanted)
        if not isinstance(proposed, Proposed):
            chains.pin(transaction, number, sorted(set(pins)))
            detail = wanted | two_people.on_record(proposed)
            return _decide(transaction, stored, ChainState.ENDORSED, "chain.endorse", None, **detail)
    raise proposed


def refuse_chain(hub: Hub, number: int, reason: str) -> StoredChain:
    """Refuse a chain, with a reason that the customer will read."""
    with hub.write() as transaction:
        stored = _in_state(transaction, number, ChainState.SUBMITTED)
        return _decide(transaction, stored, ChainState.REFUSED, "chain.refuse", reason)


def withdraw_chain(hub: Hub, number: int, reason: str) -> StoredChain:
    """Withdraw an endorsement: from the next push on, the chain vouches for nothing."""
    with hub.write() as transaction:
        stored = _in_state(transaction, number, ChainState.ENDORSED)
        return _decide(transaction, stored, ChainState.WITHDRAWN, "chain.withdraw", reason)


def known_authorities(hub: Hub) -> tuple[str, ...]:
    """Return the SPKI pins of the hub's own CAs, and of those that are endorsed or wait for it.

    They are for the hub of the other environment to refuse. Chains of public CAs are not among them.
    """
    with hub.read() as connection:
        pins = {spki_pin(each.certificate.public_key()) for each in authorities.every_authority(connection)}
        found = chains.every(connection)
    for each in found:
        if each.state in {ChainState.SUBMITTED, ChainState.ENDORSED}:
            keys_of = {spki_pin(one.public_key()) for one in parse_anchors(each.pem.encode(), f"chain {each.id}")}
            pins |= set() if keys_of & public_root_pins() else keys_of
    return tuple(sorted(pins))


def _findings(hub: Hub, connection: Connection, tsp_id: str, presented: Presented, subject: str) -> tuple[Finding, ...]:
    found = {spki_pin(each.public_key()) for each in presented.path}
    fingerprints = {fingerprint(each) for each in presented.path}
    endpoint = endpoints.many(connection, (tsp_id,)).get(tsp_id)
    known = Circumstances(
        now=hub.now(),
        own=frozenset(spki_pin(each.certificate.public_key()) for each in authorities.every_authority(connection)),
        elsewhere=used_elsewhere(hub),
        banned=frozenset(keys.banned(connection, found)),
        public=public_root_pins(),
        shared=chains.endorsed_for_others(connection, tsp_id, fingerprints),
        host=endpoint.host if endpoint else "",
    )
    return presented.findings + anchor_findings(presented.path, known, subject)


def _pin_findings(pins: Collection[str], subject: str) -> tuple[Finding, ...]:
    hint = "Take it from the server's certificate: SHA-256 of its public key (SubjectPublicKeyInfo) in DER, as hex."
    wrong = [
        f"{each[:70]!r} is no SPKI pin: 64 hexadecimal digits are wanted" for each in pins if not _PIN.fullmatch(each)
    ]
    if len(pins) > PINS_MOST:
        wrong.append(f"{len(pins)} pins were given, at most {PINS_MOST} are wanted")
    return tuple(Finding("CHAIN-PIN-01", message, hint, "RFC 7469 section 2.4", subject) for message in wrong)


def _in_state(transaction: Transaction, number: int, wanted: ChainState) -> StoredChain:
    stored = chains.find(transaction.connection, number)
    if stored.state is not wanted:
        raise Conflict(
            f"chain {number} is {stored.state.value}, not {wanted.value}.",
            f"Look at: bothways chain show {number}",
        )
    return stored


def _decide(
    transaction: Transaction, stored: StoredChain, state: ChainState, action: str, reason: str | None, **detail: object
) -> StoredChain:
    chains.decide(transaction, stored.id, state, reason)
    transaction.audit(
        action, str(stored.id), customer=stored.tsp_id, fingerprint=stored.fingerprint, reason=reason, **detail
    )
    return chains.find(transaction.connection, stored.id)
