"""pkilint, the linter of the CA industry, on one certificate: its PKIX rules, and what we do not follow it in."""

from functools import cache
from typing import Any

_URI_SYNTAX = "pkix.invalid_uri_syntax"
_URN = "urn:"


def complaints(certificate: bytes) -> list[str]:
    """Return what pkilint's PKIX rules find in a DER certificate: warnings and worse, as code and message.

    The signature may be any octets; it is not looked at. One finding is left out: pkilint takes a URI that is no URL
    for a mistake, and RFC 5280 section 4.2.1.6 allows any with a scheme, a URN among them. Needs the `hub` extra.
    """
    # Loading it takes a quarter of a second, and its decoders belong to hubs alone: only who signs pays for it.
    from pkilint.pkix.certificate import RFC5280Certificate  # noqa: PLC0415
    from pkilint.validation import ValidationFindingSeverity  # noqa: PLC0415

    document = RFC5280Certificate("certificate to be signed", certificate)
    try:
        document.decode()
    except ValueError as error:
        return [f"it cannot be decoded: {error}"]
    return [
        f"{each.finding.code}{': ' + each.message if each.message else ''}"
        for result in _rules().validate(document.root)
        for each in result.finding_descriptions
        if each.finding.severity <= ValidationFindingSeverity.WARNING
        and not (each.finding.code == _URI_SYNTAX and str(result.node.pdu).startswith(_URN))
    ]


@cache
def _rules() -> Any:
    from pkilint.pkix import certificate, extension, name  # noqa: PLC0415

    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )
