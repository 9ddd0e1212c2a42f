"""A bundle: members, a manifest with the SHA-256 of each, and the manifest's signature, verified as a whole or refused.

The hub signs with a key made for that, whose SPKI pin is in the contract; the customer with the key of its request, and
so proves its possession, or with the key that is in use.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from bothways.bundle.archive import read_archive, write_archive
from bothways.contract.document import Environment
from bothways.errors import Refused
from bothways.findings import Finding
from bothways.pki.encoding import CHAIN_LIMIT, REQUEST_LIMIT
from bothways.pki.keys import sha256, spki_pin
from bothways.pki.statement import (
    Statement,
    make_statement,
    public_pem,
    read_public_pem,
    read_statement,
    require_signed,
)

CONTRACT, CLIENT_CA, SERVER_CA, INSTRUCTIONS = "contract.toml", "client-ca.crt", "ca.crt", "instructions.html"
CERTIFICATE, HUB_REQUEST = "tls.crt", "hub-client.csr"
REQUEST, SERVER_CHAIN, ENDPOINT, HUB_CERTIFICATE = "tls.csr", "server-chain.pem", "endpoint.txt", "hub-client.crt"
RECIPES = ("tls-ecdsa.sh", "tls-rsa.sh", "tls-ecdsa.ps1", "tls-rsa.ps1")
NGINX, CURL, OPENSSL = "nginx.conf", "curl.sh", "openssl.txt"
"""Filled in for this customer; they look for all files in `PLACE`."""
PLACE = "/etc/bothways"

_MANIFEST, _SIGNATURE, _SIGNER = "manifest.json", "manifest.sig", "signer.pem"
_SEAL = {_MANIFEST: 16 << 10, _SIGNATURE: 1 << 10, _SIGNER: 2 << 10}
_TEXT = 256 << 10


class Kind(StrEnum):
    """Who made a bundle; the value is in the type of its manifest."""

    HUB = "hub-bundle"
    CUSTOMER = "customer-bundle"


_LIMITS: dict[Kind, dict[str, int]] = {
    Kind.HUB: {
        CONTRACT: _TEXT,
        CLIENT_CA: CHAIN_LIMIT,
        SERVER_CA: CHAIN_LIMIT,
        INSTRUCTIONS: _TEXT,
        CERTIFICATE: CHAIN_LIMIT,
        HUB_REQUEST: REQUEST_LIMIT,
        **dict.fromkeys((*RECIPES, NGINX, CURL, OPENSSL), REQUEST_LIMIT),
    },
    Kind.CUSTOMER: {
        REQUEST: REQUEST_LIMIT,
        SERVER_CHAIN: CHAIN_LIMIT,
        ENDPOINT: 2 << 10,
        HUB_CERTIFICATE: CHAIN_LIMIT,
    },
}


@dataclass(frozen=True, slots=True)
class About:
    """For whom and of when a bundle is. `id` is the hub's name for its bundle, which the customer's one answers."""

    environment: Environment
    hub: str
    customer: str
    id: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose parts fit together. Whether its signer is the right one, the caller asks."""

    kind: Kind
    about: About
    members: Mapping[str, bytes]
    signer: CertificatePublicKeyTypes
    fingerprint: str

    @property
    def spki_pin(self) -> str:
        """The SPKI pin of the key that signed it."""
        return spki_pin(self.signer)

    def text(self, name: str) -> str:
        """Return a member as text; what is no UTF-8 is replaced."""
        return self.members[name].decode(errors="replace")


def make_bundle(
    kind: Kind,
    about: About,
    members: Mapping[str, bytes],
    key: CertificatePublicKeyTypes,
    sign: Callable[[Statement], bytes],
) -> bytes:
    """Return the zip; `sign` is given the manifest, and signs with the private half of `key`."""
    listed = {name: {"size": len(content), "sha256": sha256(content)} for name, content in members.items()}
    manifest = make_statement(
        kind.value,
        {
            "environment": about.environment.value,
            "hub": about.hub,
            "customer": about.customer,
            "id": about.id,
            "made_at": about.made_at.isoformat(),
            "signer": spki_pin(key),
            "files": listed,
        },
    )
    seal = {_MANIFEST: manifest.content, _SIGNATURE: sign(manifest), _SIGNER: public_pem(key).encode()}
    return write_archive({**seal, **members})


def open_bundle(data: bytes, kind: Kind, subject: str) -> Bundle:
    """Return a bundle of this kind. Raises `Refused` if a byte of it is not what its signer signed."""
    members = read_archive(data, _LIMITS[Kind.HUB] | _LIMITS[Kind.CUSTOMER] | _SEAL, subject)
    if missing := [each for each in _SEAL if each not in members]:
        raise Refused((_finding("BUNDLE-03", f"it has no {', '.join(missing)}", subject),))
    seal = {name: members.pop(name) for name in _SEAL}
    manifest = seal[_MANIFEST]
    try:
        signer = read_public_pem(seal[_SIGNER])
        require_signed(manifest, seal[_SIGNATURE], signer)
        said = read_statement(manifest, kind.value)
        about = About(
            Environment(said["environment"]),
            _text(said["hub"]),
            _text(said["customer"]),
            _text(said["id"]),
            datetime.fromisoformat(said["made_at"]),
        )
        _require_listed(said, members, signer, kind)
    # What a stranger signed may have any shape.
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"its manifest says nothing of {error}" if isinstance(error, KeyError) else str(error)
        raise Refused((_finding("BUNDLE-03", f"it is not what its signer signed: {why}", subject),)) from error
    return Bundle(kind, about, members, signer, sha256(manifest))


def meant_findings(bundle: Bundle, environment: Environment, hub: str, customer: str, subject: str) -> list[Finding]:
    """Return what is wrong with the address of a bundle: another environment, hub or customer (R5, R4)."""
    about = bundle.about
    named, called, asked = about.environment.value, about.hub[:64], about.customer[:64]
    wrong = {
        f"it is for the environment {named!r}, and not for {environment.value}": about.environment is not environment,
        f"it is for the hub {called!r}, and not for {hub}": about.hub != hub,
        f"it is for the customer {asked!r}, and not for {customer}": about.customer != customer,
    }
    hint = "Give it to where it belongs; nothing crosses from one to the other."
    return [Finding("BUNDLE-04", message, hint, "R4, R5", subject) for message, is_wrong in wrong.items() if is_wrong]


def _require_listed(
    said: dict[str, Any], members: Mapping[str, bytes], signer: CertificatePublicKeyTypes, kind: Kind
) -> None:
    if said["signer"] != spki_pin(signer):
        raise ValueError("its manifest names another signer")
    there = {name: {"size": len(content), "sha256": sha256(content)} for name, content in members.items()}
    if not isinstance(said["files"], dict) or said["files"] != there:
        wrong = sorted(name for name in {*said["files"], *there} if said["files"].get(name) != there.get(name))
        raise ValueError(f"{', '.join(wrong)[:200]} is not what the manifest says")
    if strange := sorted(there.keys() - _LIMITS[kind].keys()):
        raise ValueError(f"{', '.join(strange)} does not come from there")
    if datetime.fromisoformat(said["made_at"]).tzinfo is None:
        raise ValueError("its moment has no time zone")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _finding(id_: str, message: str, subject: str) -> Finding:
    return Finding(id_, message, "Take it again from whoever made it, unchanged.", "docs/bundles.md", subject)
