"""The lint: every octet of what a key is to sign is as promised, or the key is not asked.

The bytes come from the library's own builder, so that lint and maker are judged by a third.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bothways.contract.document import Environment
from bothways.errors import Refused
from bothways.pki import der, issue, lint, pkilint
from bothways.pki.lint import Promise, require_clean
from bothways.pki.profile import Profile, customer_client, uri_id
from bothways.pki.request import parse_request

SERIAL = 0xABC
ISSUING = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Issuing CA")])
OTHER = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Other")])
ISSUERS = {each.public_bytes(): each for each in (ISSUING, OTHER)}
Change = Callable[[x509.CertificateBuilder], x509.CertificateBuilder]


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the shapes that other tests had judged."""
    monkeypatch.setattr(lint, "_clean_shapes", set())


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The certificates that pkilint was given, in order; it judges them as ever."""
    given: list[bytes] = []

    def remember(certificate: bytes) -> list[str]:
        given.append(certificate)
        return complaints(certificate)

    complaints = pkilint.complaints
    monkeypatch.setattr(pkilint, "complaints", remember)
    return given


@pytest.fixture
def promise(make_csr: Callable[..., bytes], now: datetime) -> Promise:
    request = parse_request(make_csr())
    profile = customer_client(
        request, Environment.PPR, "12345678", SERIAL, now, timedelta(days=397), "http://crl.hub.example/ca.crl"
    )
    return Promise(profile, SERIAL, ISSUING.public_bytes(), b"k" * 20, issue.ECDSA_WITH_SHA256)


def built(promise: Promise, change: Change = lambda builder: builder, without: Any = None) -> bytes:
    """Return the bytes that the library makes of a promise, with one change."""
    profile = promise.profile
    usage = x509.KeyUsage(True, *[False] * 8)
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(profile.crl_url or "")], None, None, None)
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (usage, True),
        (x509.SubjectKeyIdentifier.from_public_key(profile.public_key), False),
        (x509.AuthorityKeyIdentifier(promise.issuer_key, None, None), False),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        (x509.SubjectAlternativeName(profile.names), False),
        (x509.CRLDistributionPoints([point]), False),
    ]
    builder = x509.CertificateBuilder(
        ISSUERS[promise.issuer],
        profile.subject,
        profile.public_key,
        promise.serial,
        profile.not_before,
        profile.not_after,
    )
    for value, critical in extensions:
        if not (without and isinstance(value, without)):
            builder = builder.add_extension(value, critical=critical)
    return change(builder).sign(ec.derive_private_key(1, ec.SECP256R1()), SHA256()).tbs_certificate_bytes


def said(content: bytes, promise: Promise) -> str:
    with pytest.raises(Refused) as refused:
        require_clean(content, promise)
    assert all(each.id.startswith("CERT-LINT-") for each in refused.value.findings)
    return str(refused.value)


def test_a_certificate_that_is_as_promised_is_clean(promise: Promise) -> None:
    require_clean(built(promise), promise)


def test_the_maker_and_the_library_make_the_same_bytes(promise: Promise, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    root = issue.self_signed(
        Profile(ISSUERS[promise.issuer], key.public_key(), now, now + timedelta(days=999), True), 1
    )
    ca = issue.assemble(root, key.sign(root.der, ec.ECDSA(SHA256())))
    own = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert issue.issued_by(ca, promise.profile, SERIAL).der == built(replace(promise, issuer_key=own))


CHANGES: dict[str, tuple[Change, str]] = {
    "issuer": (lambda builder: builder.__class__(OTHER, *_rest(builder)), "the issuer is"),
    "policy": (
        lambda builder: builder.add_extension(
            x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), None)]), critical=False
        ),
        "was not promised",
    ),
    "unknown": (
        lambda builder: builder.add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"), critical=True
        ),
        "was not promised",
    ),
}


def _rest(builder: Any) -> tuple[Any, ...]:
    return (
        builder._subject_name,
        builder._public_key,
        builder._serial_number,
        builder._not_valid_before,
        builder._not_valid_after,
        builder._extensions,
    )


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_not_promised_is_said(promise: Promise, name: str) -> None:
    change, words = CHANGES[name]
    assert words in said(built(promise, change), promise)


@pytest.mark.parametrize(
    "kind",
    [
        x509.BasicConstraints,
        x509.KeyUsage,
        x509.SubjectKeyIdentifier,
        x509.AuthorityKeyIdentifier,
        x509.ExtendedKeyUsage,
        x509.SubjectAlternativeName,
        x509.CRLDistributionPoints,
    ],
)
def test_each_promised_extension_has_to_be_there(promise: Promise, kind: type) -> None:
    assert "stands 0 times; once was promised" in said(built(promise, without=kind), promise)


def other_key() -> Any:
    return ec.generate_private_key(ec.SECP256R1()).public_key()


# Everything that may differ between two certificates of one shape, and so is judged by the comparison alone.
WITHIN_A_SHAPE: dict[str, Callable[[Promise], Promise]] = {
    "serial number": lambda one: replace(one, serial=one.serial + 1),
    "not before": lambda one: _changed(one, not_before=one.profile.not_before + timedelta(seconds=1)),
    "not after": lambda one: _changed(one, not_after=one.profile.not_after + timedelta(days=1)),
    "subject": lambda one: _changed(one, subject=_renamed(one.profile.subject)),
    "key": lambda one: _changed(one, public_key=other_key()),
    "urn": lambda one: _changed(one, names=(x509.UniformResourceIdentifier("urn:bothways:PPR:12345678:abd"),)),
}
BEYOND_A_SHAPE: dict[str, Callable[[Promise], Promise]] = {
    "issuer": lambda one: replace(one, issuer=OTHER.public_bytes()),
    "authority key": lambda one: replace(one, issuer_key=b"K" * 20),
    "crl": lambda one: _changed(one, crl_url="http://crl.hub.example/other.crl"),
    "kind of time": lambda one: _changed(one, not_after=datetime(2051, 1, 1, tzinfo=UTC)),
    "kind of name": lambda one: _changed(one, names=(x509.DNSName("a.example"),)),
    "uri": lambda one: _changed(one, names=(x509.UniformResourceIdentifier("https://a.example"),)),
    "number of names": lambda one: _changed(one, names=one.profile.names * 2),
    "attributes": lambda one: _changed(one, subject=x509.Name(list(one.profile.subject)[1:])),
    "kind of text": lambda one: _changed(one, subject=_as_printable(one.profile.subject)),
}


def _changed(promise: Promise, **values: Any) -> Promise:
    return replace(promise, profile=replace(promise.profile, **values))


def _renamed(name: x509.Name) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(each.oid, each.value if each.oid != NameOID.LOCALITY_NAME else "Lyon") for each in name]
    )


def _as_printable(name: x509.Name) -> x509.Name:
    kind = x509.name._ASN1Type.PrintableString
    return x509.Name([x509.NameAttribute(each.oid, each.value, kind) for each in name])


@pytest.mark.parametrize("name", [*WITHIN_A_SHAPE, *BEYOND_A_SHAPE])
def test_one_field_that_differs_is_refused_though_the_shape_was_clean(promise: Promise, name: str) -> None:
    require_clean(built(promise), promise)
    other = (WITHIN_A_SHAPE | BEYOND_A_SHAPE)[name](promise)
    assert "promised" in said(built(other), promise)
    assert "promised" in said(built(promise), other)


@pytest.mark.parametrize("name", WITHIN_A_SHAPE)
def test_pkilint_judges_a_shape_once(promise: Promise, judged: list[bytes], name: str) -> None:
    require_clean(built(promise), promise)
    other = WITHIN_A_SHAPE[name](promise)
    require_clean(built(other), other)
    assert len(judged) == 1


@pytest.mark.parametrize("name", BEYOND_A_SHAPE)
def test_pkilint_judges_each_other_shape(promise: Promise, judged: list[bytes], name: str) -> None:
    require_clean(built(promise), promise)
    other = BEYOND_A_SHAPE[name](promise)
    require_clean(built(other), other)
    assert len(judged) == 2


def test_a_key_of_another_kind_or_size_is_another_shape(promise: Promise, judged: list[bytes], rsa_key: Any) -> None:
    for key in (promise.profile.public_key, rsa_key.public_key(), ec.generate_private_key(ec.SECP384R1()).public_key()):
        other = _changed(promise, public_key=key)
        require_clean(built(other), other)
    assert len(judged) == 3


def test_what_pkilint_says_is_refused_and_said_again(promise: Promise, judged: list[bytes]) -> None:
    strange = _changed(promise, names=(x509.UniformResourceIdentifier("nonsense"),))
    for _ in range(2):
        assert "CERT-LINT-04: pkilint says pkix.invalid_uri_syntax" in said(built(strange), strange)
    assert len(judged) == 2


def test_the_shapes_that_are_remembered_are_bounded(promise: Promise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint, "_SHAPES_MOST", 2)
    for number in range(5):
        other = _changed(promise, crl_url=f"http://crl.hub.example/{number}.crl")
        require_clean(built(other), other)
        assert len(lint._clean_shapes) <= 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: replace(one, serial=1 << 159), "out of range"),
        (lambda one: _changed(one, not_after=one.profile.not_before), "before it begins: its CA has ended"),
        (lambda one: replace(one, issuer_key=b"k" * 19), "has 19 octets, not 20"),
    ],
)
def test_a_promise_that_breaks_a_rule_is_refused(
    promise: Promise, change: Callable[[Promise], Promise], words: str
) -> None:
    other = change(promise)
    assert words in said(made(other), other)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ([[(NameOID.ORGANIZATION_NAME, "O" * 65, "UTF8String")]], "has 65 characters; 1 to 64 are wanted"),
        ([[(NameOID.LOCALITY_NAME, "L" * 129, "UTF8String")]], "has 129 characters; 1 to 128 are wanted"),
        ([[(NameOID.COMMON_NAME, "", "UTF8String")]], "has 0 characters"),
        ([[(NameOID.COMMON_NAME, "n", "BMPString")]], "has the tag 30"),
        ([[(NameOID.COMMON_NAME, "n", "T61String")]], "has the tag 20"),
        ([[(NameOID.COMMON_NAME, "n", "UTF8String"), (NameOID.LOCALITY_NAME, "l", "UTF8String")]], "several values"),
    ],
)
@pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")
def test_a_subject_that_rfc_5280_does_not_allow_is_refused(
    promise: Promise, attributes: list[list[tuple[x509.ObjectIdentifier, str, str]]], words: str
) -> None:
    kind = x509.name._ASN1Type
    rdns = [
        x509.RelativeDistinguishedName(
            [x509.NameAttribute(oid, text, kind[string], _validate=False) for oid, text, string in rdn]
        )
        for rdn in attributes
    ]
    other = _changed(promise, subject=x509.Name(rdns))
    assert words in said(made(other), other)


def made(promise: Promise) -> bytes:
    """Return the bytes of a promise that the library's builder would refuse."""
    start = promise.profile.not_before
    allowed = replace(_changed(promise, not_after=start + timedelta(days=1)), serial=1)
    fields = der.parts(built(allowed))
    fields[1] = der.integer(promise.serial)
    fields[4] = der.sequence(der.time(start), der.time(promise.profile.not_after))
    return der.sequence(*fields)


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda _: b"", lambda content: content + b"x"])
def test_bytes_that_cannot_be_read_are_refused(promise: Promise, damage: Callable[[bytes], bytes]) -> None:
    assert "CERT-LINT-01" in said(damage(built(promise)), promise)


def test_a_field_too_many_is_refused(promise: Promise) -> None:
    fields = der.parts(built(promise))
    unique = bytes.fromhex("810200aa")  # issuerUniqueID, which RFC 5280 section 4.1.2.8 forbids
    assert "the certificate has 9 fields" in said(der.sequence(*fields[:7], unique, fields[7]), promise)


def test_a_byte_changed_anywhere_is_refused(promise: Promise) -> None:
    content = built(promise)
    require_clean(content, promise)
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        with pytest.raises(Refused):
            require_clean(bytes(changed), promise)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=64)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    serial=st.integers(1, (1 << 159) - 1),
    days=st.integers(1, 825),
    at=st.datetimes(datetime(2020, 1, 1), datetime(2046, 1, 1)),  # noqa: DTZ001 - hypothesis wants them so
    texts=st.tuples(TEXT, TEXT, TEXT, TEXT),
    tsp_id=st.from_regex(r"[A-Za-z0-9]{1,32}", fullmatch=True),
)
def test_pkilint_has_nothing_to_add_for_what_differs_within_a_shape(
    promise: Promise, serial: int, days: int, at: datetime, texts: tuple[str, ...], tsp_id: str
) -> None:
    start = at.replace(tzinfo=UTC)
    kinds = (
        NameOID.STATE_OR_PROVINCE_NAME,
        NameOID.LOCALITY_NAME,
        NameOID.ORGANIZATION_NAME,
        NameOID.ORGANIZATIONAL_UNIT_NAME,
    )
    subject = x509.Name([x509.NameAttribute(kind, text) for kind, text in zip(kinds, texts, strict=True)])
    names = (x509.UniformResourceIdentifier(uri_id(Environment.PRD, tsp_id, serial)),)
    other = replace(
        _changed(promise, subject=subject, names=names, not_before=start, not_after=start + timedelta(days=days)),
        serial=serial,
    )
    content = built(other)
    require_clean(content, other)
    assert pkilint.complaints(der.signed(content, other.algorithm, b"")) == []
