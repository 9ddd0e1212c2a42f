"""The rules under which a chain's CAs can become trust anchors (R14): one function, one id, one citation each.

Envoy takes whatever it is given as an anchor: what may be given to it is decided here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, PublicKeyAlgorithmOID

from bothways.findings import Finding, Level
from bothways.pki import weak
from bothways.pki.chain import extension, fingerprint, issued_by, printed, self_issued
from bothways.pki.keys import described, spki_pin
from bothways.pki.rule import Rule, Said

RSA_BITS_LEAST, RSA_BITS_MOST = 2048, 8192
_EXPONENT_LEAST, _EXPONENT_BITS_MOST = 65537, 256
_CURVES = (ec.SECP256R1, ec.SECP384R1)
_HASHES = ("sha256", "sha384", "sha512")
_HINT = "Submit the CA chain of the server: its intermediates and its root, and nothing else."
_NEW_KEY = "Make a new CA with another key, a server certificate under it, and submit its chain."
_SERVER_USES = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
_UNDERSTOOD = (
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.ExtendedKeyUsage,
    x509.NameConstraints,
    x509.SubjectAlternativeName,
    x509.CertificatePolicies,
    x509.PolicyConstraints,
    x509.InhibitAnyPolicy,
)
"""Extensions that BoringSSL takes although they are critical, of those that a CA may have."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the rules need to know beside the chain.

    `own`, `elsewhere`, `banned` and `public` are SPKI pins: of the hub's own CAs, of keys that the hub of the other
    environment knows, of keys that others can have, of the CAs that every browser trusts. `shared` are fingerprints of
    roots that are endorsed for other customers. `host` is the server's, empty if none was named yet.
    """

    now: datetime
    own: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    banned: frozenset[str] = frozenset()
    public: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    host: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A certificate that is to be an anchor, in its chain. `below` are the CAs under it that a pathLen counts."""

    certificate: x509.Certificate
    below: int
    chain: Sequence[x509.Certificate]
    known: Circumstances

    @property
    def name(self) -> str:
        """Its subject, for people."""
        return printed(self.certificate.subject)

    @property
    def is_public(self) -> bool:
        """Tell whether its chain leads to a CA that every browser trusts."""
        return any(spki_pin(each.public_key()) in self.known.public for each in self.chain)


def anchor_findings(
    chain: Sequence[x509.Certificate], known: Circumstances, subject: str = "chain"
) -> tuple[Finding, ...]:
    """Return what the rules say about the certificates of a chain as anchors; each is issued by the next."""
    candidates, below = [], 0
    for certificate in chain:
        candidates.append(Candidate(certificate, below, chain, known))
        # One that has its issuer's name is a change of the CA's key, and not counted (RFC 5280 section 4.2.1.9).
        below += not self_issued(certificate)
    return tuple(finding for candidate in candidates for rule in RULES for finding in rule.findings(candidate, subject))


def is_a_ca(candidate: Candidate) -> Iterator[Said]:
    """A certificate without the word that it is a CA is an end entity's, also if it signed itself (CVE-2025-6037)."""
    constraints = extension(candidate.certificate, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        return
    why = "has no BasicConstraints" if constraints is None else "is not a CA (BasicConstraints)"
    itself = " It signed itself, and vouches for nobody else." if _signed_itself(candidate) else ""
    yield f"{candidate.name} {why}; the CAs of the server are wanted, without its own certificate.{itself}", _HINT


def may_sign(candidate: Candidate) -> Iterator[Said]:
    """A CA with a KeyUsage has keyCertSign in it."""
    usage = extension(candidate.certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        yield f"{candidate.name} may not sign certificates (KeyUsage without keyCertSign)", _HINT


def path_is_short_enough(candidate: Candidate) -> Iterator[Said]:
    """No more CAs are below a CA than its pathLenConstraint allows."""
    constraints = extension(candidate.certificate, x509.BasicConstraints)
    allowed = constraints.path_length if constraints is not None and constraints.ca else None
    if allowed is not None and allowed < candidate.below:
        message = f"{candidate.name} allows {allowed} CAs below it (pathLenConstraint), and {candidate.below} are"
        yield message, "Have the CA below it issued by one that allows it."


def may_vouch_for_servers(candidate: Candidate) -> Iterator[Said]:
    """Envoy refuses servers under a CA whose ExtendedKeyUsage has no serverAuth."""
    uses = extension(candidate.certificate, x509.ExtendedKeyUsage)
    if uses is not None and not _SERVER_USES.intersection(uses):
        message = f"{candidate.name} is for other uses than servers (ExtendedKeyUsage without serverAuth)"
        yield message, "Submit the chain of the CA that issued the server's certificate."


def names_the_host(candidate: Candidate) -> Iterator[Said]:
    """Envoy refuses a host that the NameConstraints of a CA exclude."""
    constraints = extension(candidate.certificate, x509.NameConstraints)
    host = candidate.known.host
    if constraints is None or not host:
        return
    permitted = _dns_names(constraints.permitted_subtrees)
    excluded = [each for each in _dns_names(constraints.excluded_subtrees) if _within(host, each)]
    if excluded or (permitted and not any(_within(host, each) for each in permitted)):
        said = f"excludes {excluded[0]}" if excluded else f"permits {', '.join(permitted)} alone"
        message = f"{candidate.name} {said} (NameConstraints), and the server is {host}"
        yield message, "Submit the chain of a CA that may vouch for this host, or name another host."


def extensions_are_understood(candidate: Candidate) -> Iterator[Said]:
    """Envoy refuses a CA with a critical extension that it does not know (RFC 5280 section 4.2)."""
    for each in candidate.certificate.extensions:
        if each.critical and not isinstance(each.value, _UNDERSTOOD):
            message = f"{candidate.name} has the critical extension {each.oid.dotted_string}, which Envoy does not know"
            yield message, "Submit the chain of a CA without it, if the probe is refused."


def is_valid_now(candidate: Candidate) -> Iterator[Said]:
    """Its validity includes this moment."""
    first, last = candidate.certificate.not_valid_before_utc, candidate.certificate.not_valid_after_utc
    if candidate.known.now > last:
        yield f"{candidate.name} ended on {last:%Y-%m-%d}", "Submit the chain of the CA that took its place."
    elif candidate.known.now < first:
        message = f"{candidate.name} is not valid before {first:%Y-%m-%d %H:%M} UTC"
        yield message, "Submit it again then; if it should be valid now, compare the clocks."


def key_is_strong(candidate: Candidate) -> Iterator[Said]:
    """RSA from 2048 bits on with a usual exponent, P-256 or P-384: what Envoy verifies, and nobody can break."""
    key = candidate.certificate.public_key()
    if candidate.certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
        message = (
            f"the key of {candidate.name} is RSA for PSS signatures alone (id-RSASSA-PSS), which Envoy cannot read"
        )
        yield message, "Make a CA with a plain RSA key (rsaEncryption): it can sign with PSS all the same."
        return
    if isinstance(key, rsa.RSAPublicKey):
        exponent = key.public_numbers().e
        strong = RSA_BITS_LEAST <= key.key_size <= RSA_BITS_MOST
        strong = strong and exponent % 2 == 1 and exponent >= _EXPONENT_LEAST
        strong = strong and exponent.bit_length() <= _EXPONENT_BITS_MOST
    else:
        strong = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES)
    if not strong:
        wanted = f"RSA with {RSA_BITS_LEAST} to {RSA_BITS_MOST} bits and the exponent 65537, P-256 or P-384"
        yield f"the key of {candidate.name} is {described(key)}; {wanted} is wanted", _NEW_KEY


def digest_is_strong(candidate: Candidate) -> Iterator[Said]:
    """Signed with SHA-256 or better, the root too: roots with SHA-1 are leaving all programs for their age."""
    algorithm = candidate.certificate.signature_hash_algorithm
    if algorithm is None or algorithm.name not in _HASHES:
        digest = algorithm.name if algorithm else "an unknown digest"
        message = f"{candidate.name} is signed with {digest}; sha256 or better is wanted"
        yield message, "Have the CA's certificate issued again with SHA-256; its key can stay."


def key_is_not_banned(candidate: Candidate) -> Iterator[Said]:
    """Nobody else is known to have the private key."""
    if spki_pin(candidate.certificate.public_key()) in candidate.known.banned:
        yield f"the key of {candidate.name} is banned: others can sign with it", _NEW_KEY


def modulus_is_sound(candidate: Candidate) -> Iterator[Said]:
    """Nobody can take the modulus apart."""
    key = candidate.certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size > RSA_BITS_MOST:
        return
    number = key.public_numbers().n
    if (factor := weak.small_factor(number)) is not None:
        yield f"the modulus of {candidate.name} has the factor {factor}", _NEW_KEY
    if weak.has_close_primes(number):
        yield f"the primes of {candidate.name} are too close together (CVE-2022-26320)", _NEW_KEY
    if weak.is_of_roca(number):
        yield f"the key of {candidate.name} was made by the flawed library of CVE-2017-15361 (ROCA)", _NEW_KEY


def is_not_the_hubs(candidate: Candidate) -> Iterator[Said]:
    """The hub's own CAs vouch for the hub and for its customers' clients, and for no customer's server."""
    if spki_pin(candidate.certificate.public_key()) in candidate.known.own:
        yield f"{candidate.name} is the hub's own CA and vouches for no customer's server", _HINT


def is_not_of_the_other_environment(candidate: Candidate) -> Iterator[Said]:
    """Nothing crosses between the environments, except CAs that are all the world's: there the host alone decides."""
    if candidate.is_public or spki_pin(candidate.certificate.public_key()) not in candidate.known.elsewhere:
        return
    message = f"the key of {candidate.name} is known to the hub of the other environment"
    yield message, "Make a CA of its own for each environment."


def is_not_public(candidate: Candidate) -> Iterator[Said]:
    """Under a CA that every browser trusts, anybody gets a certificate who controls the host's name or DNS."""
    if spki_pin(candidate.certificate.public_key()) in candidate.known.public:
        message = (
            f"{candidate.name} is a public CA: every certificate that anybody gets from it for the host will pass; "
            "a CA of the customer's own is wanted"
        )
        hint = "If there is none, the operator endorses it with --public-root, and better with --pin as well."
        yield message, hint


def is_not_shared(candidate: Candidate) -> Iterator[Said]:
    """A CA of several customers vouches for each one's host alone, and still issues for all of them."""
    if not candidate.is_public and fingerprint(candidate.certificate) in candidate.known.shared:
        message = f"{candidate.name} is endorsed for another customer too"
        yield message, "Ask whose CA it is; each customer's server is still believed under its own host name alone."


RULES: tuple[Rule[Candidate], ...] = (
    Rule("CHAIN-CA-01", "R14; RFC 5280 section 4.2.1.9", Level.ERROR, is_a_ca),
    Rule("CHAIN-CA-02", "R14; RFC 5280 section 4.2.1.3", Level.ERROR, may_sign),
    Rule("CHAIN-CA-03", "R14; RFC 5280 section 4.2.1.9", Level.ERROR, path_is_short_enough),
    Rule("CHAIN-CA-04", "RFC 5280 section 4.2.1.12", Level.WARNING, may_vouch_for_servers),
    Rule("CHAIN-CA-05", "RFC 5280 section 4.2.1.10", Level.WARNING, names_the_host),
    Rule("CHAIN-CA-06", "RFC 5280 section 4.2", Level.WARNING, extensions_are_understood),
    Rule("CHAIN-DATE-01", "R14; RFC 5280 section 4.1.2.5", Level.ERROR, is_valid_now),
    Rule("CHAIN-KEY-01", "R14; CA/Browser Forum Baseline Requirements section 6.1.5", Level.ERROR, key_is_strong),
    Rule("CHAIN-KEY-02", "R14; RFC 6194", Level.ERROR, digest_is_strong),
    Rule("CHAIN-KEY-03", "R14", Level.ERROR, key_is_not_banned),
    Rule("CHAIN-KEY-04", "R14; CA/Browser Forum ballot SC-073", Level.ERROR, modulus_is_sound),
    Rule("CHAIN-OWN-01", "R14", Level.ERROR, is_not_the_hubs),
    Rule("CHAIN-OWN-02", "R5", Level.ERROR, is_not_of_the_other_environment),
    Rule("CHAIN-PUBLIC-01", "R14", Level.WARNING, is_not_public),
    Rule("CHAIN-SHARED-01", "R14", Level.WARNING, is_not_shared),
)


def _signed_itself(candidate: Candidate) -> bool:
    return len(candidate.chain) == 1 and issued_by(candidate.certificate, candidate.certificate)


def _dns_names(subtrees: Sequence[x509.GeneralName] | None) -> list[str]:
    return [each.value.lower() for each in subtrees or () if isinstance(each, x509.DNSName)]


def _within(host: str, constraint: str) -> bool:
    """Tell whether the host is the name, or below it; a constraint may be written with a dot before it."""
    return f".{host}".endswith(f".{constraint.removeprefix('.')}") or not constraint
