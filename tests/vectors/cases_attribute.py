"""Vectors on what a request asks for besides a key and a subject."""

from collections.abc import Iterator, Sequence

from tests.vectors.shape import (
    EXTENSION_REQUEST,
    FALSE,
    NULL,
    TRUE,
    UTF8,
    Vector,
    attributes,
    content,
    extension,
    extension_request,
    signed,
    vector,
)

from bothways.pki import der

_PASSWORD = "1.2.840.113549.1.9.7"  # noqa: S105 - an object identifier
_MICROSOFT = "1.3.6.1.4.1.311.2.1.14"
_CA = extension("2.5.29.19", bytes.fromhex("30030101ff"), TRUE)
_DNS = bytes.fromhex("8204") + b"a.bc"


def _usages(*oids: str) -> bytes:
    return extension("2.5.29.37", der.sequence(*(der.oid(each) for each in oids)))


_WISHES = {
    "ca": [_CA],
    "ca-not-critical": [extension("2.5.29.19", bytes.fromhex("30030101ff"))],
    "ca-with-path-length": [extension("2.5.29.19", bytes.fromhex("30060101ff020105"), TRUE)],
    "dns-name": [extension("2.5.29.17", der.sequence(_DNS))],
    "uri-id-of-somebody-else": [
        extension("2.5.29.17", der.sequence(der.tagged(0x86, b"urn:bothways:PPR:87654321:1")), TRUE)
    ],
    "address": [extension("2.5.29.17", der.sequence(bytes.fromhex("87047f000001")))],
    "server-authentication": [_usages("1.3.6.1.5.5.7.3.1")],
    "server-and-client-authentication": [_usages("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2")],
    "any-usage": [_usages("2.5.29.37.0")],
    "code-signing": [_usages("1.3.6.1.5.5.7.3.3")],
    "certificate-signing": [extension("2.5.29.15", bytes.fromhex("03020106"), TRUE)],
    "key-encipherment": [extension("2.5.29.15", bytes.fromhex("030205a0"))],
    "name-constraints": [extension("2.5.29.30", bytes.fromhex("300aa0083006") + _DNS, TRUE)],
    "policies": [extension("2.5.29.32", der.sequence(der.sequence(der.oid("2.5.29.32.0"))))],
    "authority-key": [extension("2.5.29.35", bytes.fromhex("3006800401020304"))],
    "must-staple": [extension("1.3.6.1.5.5.7.1.24", bytes.fromhex("3003020105"))],
    "poison": [extension("1.3.6.1.4.1.11129.2.4.3", NULL, TRUE)],
    "microsoft-template": [extension("1.3.6.1.4.1.311.20.2", der.tagged(0x1E, "User".encode("utf-16-be")))],
    "unknown": [extension("1.3.6.1.4.1.55555.4", NULL)],
    "unknown-critical": [extension("1.3.6.1.4.1.55555.4", NULL, TRUE)],
    "ca-and-name": [_CA, extension("2.5.29.17", der.sequence(_DNS))],
}

_UNREADABLE = {
    "twice": [_CA, _CA],
    "twice-with-other-values": [_CA, extension("2.5.29.19", bytes.fromhex("3000"))],
    "name-cut-off": [extension("2.5.29.17", bytes.fromhex("3005820461"))],
    "name-of-unknown-kind": [extension("2.5.29.17", bytes.fromhex("3002a300"))],
    "name-that-is-no-sequence": [extension("2.5.29.17", NULL)],
    "constraints-with-more": [extension("2.5.29.19", bytes.fromhex("30030101ff0500"))],
    "critical-written-out-as-false": [extension("2.5.29.19", bytes.fromhex("3000"), FALSE)],
    "critical-as-1": [extension("2.5.29.19", bytes.fromhex("3000"), b"\x01\x01\x01")],
    "usage-without-any": [extension("2.5.29.37", bytes.fromhex("3000"))],
    "empty-value": [extension("2.5.29.15", b"")],
}


def vectors() -> Iterator[Vector]:
    """Return them all."""
    for name, wanted in _WISHES.items():
        ids = " ".join(["EXTENSION-01"] * len(wanted))
        yield vector(f"wish-{name}", ids, signed(content(asked=attributes(extension_request(*wanted)))))
    for name, wanted in _UNREADABLE.items():
        data = signed(content(asked=attributes(extension_request(*wanted))))
        yield vector(f"extension-{name}", "EXTENSION-02", data)
    constraints = extension("2.5.29.19", bytes.fromhex("3000"))
    usage = extension("2.5.29.15", bytes.fromhex("03020780"))
    text = der.tagged(UTF8, b"secret")
    cases: dict[str, tuple[str, list[tuple[str, Sequence[bytes]]]]] = {
        "extensions-that-are-none": ("EXTENSION-02", [(EXTENSION_REQUEST, [NULL])]),
        "two-extension-requests": ("ATTRIBUTE-01", [extension_request(constraints), extension_request(usage)]),
        "extension-requests-of-two-kinds": (
            "ATTRIBUTE-01",
            [extension_request(constraints), (_MICROSOFT, [der.sequence(usage)])],
        ),
        "extension-request-of-two-values": (
            "ATTRIBUTE-01",
            [(EXTENSION_REQUEST, [der.sequence(usage), der.sequence(constraints)])],
        ),
        "extension-request-without-value": ("ATTRIBUTE-01", [(EXTENSION_REQUEST, [])]),
        "two-passwords": ("ATTRIBUTE-01 ATTRIBUTE-02", [(_PASSWORD, [text, der.tagged(UTF8, b"secrets")])]),
        "password": ("ATTRIBUTE-02", [(_PASSWORD, [text])]),
        "password-printable": ("ATTRIBUTE-02", [(_PASSWORD, [der.tagged(0x13, b"secret")])]),
        "company-name": ("ATTRIBUTE-03", [("1.2.840.113549.1.9.2", [der.tagged(UTF8, b"First Bank")])]),
        "signing-time": ("ATTRIBUTE-03", [("1.2.840.113549.1.9.5", [der.tagged(0x17, b"260101000000Z")])]),
        "unknown": ("ATTRIBUTE-03", [("1.3.6.1.4.1.55555.5", [NULL])]),
        "password-and-company": (
            "ATTRIBUTE-02 ATTRIBUTE-03",
            [("1.2.840.113549.1.9.2", [text]), (_PASSWORD, [text])],
        ),
    }
    for name, (ids, asked) in cases.items():
        yield vector(f"attribute-{name}", ids, signed(content(asked=attributes(*asked))))
    huge = der.tagged(der.OBJECT_IDENTIFIER, b"\x2a" + b"\xff" * 9000 + b"\x01")
    only = der.tagged(0xA0, der.sequence(huge, der.tagged(der.SET, NULL)))
    yield vector("attribute-of-a-huge-type", "FILE-07", signed(content(asked=only)))
    # What Microsoft's certreq adds about itself, and wishes that the profile fulfils anyway.
    microsoft = [
        ("1.3.6.1.4.1.311.13.2.3", [der.tagged(0x16, b"10.0.20348.2")]),
        ("1.3.6.1.4.1.311.13.2.2", [der.sequence(der.integer(1), der.tagged(0x1E, b"\0M"), b"\x03\x01\x00")]),
        extension_request(usage, extension("2.5.29.14", bytes.fromhex("0414") + bytes(20))),
    ]
    yield vector("good-attributes-of-certreq", "", signed(content(asked=attributes(*microsoft))))
    usual = extension_request(constraints, usage, _usages("1.3.6.1.5.5.7.3.2"))
    yield vector("good-wishes-that-are-fulfilled", "", signed(content(asked=attributes(usual))))
    yield vector("good-empty-extension-request", "", signed(content(asked=attributes(extension_request()))))
