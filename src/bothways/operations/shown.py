"""The client certificates of the customers that are not shown the hub's current one: their own, or an earlier one."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from sqlalchemy import Connection

from bothways.errors import Unusable
from bothways.pki.chain import certificate_pem, fingerprint
from bothways.store import authorities, customer_credentials, holds
from bothways.xds.state import KeyPair

PrivatePem = Callable[[str], str]
"""Returns a key by its name, in the clear; raises `Unusable`."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What one customer is shown, and until when, None for as long as nobody changes it; `problem` says what is wrong.

    Without `pair` the customer is not called at all: the hub's own certificate never takes the place of one that the
    customer asked for (R13).
    """

    pair: KeyPair | None
    until: datetime | None = None
    problem: str = ""


def shown_to(
    connection: Connection, tsp_ids: Collection[str] | None, private_pem: PrivatePem, now: datetime
) -> dict[str, Shown]:
    """Return what is shown to those of these customers, or of all, who are not shown the hub's current certificate."""
    # What is the customer's own comes last, and counts.
    return dict(_held(connection, tsp_ids, private_pem, now)) | dict(_own(connection, tsp_ids, private_pem))


def _own(
    connection: Connection, tsp_ids: Collection[str] | None, private_pem: PrivatePem
) -> Iterator[tuple[str, Shown]]:
    for tsp_id, each in customer_credentials.active(connection, tsp_ids).items():
        try:
            pair = _pair(each.chain, private_pem(each.key_name))
        except (Unusable, ValueError) as error:
            problem = f"{tsp_id} is not called, for the key of its own client certificate cannot be used: {error}"
            yield tsp_id, Shown(None, problem=problem)
        else:
            yield tsp_id, Shown(pair)


def _held(
    connection: Connection, tsp_ids: Collection[str] | None, private_pem: PrivatePem, now: datetime
) -> Iterator[tuple[str, Shown]]:
    held = holds.many(connection, tsp_ids)
    earlier = authorities.credentials_by_id(connection, {each.credential_id for each in held.values()})
    for tsp_id, hold in held.items():
        credential = earlier[hold.credential_id]
        end = credential.certificate.not_valid_after_utc
        if end <= now:
            # It would be refused for certain; the current one perhaps is not.
            continue
        problem = f"{tsp_id} is shown an earlier client certificate, which ends on {end:%Y-%m-%d}: {hold.reason}"
        try:
            pair = _pair(certificate_pem(credential.certificate), private_pem(credential.key_name))
        except (Unusable, ValueError) as error:
            yield tsp_id, Shown(None, end, f"{problem}; and its key cannot be used: {error}")
        else:
            yield tsp_id, Shown(pair, end, problem)


def _pair(chain: str, key: str) -> KeyPair:
    return KeyPair(chain, key, fingerprint(x509.load_pem_x509_certificate(chain.encode())))
