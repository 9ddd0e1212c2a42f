"""Keys that others can have: banned for good, with what was certified under them, and compared with all that are known.

A key is banned in whichever way it is found out: its private half was handed in, a certificate of it was revoked for
key compromise, it shares a prime with another one, or the operator says so.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import gcd

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from sqlalchemy import Connection

from bothways import files
from bothways.errors import BothwaysError, Conflict, Refused, Unusable
from bothways.findings import Finding
from bothways.operations.hub import Hub
from bothways.pki.chain import parse_chain
from bothways.pki.disclosed import spoiled_pins
from bothways.pki.keys import spki_pin
from bothways.pki.pins import named_keys
from bothways.pki.request import CertificationRequest
from bothways.pki.revocation import RevocationReason
from bothways.pki.rules import KnownKeys
from bothways.store import authorities, certificates, chains, keys, requests
from bothways.store.authorities import Role
from bothways.store.certificates import StoredCertificate
from bothways.store.chains import ChainState
from bothways.store.database import Transaction
from bothways.store.keys import BanCause, BannedKey

_WORDS = {
    BanCause.DISCLOSED: "its private key was given away",
    BanCause.COMPROMISED: "a certificate of it was revoked because others can have its private key",
    BanCause.SHARED_PRIME: "it shares a prime with another key",
    BanCause.OPERATOR: "others can have its private key, as the hub's operator found out",
}
_PIN = re.compile("[0-9a-f]{64}")
_PINS_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Banned:
    """What came of a ban: the keys that were not banned before, and the serial numbers of what was revoked."""

    spki_pins: tuple[str, ...]
    revoked: tuple[str, ...]


def ban_keys(hub: Hub, spki_pins: Collection[str], reason: str) -> Banned:
    """Ban keys in the operator's name, for good, and revoke what is certified under them (keyCompromise)."""
    with hub.write() as transaction:
        new: list[str] = []
        revoked: list[str] = []
        for pin in sorted(spki_pins):
            if keys.ban(transaction, pin, BanCause.OPERATOR, reason):
                transaction.audit("key.ban", pin, cause=BanCause.OPERATOR.value, reason=reason)
                new.append(pin)
            revoked += _revoke_under(transaction, pin)
        _withdraw_chains(transaction, frozenset(spki_pins), None)
    return Banned(tuple(new), tuple(revoked))


def require_named(data: bytes) -> frozenset[str]:
    """Return the SPKI pins of the keys that are in `data`, or are it. Raises `Refused` if it names none."""
    pins = named_keys(data)
    if not pins:
        hint = (
            "Give a certificate, a request, a public or a private key in PEM or DER, or the SHA-256 of its "
            "SubjectPublicKeyInfo in hex."
        )
        raise Refused((Finding("KEY-01", "no key is named", hint, "R7", "key"),))
    return pins


def list_banned_keys(hub: Hub, after: str = "", limit: int | None = None) -> tuple[BannedKey, ...]:
    """Return the keys that are banned, oldest ban first, after the one with this SPKI pin if it is not empty."""
    with hub.read() as connection:
        return keys.every_ban(connection, after, limit)


@contextmanager
def disclosures_banned(hub: Hub, tsp_id: str | None, parts: Iterable[bytes], subject: str) -> Iterator[None]:
    """Do something with what a customer gave; if that is refused, ban each key whose private half is in a part of it.

    In a transaction of its own: the ban stays whatever else becomes of the submission. Whoever sent the private key has
    it, so that this cannot be done to somebody else's key; and a certificate of a key that others have vouches for
    nobody, so that it is revoked at once (CA/Browser Forum Baseline Requirements section 4.9.1.1, reason 3).
    """
    try:
        yield
    except BothwaysError as error:
        pins = frozenset[str]().union(*map(spoiled_pins, parts))
        if not pins:
            raise
        _ban_disclosed(hub, tsp_id, pins)
        if isinstance(error, Refused):
            raise Refused(error.findings + tuple(_disclosed(pin, subject) for pin in sorted(pins))) from error
        raise


def record_compromise(transaction: Transaction, record: StoredCertificate, spki_pin: str) -> None:
    """Ban the key of a certificate that is revoked for key compromise, in the transaction that revokes it."""
    reason = f"certificate {record.serial} was revoked for key compromise"
    if keys.ban(transaction, spki_pin, BanCause.COMPROMISED, reason):
        cause = BanCause.COMPROMISED.value
        transaction.audit("key.ban", spki_pin, cause=cause, reason=reason, customer=record.tsp_id)


def compare_key(hub: Hub, tsp_id: str, parsed: CertificationRequest) -> None:
    """Look for a prime that the RSA key of a good request has in common with any that the hub ever saw; ban both.

    The key is stored for the next ones in the transaction that finds nothing or bans: of two that come at once, the
    second sees the first. A key that is known was compared already. Other keys than RSA have no primes.
    """
    number = _modulus(parsed.public_key)
    if number is None:
        return
    pin = parsed.spki_pin
    with hub.read() as connection:
        if keys.moduli(connection, (pin,)):
            return
        # Most of the work is done before anybody has to wait for it.
        last = keys.last_modulus(connection)
        shared = _sharing(connection, number, 0)
    with hub.write() as transaction:
        if keys.moduli(transaction.connection, (pin,)):
            return
        shared += _sharing(transaction.connection, number, last)
        keys.add_modulus(transaction, pin, number)
        for one, other in [(pin, each) for each in shared] + [(each, pin) for each in shared]:
            cause, reason = BanCause.SHARED_PRIME, f"it shares a prime with {other}"
            if keys.ban(transaction, one, cause, reason, other):
                detail = {"reason": reason, "shares_with": other, "by": tsp_id}
                transaction.audit("key.ban", one, cause=cause.value, **detail)


def require_own_primes(hub: Hub, public_key: CertificatePublicKeyTypes) -> None:
    """Raise `Conflict` if a new key of the hub itself shares a prime with any that the hub ever saw."""
    number = _modulus(public_key)
    with hub.read() as connection:
        if number is not None and _sharing(connection, number, 0):
            raise Conflict(
                "the new key shares a prime with another one, so that its private key can be computed. "
                "What makes keys here has too little randomness: mend that, and try again."
            )


def every_known_key(hub: Hub) -> tuple[str, ...]:
    """Return the SPKI pins of all keys that were ever in a request, or are banned, in order.

    They are for the hub of the other environment to refuse.
    """
    with hub.read() as connection:
        banned = (each.spki_pin for each in keys.every_ban(connection))
        return tuple(sorted({*requests.every_key(connection), *banned}))


def used_elsewhere(hub: Hub) -> frozenset[str]:
    """Return what the hub of the other environment said in that way. Raises `Unusable`."""
    if not hub.settings.used_elsewhere:
        return frozenset()
    path = hub.directory / hub.settings.used_elsewhere
    pins = files.read(path, "the keys of the other environment", _PINS_LIMIT).decode(errors="replace").split()
    if wrong := [each for each in pins if not _PIN.fullmatch(each)]:
        raise Unusable(
            f"{path} holds {wrong[0][:70]!r}, and the SHA-256 of a key was wanted. "
            "Write it again, with the hub of the other environment: bothways request keys"
        )
    return frozenset(pins)


def known_about(connection: Connection, spki_pins: Collection[str]) -> dict[str, KnownKeys]:
    """Return by SPKI pin what the rules have to know about these keys; one that is not in it has nothing against it."""
    found = keys.banned(connection, spki_pins)
    partners = {each.shares_with for each in found.values() if each.shares_with}
    numbers = keys.moduli(connection, partners) if partners else {}
    return {
        pin: KnownKeys(moduli=numbers[each.shares_with])
        if each.shares_with in numbers
        else KnownKeys(banned={pin: _WORDS[each.cause]})
        for pin, each in found.items()
    }


def endangered(hub: Hub) -> tuple[str, ...]:
    """Return in sentences what is in force with a key that is banned: for a person to replace it."""
    with hub.read() as connection:
        said = [
            f"certificate {serial} of {tsp_id} has a key that shares a prime with another one, so that its private key "
            "can be computed. Have it renewed with a new key, and revoke it: "
            f"bothways certificate revoke {serial} --reason keyCompromise"
            for serial, tsp_id in keys.certified_and_banned(connection, hub.now())
        ]
        own = {
            spki_pin(each.certificate.public_key()): f"the hub's {role.value} CA {each.id}"
            for role in Role
            for each in authorities.trusted(connection, role)
        }
        said += [
            f"the key of {own[pin]} is banned: {_WORDS[each.cause]}. Replace it now: bothways hub authority list"
            for pin, each in keys.banned(connection, own).items()
        ]
    return tuple(said)


def _ban_disclosed(hub: Hub, tsp_id: str | None, pins: frozenset[str]) -> None:
    reason = f"its private key was handed in{f' for {tsp_id}' if tsp_id else ' in a bundle'}"
    with hub.write() as transaction:
        for pin in sorted(pins):
            if keys.ban(transaction, pin, BanCause.DISCLOSED, reason):
                transaction.audit("key.ban", pin, cause=BanCause.DISCLOSED.value, reason=reason, customer=tsp_id)
            _revoke_under(transaction, pin)
        _withdraw_chains(transaction, pins, tsp_id)


def _disclosed(pin: str, subject: str) -> Finding:
    message = f"the key {pin} is banned for good, and what was certified under it is revoked"
    hint = "Make a new key, and a request for it; replace the key wherever else it is used."
    return Finding("CSR-KEY-10", message, hint, "R7; RFC 5280 section 5.3.1", subject)


def _revoke_under(transaction: Transaction, pin: str) -> list[str]:
    reason, revoked = RevocationReason.KEY_COMPROMISE, []
    for serial, tsp_id in keys.certified(transaction.connection, pin, transaction.now):
        certificates.revoke(transaction, serial, reason)
        transaction.audit("certificate.revoke", serial, customer=tsp_id, reason=reason.value)
        revoked.append(serial)
    return revoked


def _withdraw_chains(transaction: Transaction, pins: frozenset[str], tsp_id: str | None) -> None:
    """Withdraw the endorsement of chains whose CA others can sign with: of one customer, or of all."""
    for each in chains.every(transaction.connection, tsp_id, ChainState.ENDORSED):
        own = {spki_pin(one.public_key()) for one in parse_chain(each.pem.encode()).certificates}
        if own & pins:
            reason = "the private key of a CA in it is known to others"
            chains.decide(transaction, each.id, ChainState.WITHDRAWN, reason)
            detail = {"fingerprint": each.fingerprint, "reason": reason}
            transaction.audit("chain.withdraw", str(each.id), customer=each.tsp_id, **detail)


def _modulus(key: CertificatePublicKeyTypes) -> int | None:
    return key.public_numbers().n if isinstance(key, rsa.RSAPublicKey) else None


def _sharing(connection: Connection, number: int, after: int) -> list[str]:
    """Return the SPKI pins of the keys that share a prime; one by one, for a product of many is hardly faster."""
    return [pin for pin, known in keys.moduli_after(connection, after) if known != number and gcd(known, number) != 1]
