"""The rules for certification requests: one function, one id, one citation each. Hub, portal and spoke run them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from bothways.contract.document import KeyType, Terms
from bothways.contract.subject import attribute_mistakes
from bothways.findings import Finding, Level
from bothways.pki import keys
from bothways.pki.request import CertificationRequest

SUBJECT = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}
"""The attributes that R9 wants, each exactly once."""

_STRINGS = (_ASN1Type.UTF8String, _ASN1Type.PrintableString)
_EXTENSIONS_IGNORED = {"2.5.29.14": "subjectKeyIdentifier"}


@dataclass(frozen=True, slots=True)
class Applicant:
    """For whom, and under which agreement, a request is judged. `organization` is empty where none is registered."""

    tsp_id: str
    terms: Terms
    organization: str = ""


Said = tuple[str, str]
"""A message and a hint."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `check` yields a message and a hint for each way in which the request breaks it."""

    id: str
    citation: str
    level: Level
    check: Callable[[CertificationRequest, Applicant], Iterator[Said]]


def key_is_allowed(request: CertificationRequest, applicant: Applicant) -> Iterator[Said]:
    """RSA 4096 or ECDSA P-256, and of those what the contract lists."""
    wanted = " or ".join(each.wanted for each in applicant.terms.request.keys)
    if not keys.allowed(request.public_key) or keys.key_type(request.public_key) not in applicant.terms.request.keys:
        yield (
            f"the key is {keys.described(request.public_key)}; {wanted} is wanted",
            "Make a new key, and a request for it.",
        )


def digest_is_sha256(request: CertificationRequest, applicant: Applicant) -> Iterator[Said]:
    """SHA-256 signs the request."""
    del applicant
    if request.signature_hash != "sha256":
        yield f"the request is signed with {request.signature_hash}; sha256 is wanted", "Make it again with -sha256."


def subject_is_complete(request: CertificationRequest, applicant: Applicant) -> Iterator[Said]:
    """Each attribute once, in an RDN of its own, and no others."""
    del applicant
    for name, oid in SUBJECT.items():
        count = len(request.subject.get_attributes_for_oid(oid))
        if count != 1:
            yield (
                f"{name} stands {count} times in the subject; once is wanted",
                f"Make the request again with one {name}.",
            )
    for rdn in request.subject.rdns:
        if len(rdn) > 1:
            yield "a part of the subject has several values", "Make the request again with one value per part."
    for attribute in request.subject:
        if attribute.oid not in SUBJECT.values():
            yield (
                f"{attribute.rfc4514_attribute_name} is not part of the agreed subject",
                f"Make the request again with {', '.join(SUBJECT)} alone.",
            )


def subject_is_clean(request: CertificationRequest, applicant: Applicant) -> Iterator[Said]:
    """Lengths, characters and string types of RFC 5280."""
    del applicant
    for name, oid in SUBJECT.items():
        for attribute in request.subject.get_attributes_for_oid(oid):
            if attribute._type not in _STRINGS:  # noqa: SLF001 - the library has no public name for it
                yield (
                    f"{name} is a {attribute._type.name}; UTF8String or PrintableString is wanted",  # noqa: SLF001
                    "Make the request again with string_mask = utf8only.",
                )
            for mistake in attribute_mistakes(name, _text(attribute)):
                yield mistake, f"Make the request again with another {name}."


def common_name_is_agreed(request: CertificationRequest, applicant: Applicant) -> Iterator[Said]:
    """R8: the one common name of this key, customer and environment; what deviates is named."""
    found = [_text(attribute) for attribute in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    marker = keys.key_type(request.public_key)
    if len(found) != 1 or marker is None:
        return
    environment = applicant.terms.environment
    wanted = applicant.terms.request.expected_common_name(marker.marker, applicant.tsp_id, environment)
    if found[0] == wanted:
        return
    other_marker = next(each.marker for each in KeyType if each is not marker)
    other_environment = next(each for each in type(environment) if each is not environment)
    expected = applicant.terms.request.expected_common_name
    if found[0] == expected(other_marker, applicant.tsp_id, environment):
        why = f"the marker is {other_marker}, but the key is {marker.marker}"
    elif found[0] == expected(marker.marker, applicant.tsp_id, other_environment):
        why = f"it is for {other_environment.value}, and this is {environment.value}"
    elif applicant.tsp_id not in found[0]:
        why = f"the tspId {applicant.tsp_id} is not in it"
    else:
        why = "it does not follow the agreed pattern"
    yield f"the common name is {found[0]!r}, wanted is {wanted!r}: {why}", f"Make the request again with CN={wanted}."


def organization_is_registered(request: CertificationRequest, applicant: Applicant) -> Iterator[Said]:
    """The organization is the registered one; spelling differs in life, so a person decides."""
    found = [_text(attribute) for attribute in request.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    if applicant.organization and found and found != [applicant.organization]:
        yield (
            f"O is {found[0]!r}, registered is {applicant.organization!r}",
            "Check that both are the same organization before approving.",
        )


def extensions_are_ignored(request: CertificationRequest, applicant: Applicant) -> Iterator[Said]:
    """The certificate is built from the hub's profile: what a request asks for beyond key and subject has no effect."""
    del applicant
    for oid in request.extensions:
        if oid not in _EXTENSIONS_IGNORED:
            yield f"the request asks for the extension {oid}, which has no effect", "Nothing has to be done."


RULES = (
    Rule("CSR-KEY-01", "R7", Level.ERROR, key_is_allowed),
    Rule("CSR-KEY-02", "R7", Level.ERROR, digest_is_sha256),
    Rule("CSR-SUBJECT-01", "R9", Level.ERROR, subject_is_complete),
    Rule("CSR-SUBJECT-02", "R9; RFC 5280 appendix A.1", Level.ERROR, subject_is_clean),
    Rule("CSR-SUBJECT-03", "R9", Level.WARNING, organization_is_registered),
    Rule("CSR-CN-01", "R8", Level.ERROR, common_name_is_agreed),
    Rule("CSR-EXTENSION-01", "RFC 2986 section 4", Level.WARNING, extensions_are_ignored),
)


def request_findings(request: CertificationRequest, applicant: Applicant, subject: str) -> tuple[Finding, ...]:
    """Return everything that the rules say about the request, in the order of `RULES`; `subject` names its file."""
    return tuple(
        Finding(rule.id, message, hint, rule.citation, subject, rule.level)
        for rule in RULES
        for message, hint in rule.check(request, applicant)
    )


def _text(attribute: x509.NameAttribute[str | bytes]) -> str:
    return attribute.value if isinstance(attribute.value, str) else attribute.value.hex()
