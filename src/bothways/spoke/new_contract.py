"""A newer contract taken into a spoke that has one: what it changes, whether it is ours, and the one before kept.

The contract is the agreement with one hub in one environment (R5): another hub's, or another environment's, is for a
spoke of its own.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography import x509

from bothways import files
from bothways.contract.document import PUBLIC, Contract, KeyType, Software
from bothways.contract.render import contract_document, render_contract
from bothways.errors import NotFound, Refused, Unreachable, Unusable
from bothways.findings import Finding
from bothways.pki.chain import fingerprint, issued_by
from bothways.pki.encoding import UNREADABLE
from bothways.pki.keys import key_type, sha256
from bothways.spoke import client as clients
from bothways.spoke.directory import Spoke, alone, contract_in, open_spoke, stands, write_authorities

PATH = "/connectivity/contract"
"""Where a hub of ours gives out its contract over mutual TLS."""

PREVIOUS = "previous-contract.toml"
"""The contract before the one in force, as it was."""

_OK, _NOT_FOUND = 200, 404
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that is another one now: what it was, what it is, and what that means for this spoke."""

    setting: str
    before: str
    after: str
    meaning: str

    def document(self) -> dict[str, str]:
        """Return the change as the JSON object that the command line shows."""
        return {"setting": self.setting, "before": self.before, "after": self.after, "meaning": self.meaning}


@dataclass(frozen=True, slots=True)
class Replaced:
    """What came of it: the changes, in the order of the document; and where the contract before is, if it was kept."""

    changes: tuple[Change, ...]
    previous: Path | None


def offered(spoke: Spoke) -> bytes:
    """Return the contract that the hub gives out now, asked for over mutual TLS with the certificate in use.

    The hub is told which one is in force here, so that a look counts for no more than that.
    Raises `NotFound` if the hub gives none out, otherwise as `clients.call`.
    """
    with clients.open_client(spoke) as client:
        answer = clients.call(client, "GET", stating(spoke, PATH))
    if answer.status == _OK:
        return answer.body
    portal = spoke.contract.terms.portal
    elsewhere = f"bothways spoke contract {portal}/contract.toml" if portal else "bothways spoke contract FILE"
    said = f"the hub answers {answer.status} at {PATH}"
    if answer.status == _NOT_FOUND:
        raise NotFound(f"{said}: it gives out no contract there. Take it from elsewhere: {elsewhere}")
    raise Unreachable(f"{said}. Try again later, or take the contract from elsewhere: {elsewhere}")


def newer(spoke: Spoke) -> str:
    """Ask the hub, and return the SHA-256 of its contract if that is not the spoke's; otherwise an empty text.

    The hub learns which one the spoke has: before it retires a CA, it wants to know who trusts the next one.
    Also for a hub that tells none. Raises as `clients.call`.
    """
    with clients.open_client(spoke) as client:
        answer = clients.call(client, "GET", stating(spoke, "/connectivity"))
    try:
        latest = published(json.loads(answer.body))
    except ValueError:
        return ""
    return latest if latest and not is_in_force(spoke, latest) else ""


def stating(spoke: Spoke, path: str) -> str:
    """Return a path below `/connectivity` that says which contract is in force here, by the SHA-256 of its file."""
    return f"{path}?in-force={sha256(files.read(spoke.contract_file, 'the contract'))}"


def published(document: Any) -> str:
    """Return the SHA-256 of the contract that an answer of `/connectivity` names, or an empty text."""
    named = document.get("contract") if isinstance(document, Mapping) else None
    latest = named.get("fingerprint") if isinstance(named, Mapping) else None
    return latest if isinstance(latest, str) and _SHA256.fullmatch(latest) else ""


def is_in_force(spoke: Spoke, fingerprint: str) -> bool:
    """Tell whether the contract with this SHA-256 is the spoke's: as it stands in the file, or as it would be written.

    A file that was copied by hand may have other line ends, and says the same.
    """
    texts = [render_contract(spoke.contract).encode()]
    if stands(spoke.contract_file):
        texts.append(files.read(spoke.contract_file, "the contract"))
    return fingerprint in {sha256(each) for each in texts}


def changes(spoke: Spoke, latest: Contract) -> tuple[Change, ...]:
    """Return what the contract changes for this spoke. Raises `Refused` if it is that of another hub or environment."""
    before, after = spoke.contract, latest
    wrong = []
    pairs = (
        ("CONTRACT-ENVIRONMENT", "environment", before.terms.environment.value, after.terms.environment.value),
        ("CONTRACT-HUB", "hub", before.terms.hub, after.terms.hub),
        ("CONTRACT-HUB", "hub's software", before.terms.software.value, after.terms.software.value),
    )
    for id_, what, wanted, found in pairs:
        # Of another hub, a preset may not have known the name.
        if wanted and found != wanted:
            message = f"the contract's {what} is {found or 'not said'}, wanted {wanted}, as in this spoke"
            hint = "Nothing was changed. For another hub or environment make another spoke: bothways spoke init"
            wrong.append(Finding(id_, message, hint, "R5", str(spoke.directory)))
    if wrong:
        raise Refused(tuple(wrong))
    return (*_terms(spoke, before, after), *_trust(spoke, before, after))


def replace_contract(spoke: Spoke, data: bytes, subject: str, *, dry_run: bool = False) -> Replaced:
    """Put the contract in force in place of the spoke's, and keep that one; with `dry_run` only tell what changes.

    `data` was verified by the caller. The same contract again changes nothing. CAs that were learned from another hub
    stay where its contract says nothing of them. Raises `Refused` as `changes`, and for a contract that is none.
    """
    latest = _with_learned(spoke.contract, contract_in(data, subject))
    found = changes(spoke, latest)
    kept = spoke.directory / PREVIOUS
    content = data if latest == contract_in(data, subject) else render_contract(latest).encode()
    in_force = spoke.contract_file.read_bytes()
    if content != in_force and not dry_run:
        with alone(spoke.directory):
            if found:
                files.replace(kept, in_force)
            # What says the same in other bytes is taken too: the hub compares them.
            _put_in_force(spoke, content, latest)
    return Replaced(found, kept if stands(kept) else None)


def put_back(spoke: Spoke) -> Replaced:
    """Put the contract before in force again; the one in force becomes the one before. Raises `Unusable`, `Refused`."""
    kept = spoke.directory / PREVIOUS
    if not stands(kept):
        raise Unusable(f"{spoke.directory} holds no contract that was in force before, so there is none to put back.")
    data = files.read(kept, "the contract before")
    before = contract_in(data, str(kept))
    found = changes(spoke, before)
    with alone(spoke.directory):
        files.replace(kept, spoke.contract_file.read_bytes())
        _put_in_force(spoke, data, before)
    return Replaced(found, kept)


def _put_in_force(spoke: Spoke, content: bytes, contract: Contract) -> None:
    write_authorities(spoke.directory, contract)
    # The contract comes last: it is what others look at, to see whether something is new.
    files.replace(spoke.contract_file, content)
    open_spoke(spoke.directory)


def _with_learned(before: Contract, after: Contract) -> Contract:
    if after.terms.software is Software.BOTHWAYS:
        return after
    trust = replace(
        after.trust,
        issuing_ca=after.trust.issuing_ca or before.trust.issuing_ca,
        client_ca=after.trust.client_ca or before.trust.client_ca,
    )
    return replace(after, trust=trust)


def _terms(spoke: Spoke, before: Contract, after: Contract) -> Iterator[Change]:
    old, new = _flat(before), _flat(after)
    meanings: Mapping[str, str] = {
        "hub.domain": "calls of this name are the hub's from now on.",
        "hub.endpoint": "calls go there from now on; a sidecar and programs with a configuration of their own have to "
        "be started again with it.",
        "hub.portal": "the portal is there from now on.",
        "request.common_name": "the next request has it; the certificate in use stays as it is.",
        "request.keys": _keys_meaning(spoke, after),
        "certificate.validity_days": "the next certificate is valid for so long.",
        "certificate.overlap_days": "a certificate that was renewed stays valid for so long.",
        "outbound.ports": "your server has to listen on one of these.",
        "outbound.probe_path": "a probe asks your server for it.",
    }
    for setting in sorted(old.keys() | new.keys()):
        was, now = old.get(setting, "not said"), new.get(setting, "not said")
        if was != now and not setting.startswith("trust."):
            yield Change(setting, was, now, meanings.get(setting, "it counts from now on."))


def _keys_meaning(spoke: Spoke, after: Contract) -> str:
    said = "the next request has a key of one of these kinds."
    kind = _kind_in_use(spoke)
    if kind and kind not in after.terms.request.keys:
        wanted = after.terms.request.keys[0].value
        said += f" The key in use is of another, so the next renewal is: bothways spoke renew --key {wanted}"
    return said


def _kind_in_use(spoke: Spoke) -> KeyType | None:
    certificate = _in_use(spoke)
    return key_type(certificate.public_key()) if certificate else None


def _in_use(spoke: Spoke) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificates(spoke.certificate_file.read_bytes())[0]
    except (OSError, *UNREADABLE):
        return None


def _trust(spoke: Spoke, before: Contract, after: Contract) -> Iterator[Change]:
    own = _in_use(spoke)
    gone = _certificates(before.trust.issuing_ca) - _certificates(after.trust.issuing_ca)
    renew = " The certificate in use comes from the one that is gone: bothways spoke renew --force"
    meanings = {
        "issuing_ca": "certificates of these CAs can be installed."
        + (renew if own and any(issued_by(own, each) for each in gone) else ""),
        "client_ca": "the hub's calls are known by these CAs. Your own server has to trust the same: reload what reads "
        "client-ca.crt.",
        "server_ca": "the hub's endpoint is known by these CAs: reload what reads ca.crt.",
    }
    for name, meaning in meanings.items():
        was, now = getattr(before.trust, name), getattr(after.trust, name)
        if _certificates(was) != _certificates(now) or (PUBLIC in {was, now} and was != now):
            yield Change(f"trust.{name}", _named(was), _named(now), meaning)
    if before.trust.bundle_pin != after.trust.bundle_pin:
        meaning = "the hub's bundles are signed by this key."
        yield Change("trust.bundle_pin", before.trust.bundle_pin or "none", after.trust.bundle_pin or "none", meaning)


def _certificates(pem: str) -> frozenset[x509.Certificate]:
    return frozenset(x509.load_pem_x509_certificates(pem.encode())) if pem and pem != PUBLIC else frozenset()


def _named(pem: str) -> str:
    """Return the CAs by name and fingerprint, for a person to compare."""
    if pem == PUBLIC:
        return "the CAs that this machine's platform trusts"
    found = x509.load_pem_x509_certificates(pem.encode()) if pem else []
    said = (f"{each.subject.rfc4514_string()} (SHA-256 {fingerprint(each)})" for each in found)
    return "; ".join(said) or "none"


def _flat(contract: Contract) -> dict[str, str]:
    """Return the settings as they stand in the document, each under its dotted name."""
    document = contract_document(contract)
    return {
        f"{table}.{name}": ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for table, settings in document.items()
        if isinstance(settings, dict)
        for name, value in settings.items()
    }
