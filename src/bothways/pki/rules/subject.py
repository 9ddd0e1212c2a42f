"""Rules on the subject (R9), its common name apart."""

from collections.abc import Iterator

from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from bothways.contract.subject import attribute_mistakes
from bothways.pki.rule import Said, named, shown
from bothways.pki.rules.asked import SHORT_NAMES, SUBJECT, Asked, text

_OTHERS = {NameOID.EMAIL_ADDRESS: "emailAddress", NameOID.SERIAL_NUMBER: "serialNumber"}
"""What OpenSSL asks for unless it is told not to, and what qualified certificates have."""

_STRINGS = (_ASN1Type.UTF8String, _ASN1Type.PrintableString)


def subject_is_complete(asked: Asked) -> Iterator[Said]:
    """Each attribute of R9 once."""
    if asked.reading.subject is None:
        return
    for name, found in asked.values.items():
        if len(found) != 1:
            often = f"{name} stands {len(found)} times in the subject; once is wanted"
            yield often if found else f"{name} is missing in the subject", f"Make the request again with one {name}."


def parts_have_one_value(asked: Asked) -> Iterator[Said]:
    """No part of the subject (RDN) has several values, which many programs print as if they were one."""
    for rdn in asked.rdns:
        if len(rdn) > 1:
            names = shown(" + ".join(attribute.rfc4514_attribute_name for attribute in rdn)).strip("'")
            yield f"{names} stand in one part of the subject", "Make the request again with one value per part."


def attributes_are_agreed(asked: Asked) -> Iterator[Said]:
    """Nothing but the attributes of R9."""
    for rdn in asked.rdns:
        for attribute in rdn:
            if attribute.oid.dotted_string not in SHORT_NAMES:
                name = _OTHERS.get(attribute.oid, attribute.rfc4514_attribute_name)
                yield (
                    f"{name} is not part of the agreed subject",
                    f"Make the request again with {', '.join(SUBJECT)} alone.",
                )


def values_are_clean(asked: Asked) -> Iterator[Said]:
    """Lengths and characters of the values; the common name has its own rule."""
    for name, found in asked.values.items():
        for attribute in found if name != "CN" else ():
            for mistake in attribute_mistakes(name, text(attribute)):
                yield mistake, f"Make the request again with another {name}."


def string_types_are_agreed(asked: Asked) -> Iterator[Said]:
    """UTF8String or PrintableString: a twin in another type is another name, and prints alike."""
    for name, found in asked.values.items():
        for attribute in found:
            kind = attribute._type  # noqa: SLF001 - the library has no public name for it
            if kind not in _STRINGS:
                yield (
                    f"{name} has the type {kind.name}; UTF8String or PrintableString is wanted",
                    "Make the request again with string_mask = utf8only.",
                )


def organization_is_registered(asked: Asked) -> Iterator[Said]:
    """The organization is the registered one; spelling differs in life, so a person decides."""
    registered, found = asked.applicant.organization, [text(each) for each in asked.values["O"]]
    for other in found if registered else ():
        if other != registered:
            yield (
                f"O is {shown(other)}, registered is {shown(registered)}{_twin(other, registered)}",
                "Check that both are the same organization before approving.",
            )


def _twin(found: str, registered: str) -> str:
    """Name the first character that differs, if it could be a twin of another that looks alike."""
    for one, other in zip(found, registered, strict=False):
        if one != other:
            return "" if one.isascii() and other.isascii() else f"; {named(one)} stands for {named(other)}"
    return ""
