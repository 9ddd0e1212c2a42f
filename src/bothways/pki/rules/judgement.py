"""All rules in their order, and what they say about a request: everything at once."""

from dataclasses import dataclass

from bothways.findings import Finding, Level
from bothways.pki.reading import Reading, read_request
from bothways.pki.request import CertificationRequest, proved
from bothways.pki.rule import Applicant, Rule
from bothways.pki.rules import attribute, common_name, key, subject
from bothways.pki.rules.asked import Asked, asked

_CLEAN = "R9; RFC 5280 appendix A.1"

RULES: tuple[Rule[Asked], ...] = (
    Rule("CSR-KEY-01", "R7", Level.ERROR, key.key_is_allowed),
    Rule("CSR-KEY-02", "R7", Level.ERROR, key.digest_is_sha256),
    Rule("CSR-KEY-06", "CVE-2017-15361", Level.ERROR, key.key_is_not_of_roca),
    Rule("CSR-KEY-07", "CVE-2022-26320", Level.ERROR, key.primes_are_far_apart),
    Rule("CSR-KEY-08", "NIST SP 800-89 section 5.3.3", Level.ERROR, key.modulus_has_no_small_factor),
    Rule("CSR-KEY-09", "RFC 8017 section 3.1", Level.ERROR, key.modulus_shares_no_factor),
    Rule("CSR-KEY-10", "R7; RFC 5280 section 5.3.1", Level.ERROR, key.key_is_not_banned),
    Rule("CSR-SUBJECT-01", "R9", Level.ERROR, subject.subject_is_complete),
    Rule("CSR-SUBJECT-04", "R9; RFC 5280 section 4.1.2.4", Level.ERROR, subject.parts_have_one_value),
    Rule("CSR-SUBJECT-05", "R9", Level.ERROR, subject.attributes_are_agreed),
    Rule("CSR-SUBJECT-02", _CLEAN, Level.ERROR, subject.values_are_clean),
    Rule("CSR-SUBJECT-06", "RFC 5280 section 4.1.2.4", Level.ERROR, subject.string_types_are_agreed),
    Rule("CSR-SUBJECT-03", "R9", Level.WARNING, subject.organization_is_registered),
    Rule("CSR-CN-01", "R8", Level.ERROR, common_name.common_name_is_agreed),
    Rule("CSR-EXTENSION-01", "RFC 2986 section 4", Level.WARNING, attribute.extensions_are_ignored),
    Rule("CSR-ATTRIBUTE-02", "RFC 2985 section 5.4.1", Level.WARNING, attribute.no_password_is_inside),
    Rule("CSR-ATTRIBUTE-03", "RFC 2986 section 4", Level.WARNING, attribute.attributes_are_ignored),
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that was found, and the request if proof of possession holds: it may break other rules."""

    request: CertificationRequest | None
    findings: tuple[Finding, ...]


def judge_request(data: bytes, applicant: Applicant, subject: str) -> Judgement:
    """Return everything that is wrong with the request in `data` (PEM or DER), proof of possession included.

    `subject` names the file in findings. Raises `Refused` if it holds no request that can be taken apart.
    """
    reading = read_request(data, subject)
    request, findings = proved(reading, subject)
    return Judgement(request, findings + _findings(reading, applicant, subject))


def request_findings(request: CertificationRequest, applicant: Applicant, subject: str) -> tuple[Finding, ...]:
    """Return everything that the rules say about the request, in the order of `RULES`; `subject` names its file.

    Notes on how the file was normalised come last.
    """
    return _findings(request.reading, applicant, subject)


def _findings(reading: Reading, applicant: Applicant, subject: str) -> tuple[Finding, ...]:
    judged = asked(reading, applicant)
    return tuple(finding for rule in RULES for finding in rule.findings(judged, subject)) + reading.notes
