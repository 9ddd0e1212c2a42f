"""Customers' CA chains: submit, list, show, endorse, refuse, withdraw (R14)."""

from bothways.errors import Conflict, Refused
from bothways.findings import Finding, errors
from bothways.operations.hub import Hub
from bothways.operations.keys import disclosures_banned
from bothways.pki.chain import Chain, chain_findings, parse_chain
from bothways.pki.keys import spki_pin
from bothways.store import authorities, chains, customers, keys
from bothways.store.chains import ChainState, StoredChain
from bothways.store.database import Transaction


def submit_chain(hub: Hub, tsp_id: str, data: bytes, subject: str = "chain") -> StoredChain:
    """Take the CA chain of a customer's server under review. Raises `Refused` with every finding."""
    with disclosures_banned(hub, tsp_id, data, subject):
        chain = parse_chain(data, subject)
    with hub.write() as transaction:
        customers.find(transaction.connection, tsp_id)
        if findings := errors(_judge(transaction, chain, subject)):
            raise Refused(findings)
        for known in chains.every(transaction.connection, tsp_id):
            if known.pem == chain.pem and known.state in {ChainState.SUBMITTED, ChainState.ENDORSED}:
                return known
        number = chains.add(transaction, tsp_id, chain)
        transaction.audit("chain.submit", str(number), customer=tsp_id, fingerprint=chain.fingerprint)
        return chains.find(transaction.connection, number)


def list_chains(hub: Hub, tsp_id: str | None = None) -> tuple[StoredChain, ...]:
    """Return all chains, or those of one customer, oldest first."""
    with hub.read() as connection:
        return chains.every(connection, tsp_id)


def show_chain(hub: Hub, number: int) -> StoredChain:
    """Return a chain. Raises `NotFound`."""
    with hub.read() as connection:
        return chains.find(connection, number)


def endorse_chain(hub: Hub, number: int) -> StoredChain:
    """Endorse a chain: from the next push on, it vouches for this customer's server, and for no other.

    Raises `NotFound` if the customer was removed, `Refused` if a rule that held does not hold any more.
    """
    with hub.write() as transaction:
        stored = _in_state(transaction, number, ChainState.SUBMITTED)
        customers.find(transaction.connection, stored.tsp_id)
        if findings := errors(_judge(transaction, parse_chain(stored.pem.encode()), f"chain {number}")):
            raise Refused(findings)
        return _decide(transaction, stored, ChainState.ENDORSED, "chain.endorse", None)


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


def _judge(transaction: Transaction, chain: Chain, subject: str) -> tuple[Finding, ...]:
    own = frozenset(
        spki_pin(each.certificate.public_key()) for each in authorities.every_authority(transaction.connection)
    )
    found = {spki_pin(each.public_key()): each for each in chain.certificates}
    banned = (found[pin].subject.rfc4514_string() for pin in keys.banned(transaction.connection, found))
    hint = "Make a new CA with a new key, and submit its chain."
    return chain_findings(chain, transaction.now, own, subject) + tuple(
        Finding("CHAIN-KEY-03", f"the key of {name} is banned: others can sign with it", hint, "R14", subject)
        for name in banned
    )


def _in_state(transaction: Transaction, number: int, wanted: ChainState) -> StoredChain:
    stored = chains.find(transaction.connection, number)
    if stored.state is not wanted:
        raise Conflict(
            f"chain {number} is {stored.state.value}, not {wanted.value}. Look at: bothways chain show {number}"
        )
    return stored


def _decide(
    transaction: Transaction, stored: StoredChain, state: ChainState, action: str, reason: str | None
) -> StoredChain:
    chains.decide(transaction, stored.id, state, reason)
    transaction.audit(action, str(stored.id), customer=stored.tsp_id, fingerprint=stored.fingerprint, reason=reason)
    return chains.find(transaction.connection, stored.id)
