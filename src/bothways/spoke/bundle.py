"""Bundles at the customer's side: a spoke made from one, a later one taken in, and the answer for the hub (R12 to R14).

The first bundle is believed by its fingerprint, which the hub's representative reads out; each later one by the key
that the contract of the one before names.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import tomli_w

from bothways import files
from bothways.bundle import seal
from bothways.bundle.seal import About, Bundle, Kind, make_bundle, meant_findings, open_bundle
from bothways.contract.document import Contract
from bothways.contract.parse import parse_contract
from bothways.contract.reader import read_toml
from bothways.errors import Conflict, Refused, Unusable
from bothways.findings import Finding
from bothways.pki.statement import sign_statement
from bothways.spoke.directory import (
    BUNDLE,
    KEY,
    REQUEST,
    Spoke,
    alone,
    make_spoke,
    open_spoke,
    stands,
)
from bothways.spoke.install import Installed, install_certificate
from bothways.spoke.new_contract import replace_contract
from bothways.spoke.pair import HeldKey, read_key

_ASK = "Ask the hub's representative, at a number that you have from elsewhere."


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What came of a bundle of the hub: whether the contract changed, and what was installed or waits to be signed."""

    bundle: Bundle
    contract_changed: bool
    installed: Installed | None
    hub_request: Path | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A bundle for the hub: the zip, its fingerprint, and the SPKI pin of the key that signed it."""

    data: bytes
    fingerprint: str
    spki_pin: str
    members: tuple[str, ...]


def spoke_from_bundle(directory: Path, data: bytes, fingerprint: str | None, subject: str = "bundle") -> Spoke:
    """Make a spoke from the hub's first bundle; the customer is the one that it is for.

    `fingerprint` is the SHA-256 of its manifest, as the hub's representative read it out. Raises as `make_spoke` does,
    and `Refused` for another fingerprint.
    """
    bundle = open_bundle(data, Kind.HUB, subject)
    if fingerprint is not None and _plain(fingerprint) != bundle.fingerprint:
        message = f"the bundle's fingerprint is {bundle.fingerprint}, wanted {fingerprint}"
        raise Refused((Finding("BUNDLE-08", message, _ASK, "R12", subject),))
    contract = _contract(bundle, subject)
    if contract.trust.bundle_pin != bundle.spki_pin:
        raise Refused((_foreign(bundle, contract, subject),))
    spoke = make_spoke(directory, bundle.members[seal.CONTRACT], subject, bundle.about.customer)
    _remember(spoke, bundle)
    return spoke


def take_in(spoke: Spoke, data: bytes, subject: str = "bundle") -> TakenIn:
    """Take in a later bundle of the hub: its contract and CAs, the certificate that it issued, the request (R13) in it.

    Raises `Refused` unless the key of our contract signed it, for us, and none that was made later was taken in before.
    """
    bundle = open_bundle(data, Kind.HUB, subject)
    terms = spoke.contract.terms
    mistakes = meant_findings(bundle, terms.environment, terms.hub, spoke.tsp_id, subject)
    if bundle.spki_pin != spoke.contract.trust.bundle_pin:
        mistakes.append(_foreign(bundle, spoke.contract, subject))
    if (last := last_taken(spoke)) and bundle.about.made_at < last.made_at:
        message = f"it was made on {bundle.about.made_at:%Y-%m-%d %H:%M:%S}, before the last one that was taken in"
        hint = "Ask the hub for a new one: an old one would bring back trust that was withdrawn."
        mistakes.append(Finding("BUNDLE-05", message, hint, "docs/bundles.md", subject))
    if mistakes:
        raise Refused(tuple(mistakes))
    _contract(bundle, subject)
    changed = bool(replace_contract(spoke, bundle.members[seal.CONTRACT], subject).changes)
    request = spoke.directory / seal.HUB_REQUEST if seal.HUB_REQUEST in bundle.members else None
    if request:
        with alone(spoke.directory):
            files.replace(request, bundle.members[seal.HUB_REQUEST])
    _remember(spoke, bundle)
    installed = None
    if seal.CERTIFICATE in bundle.members:
        installed = install_certificate(open_spoke(spoke.directory), bundle.members[seal.CERTIFICATE], subject)
    return TakenIn(bundle, changed, installed, request)


def make_answer(
    spoke: Spoke, chain: bytes | None = None, endpoint: str | None = None, hub_certificate: bytes | None = None
) -> Answer:
    """Return the answer to the last bundle: our request if one is under way, and what is given besides.

    The key of the request signs it, or else the key in use. `chain` is that of our server, `hub_certificate` what our
    own CA made of the hub's request (R13). Raises `Unusable` without a bundle to answer, a key, or anything to say.
    """
    asked = last_taken(spoke)
    if asked is None:
        raise Unusable(
            f"{spoke.directory} has taken in no bundle of the hub, so there is nothing to answer. Take one in: "
            f"bothways spoke bundle import FILE --directory {spoke.directory}"
        )
    under_way = spoke.pending / REQUEST
    given = {
        seal.REQUEST: files.read(under_way, "the request") if stands(under_way) else None,
        seal.SERVER_CHAIN: chain,
        seal.ENDPOINT: endpoint and f"{endpoint}\n".encode(),
        seal.HUB_CERTIFICATE: hub_certificate,
    }
    members = {name: content for name, content in given.items() if content}
    if not members:
        raise Unusable("there is nothing to send: no request is under way, and neither chain nor endpoint was given.")
    key = _signing_key(spoke, requested=seal.REQUEST in members)
    about = replace(asked, made_at=datetime.now(UTC))
    data = make_bundle(
        Kind.CUSTOMER, about, members, key.key.public_key(), lambda statement: sign_statement(key.key, statement)
    )
    made = open_bundle(data, Kind.CUSTOMER, "bundle")
    return Answer(data, made.fingerprint, made.spki_pin, tuple(members))


def last_taken(spoke: Spoke) -> About | None:
    """Return which bundle of the hub was taken in last, or None before the first."""
    path = spoke.directory / BUNDLE
    if not stands(path):
        return None
    reader = read_toml(files.read(path, "the note on the last bundle").decode(errors="replace"), str(path))
    number, made_at = reader.text("id"), reader.text("made_at")
    reader.finish()
    try:
        moment = datetime.fromisoformat(made_at)
    except ValueError as error:
        raise Unusable(f"{path} is damaged: {error}. Take in the hub's bundle again, after moving it away.") from error
    terms = spoke.contract.terms
    return About(terms.environment, terms.hub, spoke.tsp_id, number, moment)


def _signing_key(spoke: Spoke, *, requested: bool) -> HeldKey:
    path = spoke.pending / KEY if requested else spoke.key_file
    if not stands(path):
        raise Conflict(
            f"{path} is not there, and an answer is signed with it. Make the request first: "
            f"bothways spoke csr --directory {spoke.directory}"
        )
    return read_key(path)


def _contract(bundle: Bundle, subject: str) -> Contract:
    if seal.CONTRACT not in bundle.members:
        message = f"it has no {seal.CONTRACT}"
        raise Refused((Finding("BUNDLE-03", message, _ASK, "docs/bundles.md", subject),))
    contract = parse_contract(bundle.text(seal.CONTRACT), f"{subject}: {seal.CONTRACT}")
    terms = contract.terms
    if mistakes := meant_findings(bundle, terms.environment, terms.hub, bundle.about.customer, subject):
        raise Refused(tuple(mistakes))
    return contract


def _remember(spoke: Spoke, bundle: Bundle) -> None:
    note = {"id": bundle.about.id, "made_at": bundle.about.made_at.isoformat()}
    with alone(spoke.directory):
        files.replace(spoke.directory / BUNDLE, tomli_w.dumps(note).encode())


def _foreign(bundle: Bundle, contract: Contract, subject: str) -> Finding:
    message = f"the key {bundle.spki_pin} signed it, wanted {contract.trust.bundle_pin or 'none'}, as the contract says"
    return Finding("BUNDLE-06", message, _ASK, "R12", subject)


def _plain(fingerprint: str) -> str:
    return "".join(fingerprint.lower().replace(":", "").split())
