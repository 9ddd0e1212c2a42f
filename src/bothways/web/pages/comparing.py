"""What is asked beside what is on record or agreed, line by line: what a reviewer looks at first. Values alone."""

from dataclasses import dataclass

from cryptography.x509.oid import NameOID

from bothways.contract.document import Terms
from bothways.pki.keys import described, key_type
from bothways.pki.request import CertificationRequest
from bothways.registry.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `name` is an attribute's short name, or `key`, `url`, `host`, `port`; `known` is empty for nothing.

    `same` tells whether the two agree, None where there is nothing to compare with.
    """

    name: str
    asked: str
    known: str
    same: bool | None


def request_lines(
    request: CertificationRequest, terms: Terms, tsp_id: str, organization: str, earlier: CertificationRequest | None
) -> tuple[Line, ...]:
    """Compare a request with the contract and the register, and for the rest with the one that was approved before."""
    kind = key_type(request.public_key)
    before = {each.oid: str(each.value) for each in earlier.subject} if earlier else {}
    agreed = {NameOID.ORGANIZATION_NAME: organization}
    if kind is not None:
        agreed[NameOID.COMMON_NAME] = terms.request.expected_common_name(kind, tsp_id, terms.environment)
    known = before | agreed
    lines = [_line(each.rfc4514_attribute_name, str(each.value), known.get(each.oid, "")) for each in request.subject]
    allowed = ", ".join(each.wanted for each in terms.request.keys)
    return (*lines, Line("key", described(request.public_key), allowed, kind in terms.request.keys))


def endpoint_lines(asked: Endpoint, known: Endpoint | None) -> tuple[Line, ...]:
    """Compare a server with the one that is in use."""
    return tuple(
        _line(name, of(asked), of(known) if known else "")
        for name, of in (("url", _url), ("host", _host), ("port", _port))
    )


def _line(name: str, asked: str, known: str) -> Line:
    return Line(name, asked, known, asked == known if known else None)


def _url(endpoint: Endpoint) -> str:
    return endpoint.url


def _host(endpoint: Endpoint) -> str:
    return endpoint.host


def _port(endpoint: Endpoint) -> str:
    return str(endpoint.port)
