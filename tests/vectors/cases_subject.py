"""Vectors on the subject and the common name."""

from collections.abc import Iterator

from tests.vectors import keys
from tests.vectors.shape import (
    BMP,
    IA5,
    NUMERIC,
    PRINTABLE,
    RSA_CN,
    SUBJECT,
    T61,
    UNIVERSAL,
    UTF8,
    VISIBLE,
    Rdn,
    Vector,
    content,
    signed,
    spki_of,
    subject,
    vector,
    with_subject,
)

from bothways.pki import der

_CN = SUBJECT["CN"]
_TWINS = {"BMPString": BMP, "T61String": T61, "UniversalString": UNIVERSAL, "IA5String": IA5, "VisibleString": VISIBLE}
_CODECS = {"BMPString": "utf-16-be", "UniversalString": "utf-32-be"}

_NAMES = {
    "nul-inside": "TLSMA-ECDSA/12345678/PPR\0.evil.example",
    "nul-before-end": "TLSMA-ECDSA/12345678\0/PPR",
    "nul-at-end": f"{_CN}\0",
    "newline-at-end": f"{_CN}\n",
    "crlf-at-end": f"{_CN}\r\n",
    "newline-inside": "TLSMA-ECDSA/12345678\n/PPR",
    "tab-at-end": f"{_CN}\t",
    "escape-sequence": f"{_CN}\x1b[2K",
    "backspace": "TLSMA-ECDSA/87654321\b\b\b\b\b\b\b\b12345678/PPR",
    "leading-blank": f" {_CN}",
    "trailing-blank": f"{_CN} ",
    "blank-inside": "TLSMA-ECDSA/ 12345678/PPR",
    "blanks-around-slash": "TLSMA-ECDSA / 12345678 / PPR",
    "no-break-space": f"{_CN}\u00a0",
    "zero-width-space": "TLSMA-ECDSA/1234\u200b5678/PPR",
    "zero-width-joiner": f"{_CN}\u200d",
    "byte-order-mark": f"\ufeff{_CN}",
    "soft-hyphen": "TLSMA-\u00adECDSA/12345678/PPR",
    "word-joiner": "TLSMA-ECDSA\u2060/12345678/PPR",
    "right-to-left-override": "TLSMA-ECDSA/\u202e87654321\u202c/PPR",
    "left-to-right-mark": f"{_CN}\u200e",
    "isolate": "TLSMA-ECDSA/\u206612345678\u2069/PPR",
    "variation-selector": f"{_CN}\ufe0f",
    "combining-mark": "TLSMA-ECDSA/12345678\u0301/PPR",
    "tag-characters": f"{_CN}\U000e0041",
    "cyrillic-a": "TLSM\u0410-ECDSA/12345678/PPR",
    "cyrillic-es-and-ie": "TLSMA-\u0415\u0421DSA/12345678/PPR",
    "greek-alpha": "TLSM\u0391-ECDSA/12345678/PPR",
    "arabic-digits": "TLSMA-ECDSA/\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668/PPR",
    "fullwidth-digits": "TLSMA-ECDSA/\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18/PPR",
    "superscript-digit": "TLSMA-ECDSA/1\u00b2345678/PPR",
    "letter-o-for-zero": "TLSMA-ECDSA/I2345678/PPR",
    "fraction-slash": "TLSMA-ECDSA\u204412345678\u2044PPR",
    "division-slash": "TLSMA-ECDSA\u221512345678\u2215PPR",
    "fullwidth-slash": "TLSMA-ECDSA\uff0f12345678\uff0fPPR",
    "backslash": "TLSMA-ECDSA\\12345678\\PPR",
    "hyphen-u2010": "TLSMA\u2010ECDSA/12345678/PPR",
    "non-breaking-hyphen": "TLSMA\u2011ECDSA/12345678/PPR",
    "en-dash": "TLSMA\u2013ECDSA/12345678/PPR",
    "minus": "TLSMA\u2212ECDSA/12345678/PPR",
    "underscore": "TLSMA_ECDSA/12345678/PPR",
    "small-letters": "tlsma-ecdsa/12345678/ppr",
    "mixed-case": "TLSMA-ecdsa/12345678/PPR",
    "small-environment": "TLSMA-ECDSA/12345678/ppr",
    "fullwidth-letters": "\uff34LSMA-ECDSA/12345678/PPR",
    "kelvin-sign": "TL\u017fMA-ECDSA/12345678/PPR",
    "marker-rsa": RSA_CN,
    "marker-ec": "TLSMA-EC/12345678/PPR",
    "marker-missing": "TLSMA-/12345678/PPR",
    "environment-prd": "TLSMA-ECDSA/12345678/PRD",
    "environment-test": "TLSMA-ECDSA/12345678/TEST",
    "environment-missing": "TLSMA-ECDSA/12345678",
    "environment-twice": "TLSMA-ECDSA/12345678/PPR/PPR",
    "tspid-of-somebody-else": "TLSMA-ECDSA/87654321/PPR",
    "tspid-longer": "TLSMA-ECDSA/123456789/PPR",
    "tspid-shorter": "TLSMA-ECDSA/1234567/PPR",
    "tspid-with-zero": "TLSMA-ECDSA/012345678/PPR",
    "tspid-missing": "TLSMA-ECDSA//PPR",
    "tspid-of-two": "TLSMA-ECDSA/12345678,87654321/PPR",
    "everything-of-another": "TLSMA-RSA/87654321/PRD",
    "another-order": "TLSMA-ECDSA/PPR/12345678",
    "prefix-missing": "ECDSA/12345678/PPR",
    "prefix-twice": f"TLSMA-{_CN}",
    "empty": "",
    "blank": "   ",
    "host-name": "api.firstbank.example",
    "wildcard": "TLSMA-ECDSA/*/PPR",
    "regular-expression": "TLSMA-ECDSA/.*/PPR",
    "placeholders": "TLSMA-{algorithm}/{tspId}/{environment}",
    "placeholder-in-angles": "TLSMA-ECDSA/<tspId>/PPR",
    "shell-variable": "TLSMA-ECDSA/$TSPID/PPR",
    "attribute-before": "O=Evil/CN=TLSMA-ECDSA/12345678/PPR",
    "attribute-after": "TLSMA-ECDSA/12345678/PPR/O=Evil",
    "escaped-comma": "TLSMA-ECDSA/12345678/PPR\\,CN=x",
    "comma-and-attribute": "TLSMA-ECDSA/12345678/PPR,O=Evil",
    "plus-and-attribute": "TLSMA-ECDSA/12345678/PPR+OU=Evil",
    "escaped-slashes": "TLSMA-ECDSA\\/12345678\\/PPR",
    "url-encoded": "TLSMA-ECDSA%2F12345678%2FPPR",
    "hex-of-itself": f"#0c18{_CN.encode().hex()}",
    "quoted": f'"{_CN}"',
    "with-name": f"CN={_CN}",
    "git-bash-path": "C:/Program Files/Git/TLSMA-ECDSA/12345678/PPR",
    "65-characters": f"{_CN}{'x' * 41}",
    "1000-characters": f"{_CN}{'x' * 976}",
    "8000-characters": "x" * 8000,
}


def vectors() -> Iterator[Vector]:
    """Return them all."""
    for name, text in _NAMES.items():
        yield vector(f"cn-{name}", "CN-01", with_subject(CN=text))
    yield vector("cn-marker-ecdsa-for-an-rsa-key", "CN-01", _rsa_with(_CN))
    yield from _completeness()
    yield from _values()
    yield from _types()
    for name, text in {
        "another": "Second Bank",
        "small-letters": "first bank",
        "cyrillic-a": "First B\u0430nk",
        "legal-form": "First Bank SA",
        "fullwidth": "\uff26irst Bank",
    }.items():
        yield vector(f"organization-{name}", "SUBJECT-03", with_subject(O=text))


def _rsa_with(common_name: str) -> bytes:
    key = keys.rsa("good")
    return signed(content(subject(CN=common_name), spki_of(key)), key)


def _completeness() -> Iterator[Vector]:
    for name in SUBJECT:
        yield vector(f"subject-without-{name}", "SUBJECT-01", signed(content(subject(without=name))))
        second: Rdn = [(name, PRINTABLE if name == "C" else UTF8, SUBJECT[name].encode())]
        yield vector(f"subject-with-two-{name}", "SUBJECT-01", signed(content(subject(extra=[second]))))
    everything = " ".join(SUBJECT)
    yield vector("subject-empty", " ".join(["SUBJECT-01"] * 6), signed(content(subject(without=everything))))
    yield vector("subject-cn-alone", " ".join(["SUBJECT-01"] * 5), signed(content(subject(without="C ST L O OU"))))
    evil: Rdn = [("CN", UTF8, b"TLSMA-ECDSA/87654321/PPR")]
    yield vector("subject-cn-of-somebody-else-behind", "SUBJECT-01", signed(content(subject(extra=[evil]))))
    both: Rdn = [("CN", UTF8, _CN.encode()), *evil]
    only = subject(without="CN", extra=[both])
    yield vector("subject-two-cn-in-one-part", "SUBJECT-01 SUBJECT-04", signed(content(only)))
    pairs = {"O and OU": "O OU", "C and ST": "C ST", "OU and CN": "OU CN"}
    for name, pair in pairs.items():
        rdn: Rdn = [(each, PRINTABLE if each == "C" else UTF8, SUBJECT[each].encode()) for each in pair.split()]
        data = signed(content(subject(without=pair, extra=[rdn])))
        yield vector(f"subject-{name.replace(' ', '-')}-in-one-part", "SUBJECT-04", data)
    others = {
        "emailAddress": (IA5, b"tls@firstbank.example"),
        "serialNumber": (PRINTABLE, b"12345678"),
        "street": (UTF8, b"1 rue de la Paix"),
        "postalCode": (UTF8, b"75001"),
        "title": (UTF8, b"Director"),
        "GN": (UTF8, b"Anne"),
        "DC": (IA5, b"example"),
        "UID": (UTF8, b"12345678"),
        "organizationIdentifier": (UTF8, b"PSDFR-ACPR-12345678"),
        "unknown": (UTF8, b"x"),
    }
    for name, (tag, value) in others.items():
        data = signed(content(subject(extra=[[(name, tag, value)]])))
        yield vector(f"subject-with-{name}", "SUBJECT-05", data)


def _values() -> Iterator[Vector]:
    twice = "SUBJECT-02 SUBJECT-02"
    for name, text, ids in (
        ("c-small", "fr", "SUBJECT-02"),
        ("c-mixed", "Fr", "SUBJECT-02"),
        ("c-of-one-letter", "F", "SUBJECT-02"),
        ("c-of-three-letters", "FRA", twice),
        ("c-in-words", "France", twice),
        ("c-with-digit", "F1", "SUBJECT-02"),
        ("c-cyrillic", "\u0424\u0420", "SUBJECT-02"),
    ):
        yield vector(f"subject-{name}", ids, with_subject(C=(UTF8, text.encode())))
    for name in ("ST", "L", "OU"):
        yield vector(f"subject-{name}-empty", "SUBJECT-02", with_subject(**{name: ""}))
        yield vector(f"subject-{name}-blank", "SUBJECT-02", with_subject(**{name: "  "}))
    for name, limit in (("ST", 128), ("L", 128), ("OU", 64)):
        yield vector(f"subject-{name}-too-long", "SUBJECT-02", with_subject(**{name: "x" * (limit + 1)}))
    yield vector("subject-O-too-long", "SUBJECT-02 SUBJECT-03", with_subject(O="x" * 65))
    yield vector("subject-L-of-8000-characters", "SUBJECT-02", with_subject(L="x" * 8000))
    characters = {
        "nul": "\0",
        "tab": "\t",
        "escape": "\x1b",
        "delete": "\x7f",
        "next-line": "\x85",
        "line-separator": "\u2028",
        "right-to-left-override": "\u202e",
        "zero-width-space": "\u200b",
        "zero-width-joiner": "\u200d",
        "soft-hyphen": "\u00ad",
        "byte-order-mark": "\ufeff",
        "no-break-space": "\u00a0",
        "hangul-filler": "\u3164",
        "braille-blank": "\u2800",
        "grapheme-joiner": "\u034f",
        "variation-selector": "\ufe0f",
        "private-use": "\ue000",
        "unassigned": "\U000e0fff",
        "noncharacter": "\uffff",
    }
    for name, character in characters.items():
        yield vector(f"subject-OU-with-{name}", "SUBJECT-02", with_subject(OU=f"Pay{character}ments"))
    yield vector("subject-OU-leading-blank", "SUBJECT-02", with_subject(OU=" Payments"))
    yield vector("subject-OU-trailing-blank", "SUBJECT-02", with_subject(OU="Payments "))
    yield vector("subject-OU-trailing-newline", twice, with_subject(OU="Payments\n"))


def _types() -> Iterator[Vector]:
    for name, tag in _TWINS.items():
        for attribute in ("CN", "OU"):
            octets = SUBJECT[attribute].encode(_CODECS.get(name, "ascii"))
            yield vector(f"type-{attribute}-{name}", "SUBJECT-06", with_subject(**{attribute: (tag, octets)}))
    yield vector("type-C-IA5String", "SUBJECT-06", with_subject(C=(IA5, b"FR")))
    broken = {
        "utf8-latin-1": (UTF8, "Cr\u00e9dit".encode("latin-1")),
        "utf8-overlong": (UTF8, b"Pay\xc0\x80ments"),
        "utf8-surrogates": (UTF8, b"Pay\xed\xa0\xbd\xed\xb8\x80ments"),
        "utf8-cut-off": (UTF8, b"Payments\xe2\x82"),
        "printable-with-at": (PRINTABLE, b"a@b"),
        "printable-with-ampersand": (PRINTABLE, b"Smith & Sons"),
        "printable-with-star": (PRINTABLE, b"*"),
        "printable-with-underscore": (PRINTABLE, b"Pay_ments"),
        "printable-with-utf8": (PRINTABLE, "Zahlungen f\u00fcr".encode()),
        "printable-with-nul": (PRINTABLE, b"Pay\0ments"),
        "bmp-of-odd-length": (BMP, b"abc"),
        "universal-of-three-octets": (UNIVERSAL, b"abc"),
        "t61-with-latin-1": (T61, "Cr\u00e9dit".encode("latin-1")),
        "ia5-with-8-bits": (IA5, b"Cr\xe9dit"),
        "numeric-with-letters": (NUMERIC, b"Payments"),
        "integer": (0x02, b"\x05"),
        "octet-string": (0x04, b"Payments"),
        "null": (0x05, b""),
        "time": (0x17, b"260101000000Z"),
        "utf8-in-parts": (0x2C, der.tagged(UTF8, b"Pay") + der.tagged(UTF8, b"ments")),
    }
    for name, (tag, octets) in broken.items():
        yield vector(f"type-OU-{name}", "SUBJECT-06", with_subject(OU=(tag, octets)))
