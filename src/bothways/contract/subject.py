"""The subject of a request, as the customer gives it (R9). The common name is never given: the contract makes it."""

import re
from dataclasses import dataclass

from bothways.contract.document import KeyType, Terms
from bothways.findings import Finding

LIMITS = {"C": 2, "ST": 128, "L": 128, "O": 64, "OU": 64, "CN": 64}
"""Upper bounds of the attributes in characters (RFC 5280 appendix A.1)."""

# Letters and marks that are printable to Python and nothing to the eye (Unicode: Default_Ignorable_Code_Point, and
# the blank pattern of Braille).
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """The attributes of R9 without the common name: C, ST, L, O and OU."""

    country: str
    state: str
    locality: str
    organization: str
    unit: str

    def attributes(self) -> dict[str, str]:
        """Return the attributes by their short names, in the order of R9."""
        return {
            "C": self.country,
            "ST": self.state,
            "L": self.locality,
            "O": self.organization,
            "OU": self.unit,
        }


def subject_findings(subject: Subject) -> tuple[Finding, ...]:
    """Return what is wrong with the attributes, before any request is made from them."""
    return tuple(
        Finding("CSR-SUBJECT-02", mistake, f"Give another value for {name}.", "R9; RFC 5280 appendix A.1")
        for name, value in subject.attributes().items()
        for mistake in attribute_mistakes(name, value)
    )


def common_name_findings(terms: Terms, key: KeyType, tsp_id: str) -> tuple[Finding, ...]:
    """Return why the common name that the contract makes (R8) cannot stand in a certificate, if it cannot."""
    common_name = terms.request.expected_common_name(key, tsp_id, terms.environment)
    hint = "Check the tspId, or ask the hub's representative for another pattern of common names."
    return tuple(
        Finding("CSR-CN-01", mistake, hint, "R8; RFC 5280 appendix A.1", "contract")
        for mistake in attribute_mistakes("CN", common_name)
    )


def attribute_mistakes(name: str, value: str) -> list[str]:
    """Return what is wrong with the value of one subject attribute, as sentences without a full stop."""
    if not value.strip():
        return [f"{name} is empty"]
    mistakes = []
    if value != value.strip():
        mistakes.append(f"{name} begins or ends with white space: {value!r}")
    if not value.isprintable() or (not value.isascii() and _INVISIBLE.search(value)):
        mistakes.append(f"{name} has a control character or another that cannot be seen: {value!a}")
    if len(value) > LIMITS[name]:
        mistakes.append(f"{name} has {len(value)} characters, at most {LIMITS[name]} are allowed")
    if name == "C" and not (len(value) == LIMITS["C"] and value.isascii() and value.isalpha() and value.isupper()):
        mistakes.append(f"C is {value!r}, a country code of two capital letters is wanted, for example FR")
    return mistakes
