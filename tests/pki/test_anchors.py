"""Each rule with a good chain, and with one for each way to break it, made here with real keys."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.vectors import keys

from bothways.errors import Refused
from bothways.findings import Finding, Level
from bothways.pki.anchors import RULES, Circumstances, anchor_findings
from bothways.pki.chain import certificate_pem, fingerprint, parse_chain, read_chain
from bothways.pki.keys import spki_pin

Make = Callable[..., tuple[Any, x509.Certificate]]


def findings(now: datetime, *certificates: x509.Certificate, **known: Any) -> tuple[Finding, ...]:
    presented = read_chain("".join(certificate_pem(each) for each in certificates).encode(), "chain.pem")
    return anchor_findings(presented.path, Circumstances(now, **known), "chain.pem")


def judged(now: datetime, *certificates: x509.Certificate, **known: Any) -> list[str]:
    return [each.id for each in findings(now, *certificates, **known)]


def pin(certificate: x509.Certificate) -> frozenset[str]:
    return frozenset({spki_pin(certificate.public_key())})


def usage(*, cert_sign: bool) -> x509.KeyUsage:
    others = dict.fromkeys(["content_commitment", "key_encipherment", "data_encipherment", "key_agreement"], False)
    last = {"encipher_only": False, "decipher_only": False}
    return x509.KeyUsage(digital_signature=True, key_cert_sign=cert_sign, crl_sign=True, **others, **last)


def test_a_good_chain_has_no_findings(make_certificate: Make, now: datetime, rsa_key: rsa.RSAPrivateKey) -> None:
    root = make_certificate("Root", key=rsa_key, path_length=1, extensions=[usage(cert_sign=True)])
    middle = make_certificate("Middle", root, key=ec.generate_private_key(ec.SECP384R1()), path_length=0)
    assert judged(now, root[1], middle[1]) == []


@pytest.mark.parametrize("ca", [False, None])
def test_chain_ca_01_refuses_what_is_no_ca(make_certificate: Make, now: datetime, ca: bool | None) -> None:  # noqa: FBT001
    root = make_certificate("Root")
    assert judged(now, make_certificate("server.example", root, ca=ca)[1], root[1]) == ["CHAIN-CA-01"]
    assert judged(now, make_certificate("server.example", ca=ca)[1]) == ["CHAIN-CA-01"]


def test_chain_ca_02_refuses_a_ca_that_may_not_sign(make_certificate: Make, now: datetime) -> None:
    assert judged(now, make_certificate("Root", extensions=[usage(cert_sign=False)])[1]) == ["CHAIN-CA-02"]


@pytest.mark.parametrize(("length", "expected"), [(0, ["CHAIN-CA-03"]), (1, []), (None, [])])
def test_chain_ca_03_refuses_more_cas_than_the_root_allows(
    make_certificate: Make, now: datetime, length: int | None, expected: list[str]
) -> None:
    root = make_certificate("Root", path_length=length)
    assert judged(now, make_certificate("Middle", root)[1], root[1]) == expected


@pytest.mark.parametrize("days", [(-10, -1), (1, 10)])
def test_chain_date_01_refuses_what_is_not_valid_now(
    make_certificate: Make, now: datetime, days: tuple[int, int]
) -> None:
    assert judged(now, make_certificate("Root", days=days)[1]) == ["CHAIN-DATE-01"]


def test_chain_ca_03_does_not_count_a_change_of_key(make_certificate: Make, now: datetime) -> None:
    root = make_certificate("Root", path_length=1)
    renewed = make_certificate("Root", root)
    assert judged(now, make_certificate("Middle", renewed)[1], renewed[1], root[1]) == []
    middle = make_certificate("Middle", root)
    assert judged(now, make_certificate("Low", middle)[1], middle[1], root[1]) == ["CHAIN-CA-03"]


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        ([ExtendedKeyUsageOID.CLIENT_AUTH], ["CHAIN-CA-04"]),
        ([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH], []),
        ([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], []),
    ],
)
def test_chain_ca_04_warns_of_a_ca_for_other_uses(
    make_certificate: Make, now: datetime, uses: list[x509.ObjectIdentifier], expected: list[str]
) -> None:
    root = make_certificate("Root")
    low = make_certificate("Low", root, extensions=[x509.ExtendedKeyUsage(uses)])[1]
    assert judged(now, low, root[1]) == expected


def constraints(permitted: list[str] | None, excluded: list[str] | None) -> x509.NameConstraints:
    names = [None if each is None else [x509.DNSName(name) for name in each] for each in (permitted, excluded)]
    return x509.NameConstraints(names[0], names[1])


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (constraints(["bank.example"], None), []),
        (constraints([".bank.example"], None), []),
        (constraints(["BANK.example", "other.example"], None), []),
        (constraints(["calls.bank.example"], None), []),
        (constraints(["ank.example"], None), ["CHAIN-CA-05"]),
        (constraints(["other.example"], None), ["CHAIN-CA-05"]),
        (constraints(None, ["bank.example"]), ["CHAIN-CA-05"]),
        (constraints(["bank.example"], ["calls.bank.example"]), ["CHAIN-CA-05"]),
        (constraints(None, ["other.example"]), []),
        (x509.NameConstraints([x509.RFC822Name("bank.example")], None), []),
    ],
    ids=range(10),
)
def test_chain_ca_05_warns_of_a_ca_that_may_not_vouch_for_the_host(
    make_certificate: Make, now: datetime, constraint: x509.NameConstraints, expected: list[str]
) -> None:
    root = make_certificate("Root", extensions=[constraint])[1]
    assert judged(now, root, host="calls.bank.example") == expected
    assert judged(now, root) == []


def test_chain_ca_06_warns_of_what_envoy_does_not_know(make_certificate: Make, now: datetime) -> None:
    strange = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"")
    assert judged(now, make_certificate("Root", critical=[strange])[1]) == ["CHAIN-CA-06"]
    assert judged(now, make_certificate("Root", extensions=[strange])[1]) == []
    assert judged(now, make_certificate("Root", critical=[constraints(["bank.example"], None)])[1]) == []


def test_chain_date_01_counts_both_ends_as_valid(make_certificate: Make, now: datetime) -> None:
    root = make_certificate("Root", days=(0, 1))[1]
    second, end = timedelta(seconds=1), now + timedelta(days=1)
    moments = [now - second, now, end, end + second]
    assert [judged(each, root) for each in moments] == [["CHAIN-DATE-01"], [], [], ["CHAIN-DATE-01"]]


@pytest.mark.parametrize("curve", [ec.SECP521R1(), ec.SECP256K1(), ec.SECP192R1()])
def test_chain_key_01_refuses_another_curve(make_certificate: Make, now: datetime, curve: ec.EllipticCurve) -> None:
    assert judged(now, make_certificate("Root", key=ec.generate_private_key(curve))[1]) == ["CHAIN-KEY-01"]


def test_chain_key_01_and_02_refuse_ed25519(make_certificate: Make, now: datetime) -> None:
    root = make_certificate("Root", key=ed25519.Ed25519PrivateKey.generate())[1]
    assert judged(now, root) == ["CHAIN-KEY-01", "CHAIN-KEY-02"]


def old_root(openssl: Callable[..., bytes], key: str, digest: str) -> bytes:
    arguments = ["-nodes", "-keyout", "ca.key", "-subj", "/CN=Old", "-days", "30"]
    return openssl("req", "-x509", "-newkey", key, f"-{digest}", *arguments)


def test_chain_key_01_refuses_an_rsa_key_of_1024_bits(openssl: Callable[..., bytes]) -> None:
    root = x509.load_pem_x509_certificate(old_root(openssl, "rsa:1024", "sha256"))
    assert judged(root.not_valid_before_utc, root) == ["CHAIN-KEY-01"]


def test_chain_key_01_refuses_a_key_for_pss_alone_which_envoy_cannot_read(openssl: Callable[..., bytes]) -> None:
    pss = openssl("req", "-x509", "-newkey", "rsa-pss", "-nodes", "-keyout", "k", "-subj", "/CN=Pss", "-days", "30")
    root = x509.load_pem_x509_certificate(pss)
    [finding] = findings(root.not_valid_before_utc, root)
    assert (finding.id, "id-RSASSA-PSS" in finding.message) == ("CHAIN-KEY-01", True)


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_chain_key_02_refuses_a_digest_that_proves_nothing_in_a_root_too(
    openssl: Callable[..., bytes], digest: str
) -> None:
    root = x509.load_pem_x509_certificate(old_root(openssl, "rsa:2048", digest))
    assert judged(root.not_valid_before_utc, root) == ["CHAIN-KEY-02"]


class Shown:
    """A key of which nobody has the private half: the public numbers alone."""

    def __init__(self, exponent: int, modulus: int) -> None:
        self._numbers = rsa.RSAPublicNumbers(exponent, modulus)

    def public_key(self) -> rsa.RSAPublicKey:
        return self._numbers.public_key()


@pytest.fixture(scope="module")
def primes() -> tuple[int, int]:
    numbers = rsa.generate_private_key(65537, 2048).private_numbers()
    return numbers.p, numbers.q


@pytest.mark.parametrize("exponent", [3, 17, 257, 2**256 + 1])
def test_chain_key_01_refuses_an_unusual_exponent(
    make_certificate: Make, now: datetime, primes: tuple[int, int], exponent: int
) -> None:
    root = make_certificate("Root")
    low = make_certificate("Low", root, key=Shown(exponent, primes[0] * primes[1]))
    assert judged(now, low[1], root[1]) == ["CHAIN-KEY-01"]
    assert judged(now, make_certificate("Low", root, key=Shown(65537, primes[0] * primes[1]))[1], root[1]) == []


def test_chain_key_01_refuses_more_bits_than_envoy_takes(make_certificate: Make, now: datetime) -> None:
    root = make_certificate("Root")
    low = make_certificate("Low", root, key=Shown(65537, (1 << 16384) - 15))
    assert judged(now, low[1], root[1]) == ["CHAIN-KEY-01"]


def test_an_even_exponent_is_refused(make_certificate: Make, primes: tuple[int, int]) -> None:
    # The library does not even make such a key; in a certificate, it does not read it.
    with pytest.raises(ValueError, match="odd"):
        make_certificate("Low", make_certificate("Root"), key=Shown(65538, primes[0] * primes[1]))
    modulus = primes[0] * primes[1]
    pem = certificate_pem(make_certificate("Low", make_certificate("Root"), key=Shown(65537, modulus))[1])
    der = x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
    assert der.count(bytes.fromhex("0203010001")) == 1
    with pytest.raises(Refused) as refused:
        parse_chain(der.replace(bytes.fromhex("0203010001"), bytes.fromhex("0203010002")))
    assert [each.id for each in refused.value.findings] == ["CHAIN-FILE-01"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("factor-751", "has the factor 751"), ("close", "too close together"), ("roca", "CVE-2017-15361")],
)
def test_chain_key_04_refuses_a_modulus_that_can_be_taken_apart(
    make_certificate: Make, now: datetime, name: str, said: str
) -> None:
    root = make_certificate("Root")
    low = make_certificate("Low", root, key=Shown(65537, keys.rsa(name).n))
    [finding] = [each for each in findings(now, low[1], root[1]) if each.id == "CHAIN-KEY-04"]
    assert said in finding.message


def test_chain_key_03_refuses_a_key_that_others_can_have(make_certificate: Make, now: datetime) -> None:
    root = make_certificate("Root")
    low = make_certificate("Low", root)[1]
    assert judged(now, low, root[1], banned=pin(low)) == ["CHAIN-KEY-03"]
    assert judged(now, low, root[1], banned=pin(make_certificate("Other")[1])) == []


def test_chain_own_01_refuses_the_hubs_own_key_under_any_name(make_certificate: Make, now: datetime) -> None:
    key, own = make_certificate("Hub Issuing CA")
    pins = frozenset({spki_pin(own.public_key())})
    assert judged(now, make_certificate("Innocent CA", key=key)[1], own=pins) == ["CHAIN-OWN-01"]
    assert judged(now, make_certificate("Hub Issuing CA")[1], own=pins) == []


def test_chain_own_02_refuses_a_key_of_the_other_environment_except_under_a_public_root(
    make_certificate: Make, now: datetime
) -> None:
    root = make_certificate("Root")
    low = make_certificate("Low", root)[1]
    for one in (low, root[1]):
        assert judged(now, low, root[1], elsewhere=pin(one)) == ["CHAIN-OWN-02"]
        assert judged(now, low, root[1], elsewhere=pin(one), public=pin(root[1])) == ["CHAIN-PUBLIC-01"]
    assert judged(now, low, root[1], elsewhere=pin(make_certificate("Other")[1])) == []


def test_chain_public_01_warns_of_a_public_root_by_its_key(make_certificate: Make, now: datetime) -> None:
    key, root = make_certificate("Root")
    renamed = make_certificate("Innocent CA", key=key)[1]
    [finding] = findings(now, renamed, public=pin(root))
    assert (finding.id, finding.level) == ("CHAIN-PUBLIC-01", Level.WARNING)
    assert "--public-root" in finding.hint
    # Cross-signed, it stands in the middle.
    other = make_certificate("Other")
    cross = make_certificate("Root", other, key=key)[1]
    assert judged(now, cross, other[1], public=pin(root)) == ["CHAIN-PUBLIC-01"]


def test_chain_shared_01_warns_of_a_root_of_somebody_else(make_certificate: Make, now: datetime) -> None:
    root = make_certificate("Root")[1]
    [finding] = findings(now, root, shared=frozenset({fingerprint(root)}))
    assert (finding.id, finding.level) == ("CHAIN-SHARED-01", Level.WARNING)
    assert judged(now, root, shared=frozenset({fingerprint(root)}), public=pin(root)) == ["CHAIN-PUBLIC-01"]
    assert judged(now, root, shared=frozenset({fingerprint(make_certificate("Root")[1])})) == []


def test_everything_that_is_wrong_is_said_at_once(make_certificate: Make, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP521R1())
    extensions = [usage(cert_sign=False)]
    root = make_certificate("Root", key=key, path_length=0, days=(-9, -1), extensions=extensions)
    leaf = make_certificate("server.example", (key, root[1]), ca=False)[1]
    found = judged(now, leaf, root[1], own=pin(root[1]))
    assert found == ["CHAIN-CA-01", "CHAIN-CA-02", "CHAIN-CA-03", "CHAIN-DATE-01", "CHAIN-KEY-01", "CHAIN-OWN-01"]


def test_each_rule_has_an_id_of_its_own_a_citation_and_a_test_here() -> None:
    text = Path(__file__).read_text()
    assert len({each.id for each in RULES}) == len(RULES)
    assert [each.id for each in RULES if each.id not in text or not each.citation] == []
