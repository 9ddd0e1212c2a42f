"""Path validation (RFC 5280 section 6, RFC 9525): what a server sent becomes a `CertificationPath`, or findings.

The library decides (`x509.verification`), with our demands on extensions; `server_chain` says what is wrong. Envoy has
the last word all the same: the probe through it is what establishes a flow.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from bothways.errors import Refused
from bothways.findings import Finding, errors
from bothways.pki.chain import linked, printed
from bothways.pki.server_chain import server_chain_findings

WAYS_MOST = 32
"""Ways to anchors that are tried, the shortest first: what is sent is a stranger's choice."""

_SERVER_USES = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
_LIBRARY_WORDS = ("validation failed: ", "candidates exhausted: ", "Python extension validator failed: ValueError: ")

_Way = tuple[x509.Certificate, ...]


@dataclass(frozen=True, slots=True)
class CertificationPath:
    """A server's certificate and the CAs above it, up to an endorsed anchor: proved for a host and a moment.

    `notes` are warnings on what the server sent.
    """

    certificates: tuple[x509.Certificate, ...]
    notes: tuple[Finding, ...] = ()


def certification_path(
    sent: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], host: str, now: datetime
) -> CertificationPath:
    """Return the path from the server's certificate, the first that was sent, to one of the anchors.

    `anchors` are all certificates of the chains endorsed for this customer: each is trusted, as in Envoy. `host` is the
    DNS-ID that has to be in the certificate. All certificates went through `chain.readable`. Raises `Refused` with
    everything that is wrong.
    """
    ways = tuple(islice(_ways(sent, anchors), WAYS_MOST))
    proved = next((way for way in ways if not _failure(way, host, now)), None)
    # Of ways that all fail, the one to talk about leads over CAs that are valid, if there is one.
    way = proved or next((each for each in ways if _valid(each, now)), ways[0] if ways else ())
    found = server_chain_findings(sent, anchors, way, host, now)
    if way and not proved and not errors(found):
        found = (_not_held(way, host, now), *found)
    if proved is None or errors(found):
        raise Refused(found)
    return CertificationPath(proved, found)


def _ways(sent: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]) -> Iterator[_Way]:
    """Yield ways from the server's certificate to anchors: signatures hold, and nothing else is looked at.

    The CAs may be sent in any order. Each that is no anchor is reached once, by the shortest way: CAs that all issued
    each other cost little.
    """
    unreached = [each for each in dict.fromkeys(sent[1:]) if each not in anchors]
    waiting: deque[_Way] = deque([(sent[0],)])
    while waiting:
        way = waiting.popleft()
        yield from ((*way, anchor) for anchor in anchors if linked(way[-1], anchor))
        for issuer in [each for each in unreached if linked(way[-1], each)]:
            unreached.remove(issuer)
            waiting.append((*way, issuer))


def _failure(way: _Way, host: str, now: datetime) -> str:
    """Return why the way does not hold, in the library's words; empty if it holds."""
    try:
        builder = PolicyBuilder().store(Store([way[-1]])).time(now).max_chain_depth(len(way))
        policies = builder.extension_policies(ca_policy=_issuer_policy(), ee_policy=_end_entity_policy())
        policies.build_server_verifier(x509.DNSName(host)).verify(way[0], list(way[1:-1]))
    except (VerificationError, ValueError) as error:
        said = str(error)
        for words in _LIBRARY_WORDS:
            said = said.removeprefix(words)
        return said.partition(" (encountered processing")[0] or type(error).__name__
    return ""


def _issuer_policy() -> ExtensionPolicy:
    # The profile of the public web asks for extensions that CAs of a bank's own often leave out, and Envoy does not
    # want: what is wanted here is what makes a path, and what Envoy looks at (`anchors`).
    any_form = Criticality.AGNOSTIC
    policy = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, any_form, None)
    policy = policy.may_be_present(x509.KeyUsage, any_form, _may_sign)
    return policy.may_be_present(x509.ExtendedKeyUsage, any_form, _may_vouch_for_servers)


def _end_entity_policy() -> ExtensionPolicy:
    policy = ExtensionPolicy.permit_all().require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
    return policy.may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _may_vouch_for_servers)


def _may_sign(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        message = "its key usage has no keyCertSign"
        raise ValueError(message)


def _may_vouch_for_servers(_policy: Policy, _certificate: x509.Certificate, uses: x509.ExtendedKeyUsage | None) -> None:
    if uses is not None and not _SERVER_USES.intersection(uses):
        message = "its extended key usage has no serverAuth"
        raise ValueError(message)


def _not_held(way: _Way, host: str, now: datetime) -> Finding:
    """Return what is wrong with a way of sound certificates: the lowest CA over which it does not hold is named."""
    why = [(above, _failure(way[: above + 1], host, now)) for above in range(1, len(way))]
    above, said = next(each for each in why if each[1])
    issuer, below = printed(way[above].subject), printed(way[above - 1].subject)
    message = f"the path does not hold over {issuer}, which issued {below}: {said}"
    hint = "Have the certificate below it issued by a CA that may vouch for this host."
    return Finding("PROBE-CHAIN-06", message, hint, "R14; RFC 5280 section 6.1", host)


def _valid(way: _Way, now: datetime) -> bool:
    return all(each.not_valid_before_utc <= now <= each.not_valid_after_utc for each in way[1:])
