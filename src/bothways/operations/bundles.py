"""What is exchanged with a customer by hand: a bundle goes out, its answer comes in (R12, R13, R14).

An answer names the bundle that it answers, by a name that nobody can guess, and each is answered once.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from bothways.bundle import seal
from bothways.bundle.archive import beginnings
from bothways.bundle.seal import About, Bundle, Kind, make_bundle, meant_findings, open_bundle
from bothways.contract.document import KeyType
from bothways.contract.recipe import Shell, openssl_recipe
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.errors import Conflict, NotFound, Refused
from bothways.findings import Finding
from bothways.operations.certificates import certificate_chain, list_certificates
from bothways.operations.chains import submit_chain
from bothways.operations.customer_credentials import credential_document, install_credential, show_credentials
from bothways.operations.endpoints import submit_endpoint
from bothways.operations.hub import Hub, contract
from bothways.operations.keys import disclosures_banned
from bothways.operations.requests import submit_request
from bothways.pki.chain import fingerprint
from bothways.pki.disclosed import has_private_key
from bothways.pki.request import parse_request
from bothways.registry.customer import Customer
from bothways.registry.endpoint import Endpoint
from bothways.store import bundles, customers, requests, statement_keys
from bothways.store.bundles import HandedOut
from bothways.store.customer_credentials import CredentialState
from bothways.store.requests import StoredRequest
from bothways.store.statement_keys import Purpose
from bothways.store.submitted_endpoints import SubmittedEndpoint

_CITATION = "docs/bundles.md"
_KEYS_MOST = 4
"""Members with a private key that are looked at: one is a mistake, and each costs some arithmetic."""
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle for a customer: the zip, its fingerprint, the SPKI pin of its signer, and what is in it."""

    data: bytes
    fingerprint: str
    spki_pin: str
    members: tuple[str, ...]

    def document(self, tsp_id: str) -> dict[str, Any]:
        """Return what the bundle of this customer is, as the JSON object that API and command line show."""
        return {
            "customer": tsp_id,
            "fingerprint": self.fingerprint,
            "signer": self.spki_pin,
            "members": list(self.members),
        }


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a customer's bundle: what waits for review, and what was installed."""

    bundle: Bundle
    request: StoredRequest | None
    chain: int | None
    endpoint: SubmittedEndpoint | Endpoint | None
    installed: str | None

    @property
    def waits(self) -> SubmittedEndpoint | None:
        """The customer's server, if one was in the bundle that has to be reviewed."""
        return self.endpoint if isinstance(self.endpoint, SubmittedEndpoint) else None

    @property
    def url(self) -> str | None:
        """The address of the customer's server, if one was in the bundle."""
        named = self.endpoint.endpoint if isinstance(self.endpoint, SubmittedEndpoint) else self.endpoint
        return named.url if named else None

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that API and command line show."""
        return {
            "customer": self.bundle.about.customer,
            "fingerprint": self.bundle.fingerprint,
            "signer": self.bundle.spki_pin,
            "request": self.request and self.request.document(),
            "chain": self.chain,
            "endpoint": self.url,
            "endpoint_waits": self.waits is not None,
            "endpoint_number": self.waits and self.waits.id,
            "installed": self.installed,
        }


def export_bundle(hub: Hub, tsp_id: str, texts: Mapping[str, bytes]) -> Exported:
    """Return all that this customer needs now, signed: contract, CAs, recipes, and what was issued.

    `texts` for people go along, by the names that bundles have for them: the instructions, configurations of other
    programs. A request of the hub that waits for the customer's own CA (R13) is in it too. Raises `NotFound`.
    """
    with hub.read() as connection:
        customer = customers.find(connection, tsp_id)
        key = statement_keys.find(connection, Purpose.BUNDLE)
    members = {**_members(hub, customer), **texts}
    about = About(hub.environment, hub.terms.hub, tsp_id, secrets.token_hex(16), hub.now())
    data = make_bundle(Kind.HUB, about, members, key.public_key, lambda one: hub.keys.state(key.name, one))
    # Verified as the customer does it: what leaves the house is what it should be.
    made = open_bundle(data, Kind.HUB, "bundle")
    with hub.write() as transaction:
        bundles.add(transaction, about.id, tsp_id, made.fingerprint)
        transaction.audit("bundle.export", tsp_id, id=about.id, fingerprint=made.fingerprint, members=[*members])
    return Exported(data, made.fingerprint, key.spki_pin, tuple(members))


def list_bundles(hub: Hub, tsp_id: str, limit: int) -> tuple[HandedOut, ...]:
    """Return the bundles that were made for a customer last, the newest first."""
    with hub.read() as connection:
        return bundles.newest(connection, tsp_id, limit)


def import_bundle(
    hub: Hub,
    data: bytes,
    subject: str = "bundle",
    try_certificate: Callable[[str, bytes], None] = lambda *_: None,
    tsp_id: str | None = None,
) -> Imported:
    """Take in a customer's bundle: request, chain and endpoint wait for review as if they came one by one.

    A certificate of the customer's own CA is installed, after `try_certificate` did not raise. Everything that is wrong
    is said at once; what is right is stored all the same, and the same or a mended bundle can be given again. It is
    refused if it is of another customer than `tsp_id`, where that is given. Raises `Refused`, `NotFound`, or `Conflict`
    if what it answers was answered already.
    """
    with disclosures_banned(hub, tsp_id, islice(filter(has_private_key, beginnings(data)), _KEYS_MOST), subject):
        bundle = open_bundle(data, Kind.CUSTOMER, subject)
        about, members = bundle.about, bundle.members
        if mistakes := meant_findings(bundle, hub.environment, hub.terms.hub, tsp_id or about.customer, subject):
            raise Refused(tuple(mistakes))
    _require_unanswered(hub, bundle, subject)
    _require_signer(hub, bundle, subject)
    found: list[Finding] = []
    request = chain = endpoint = installed = None
    if seal.REQUEST in members:
        request = _tried(found, lambda: submit_request(hub, about.customer, members[seal.REQUEST], subject))
    if seal.SERVER_CHAIN in members:
        chain = _tried(found, lambda: submit_chain(hub, about.customer, members[seal.SERVER_CHAIN], subject).id)
    if seal.ENDPOINT in members:
        endpoint = _tried(found, lambda: submit_endpoint(hub, about.customer, bundle.text(seal.ENDPOINT).strip()))
    if seal.HUB_CERTIFICATE in members:
        installed = _tried(found, lambda: _installed(hub, bundle, subject, try_certificate))
    if found:
        raise Refused(tuple(found))
    with hub.write() as transaction:
        if not bundles.answered(transaction, about.id, bundle.fingerprint):
            first = bundles.find(transaction.connection, about.id)
            by = "this very" if first and first.answer == bundle.fingerprint else "another"
            raise Conflict(
                f"what it answers was answered by {by} file meanwhile. What is in this one was taken in as if it had "
                "come one by one.",
                f"Look at what waits for review: bothways customer show {about.customer}",
            )
        transaction.audit(
            "bundle.import",
            about.customer,
            id=about.id,
            fingerprint=bundle.fingerprint,
            signer=bundle.spki_pin,
            members=[*members],
        )
    return Imported(bundle, request, chain, endpoint, installed)


def _members(hub: Hub, customer: Customer) -> dict[str, bytes]:
    published = contract(hub)
    members = {
        seal.CONTRACT: render_contract(published).encode(),
        seal.CLIENT_CA: published.trust.client_ca.encode(),
        seal.SERVER_CA: published.trust.server_ca.encode(),
    }
    subject = Subject("XX", "STATE", "LOCALITY", customer.organization, "UNIT")
    for name in seal.RECIPES:
        kind = KeyType.RSA if "rsa" in name else KeyType.ECDSA
        shell = Shell.BASH if name.endswith(".sh") else Shell.POWERSHELL
        if kind in hub.terms.request.keys:
            members[name] = openssl_recipe(hub.terms, customer.tsp_id, kind, subject, shell).encode()
    issued = [each for each in list_certificates(hub, customer.tsp_id) if each.usable(hub.now())]
    if issued:
        newest = max(issued, key=lambda each: each.not_before)
        members[seal.CERTIFICATE] = certificate_chain(hub, newest).encode()
    for each in show_credentials(hub, customer.tsp_id):
        if each.state is CredentialState.REQUESTED:
            members[seal.HUB_REQUEST] = str(credential_document(each)["request"]).encode()
    return members


def _require_unanswered(hub: Hub, bundle: Bundle, subject: str) -> None:
    """Raise unless the bundle answers one of ours for this customer, the first time: a replay changes nothing."""
    tsp_id = bundle.about.customer
    with hub.read() as connection:
        customers.find(connection, tsp_id)
        asked = bundles.find(connection, bundle.about.id)
    if asked is None or asked.tsp_id != tsp_id:
        message = f"it answers no bundle that this hub made for {tsp_id[:64]}"
        hint = "Have the customer answer the newest one: bothways bundle export TSPID."
        raise Refused((Finding("BUNDLE-05", message, hint, _CITATION, subject),))
    if asked.answered_at is not None:
        same = "by this very file" if asked.answer == bundle.fingerprint else "by another file"
        raise Conflict(
            f"what it answers was answered already on {asked.answered_at:%Y-%m-%d %H:%M} UTC, {same}. Nothing was "
            "changed.",
            f"For another answer, give the customer a new bundle: bothways bundle export {tsp_id}",
        )


def _require_signer(hub: Hub, bundle: Bundle, subject: str) -> None:
    """Raise `Refused` unless the key of the request signed it, or without a request the key of a living certificate."""
    tsp_id = bundle.about.customer
    if seal.REQUEST in bundle.members:
        try:
            wanted = {parse_request(bundle.members[seal.REQUEST], subject).spki_pin}
        except Refused:
            # It says all that is wrong with it, and bans a key that was disclosed.
            submit_request(hub, tsp_id, bundle.members[seal.REQUEST], subject)
            raise
        what = "the key of the request in it"
    else:
        living = [each.request_id for each in list_certificates(hub, tsp_id) if each.usable(hub.now())]
        with hub.read() as connection:
            wanted = {each.request.spki_pin for each in requests.many(connection, living).values()}
        what = "the key of a certificate that the customer uses"
    if bundle.spki_pin not in wanted:
        message = f"the key {bundle.spki_pin} signed it, and not {what}"
        hint = "Make it anew: bothways spoke bundle export."
        raise Refused((Finding("BUNDLE-06", message, hint, "RFC 2986 section 3", subject),))


def _installed(hub: Hub, bundle: Bundle, subject: str, try_certificate: Callable[[str, bytes], None]) -> str:
    tsp_id, data = bundle.about.customer, bundle.members[seal.HUB_CERTIFICATE]
    try_certificate(tsp_id, data)
    return fingerprint(install_credential(hub, tsp_id, data, subject).returned.chain[0])


def _tried(found: list[Finding], step: Callable[[], _Value]) -> _Value | None:
    """Return what the step returns, or None after keeping what it found wrong, so that all is said at once."""
    try:
        return step()
    except Refused as error:
        found += error.findings
    except (Conflict, NotFound) as error:
        hint = "Look at what is there, and take it out of the bundle if it is not to change."
        found.append(Finding("BUNDLE-07", str(error).removesuffix("."), hint, _CITATION))
    return None
