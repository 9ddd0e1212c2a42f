"""Vectors on files: what people save, copy and attach instead of a request, or around it."""

import base64
import gzip
import json
import quopri
from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from tests.vectors import keys
from tests.vectors.shape import (
    NULL,
    Vector,
    content,
    good,
    good_pem,
    signed,
    spki_of,
    subject,
    vector,
    with_subject,
)

from bothways.pki import der
from bothways.pki.encoding import pem

_BUILT = "cryptography"
_EDITED = "hand-made DER, edited as text"
_START, _END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def vectors() -> Iterator[Vector]:
    """Return them all."""
    yield from _sizes_and_kinds()
    yield from _private_keys()
    yield from _other_pem()
    yield from _damaged()
    yield from _structures()
    yield from _normalised()


def _sizes_and_kinds() -> Iterator[Vector]:
    text = good_pem().encode()
    yield vector("file-larger-than-16-kib", "FILE-01", b"#" * 16384 + b"\n" + text, _EDITED)
    yield vector("file-with-a-subject-of-20-kib", "FILE-01", with_subject(OU="x" * 20480))
    page = "<!DOCTYPE html><html><body>Please sign in.</body></html>"
    kinds = {
        "empty": b"",
        "blank": b"\n \t\r\n",
        "html-page": page.encode(),
        "xml": b'<?xml version="1.0"?><request/>',
        "json": b'{"request": null}',
        "gzip": gzip.compress(text, mtime=0),
        "zip": bytes.fromhex("504b0506") + bytes(18),
        "zip-with-a-file": bytes.fromhex("504b0304140000000000") + bytes(40) + b"tls.csr",
        "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        "picture": bytes.fromhex("89504e470d0a1a0a0000000d49484452"),
        "office-document": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(40),
        "prose": b"Dear operator, please find our request attached. Kind regards, First Bank\n",
        "path": b"/home/bank/tls.csr\n",
        "utf-32": good_pem().encode("utf-32"),
        "base64-of-no-der": base64.b64encode(bytes(range(1, 97))) + b"\n",
        "base64-twice": base64.b64encode(base64.b64encode(good())) + b"\n",
        "hex": good().hex().encode() + b"\n",
        "zeros": bytes(64),
    }
    for name, data in kinds.items():
        yield vector(f"file-{name}", "FILE-04", data, "hand-made")
    point = keys.ecdsa("good").public_key()
    ssh = point.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) + b" tls@firstbank\n"
    yield vector("file-ssh-public-key", "FILE-04", ssh, _BUILT)
    yield vector("file-two-requests", "FILE-05", text + pem("CERTIFICATE REQUEST", with_subject(L="Lyon")).encode())
    yield vector("file-the-same-request-twice", "FILE-05", text * 2)


def _private_keys() -> Iterator[Vector]:
    key, text = keys.ecdsa("disclosed"), good_pem().encode()
    forms = {"pkcs8": PrivateFormat.PKCS8, "sec1": PrivateFormat.TraditionalOpenSSL, "openssh": PrivateFormat.OpenSSH}
    for name, form in forms.items():
        plain = key.private_bytes(Encoding.PEM, form, NoEncryption()) if name != "openssh" else _OPENSSH
        yield vector(f"private-key-{name}", "FILE-02", plain, _BUILT)
    pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    raw = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    rsa = keys.rsa("1024")
    numbers = (0, rsa.n, rsa.e, rsa.d, *keys.primes("1024"), 1, 1, 1)
    pkcs1 = der.sequence(*(der.integer(each) for each in numbers))
    sealed = der.sequence(der.sequence(der.oid("1.2.840.113549.1.5.13"), NULL), der.tagged(der.OCTET_STRING, bytes(48)))
    store = der.sequence(der.integer(3), der.sequence(der.oid("1.2.840.113549.1.7.1"), b"\xa0\x02\x04\x00"))
    d = base64.urlsafe_b64encode(key.private_numbers().private_value.to_bytes(32)).decode().rstrip("=")
    pasted = {
        "before-the-request": pkcs8 + text,
        "behind-the-request": text + pkcs8,
        "with-its-request-in-windows-text": (text + pkcs8).replace(b"\n", b"\r\n"),
        "utf-16": pkcs8.decode().encode("utf-16"),
        "utf-16-without-mark": pkcs8.decode().encode("utf-16-le"),
        "cut-off": pkcs8[:90],
        "encrypted": pem("ENCRYPTED PRIVATE KEY", sealed).encode(),
        "pkcs1": pem("RSA PRIVATE KEY", pkcs1).encode(),
        "in-der": raw,
        "pkcs1-in-der": pkcs1,
        "labelled-as-request": pem("CERTIFICATE REQUEST", raw).encode(),
        "without-its-lines": base64.b64encode(raw) + b"\n",
        "in-one-escaped-line": pkcs8.replace(b"\n", b"\\n"),
        "with-other-dashes": pkcs8.replace(b"-----", "\u2014\u2013".encode()),
        "in-a-store": store,
        "in-a-java-store": bytes.fromhex("feedfeed00000002") + bytes(40),
        "of-putty": b"PuTTY-User-Key-File-3: ecdsa-sha2-nistp256\nEncryption: none\n",
        "as-jwk": json.dumps({"kty": "EC", "crv": "P-256", "d": d}).encode(),
        "as-xml": b"<RSAKeyValue><Modulus>AQAB</Modulus><D>" + b"AQAB" * 64 + b"</D></RSAKeyValue>",
        "printed": b"Private-Key: (256 bit)\npriv:\n    00:01:02\npub:\n    04:05\n",
    }
    for name, data in pasted.items():
        yield vector(f"private-key-{name}", "FILE-02", data, f"{_BUILT} or hand-made")


_OPENSSH = b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU=\n-----END OPENSSH PRIVATE KEY-----\n"


def _certificate() -> x509.Certificate:
    key = keys.ecdsa("good")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TLSMA-ECDSA/12345678/PPR")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, _START, _END)
    return builder.sign(key, SHA256(), ecdsa_deterministic=True)


def _other_pem() -> Iterator[Vector]:
    text, certificate = good_pem().encode(), _certificate()
    raw = certificate.public_bytes(Encoding.DER)
    armoured = certificate.public_bytes(Encoding.PEM)
    spki = spki_of(keys.ecdsa("good"))
    revoked = x509.CertificateRevocationListBuilder(certificate.subject, _START, _END)
    crl = revoked.sign(keys.ecdsa("good"), SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)
    empty = der.sequence(der.oid("1.2.840.113549.1.7.1"))
    pkcs7 = der.sequence(
        der.oid("1.2.840.113549.1.7.2"),
        der.tagged(0xA0, der.sequence(der.integer(1), b"\x31\x00", empty, der.tagged(0xA0, raw), b"\x31\x00")),
    )
    for name, data in {
        "certificate": armoured,
        "certificate-in-der": raw,
        "certificate-labelled-as-request": pem("CERTIFICATE REQUEST", raw).encode(),
        "certificate-behind-the-request": text + armoured,
        "trusted-certificate": pem("TRUSTED CERTIFICATE", raw).encode(),
        "public-key": pem("PUBLIC KEY", spki).encode(),
        "public-key-in-der": spki,
        "revocation-list": pem("X509 CRL", crl).encode(),
        "revocation-list-in-der": crl,
        "pkcs7": pem("PKCS7", pkcs7).encode(),
        "pkcs7-in-der": pkcs7,
        "cms": pem("CMS", pkcs7).encode(),
        "request-labelled-as-certificate": pem("CERTIFICATE", good()).encode(),
        "pgp-key": b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQENBF==\n-----END PGP PUBLIC KEY BLOCK-----\n",
        "parameters-before-the-request": pem("EC PARAMETERS", der.oid("1.2.840.10045.3.1.7")).encode() + text,
    }.items():
        yield vector(f"instead-{name}", "FILE-03", data, _BUILT)


def _damaged() -> Iterator[Vector]:
    text = good_pem()
    lines = text.splitlines()
    for name, changed in {
        "cut-off": text[:-60],
        "cut-off-in-the-last-line": text[:-4],
        "without-begin": "\n".join(lines[1:]),
        "without-end": "\n".join(lines[:-1]),
        "other-end": text.replace("END CERTIFICATE", "END NEW CERTIFICATE"),
        "character-changed": text.replace(lines[2], f"*{lines[2][1:]}"),
        "character-lost": text.replace(lines[2], lines[2][1:]),
        "padding-inside": text.replace(lines[2], f"{lines[2][:30]}=={lines[2][32:]}"),
        "quoted-in-a-mail": "".join(f"> {line}\n" for line in lines),
        "quoted-printable": quopri.encodestring(text.replace("A", "=").encode()).decode(),
        "url-encoded": text.replace("+", "%2B").replace("/", "%2F"),
        "html-breaks": text.replace("\n", "<br>\n"),
        "em-dashes": text.replace("-----", "\u2014\u2014"),
        "four-dashes": text.replace("-----", "----"),
        "six-dashes": text.replace("-----", "------"),
        "small-letters": text.replace("CERTIFICATE REQUEST", "certificate request"),
        "header-inside": text.replace(f"{lines[0]}\n", f"{lines[0]}\nProc-Type: 4,ENCRYPTED\n\n"),
        "second-begins": f"{lines[0]}\n{text}",
        "ellipsis": text.replace(lines[3], "..."),
    }.items():
        yield vector(f"damaged-{name}", "FILE-06", changed.encode(), _EDITED)


def _structures() -> Iterator[Vector]:
    request = good()
    info, algorithm, signature = der.parts(request)
    version, name, spki, asked = der.parts(info)
    key = keys.ecdsa("good")

    def resigned(changed: bytes) -> bytes:
        return der.sequence(changed, algorithm, der.bit_string(key.sign(changed, _DETERMINISTIC)))

    structures = {
        "version-1": resigned(content(version=b"\x02\x01\x01")),
        "version-minus-1": resigned(content(version=b"\x02\x01\xff")),
        "without-version": resigned(der.sequence(name, spki, asked)),
        "without-attributes": resigned(der.sequence(version, name, spki)),
        "without-signature": der.sequence(info, algorithm),
        "one-part-more": der.sequence(info, algorithm, signature, NULL),
        "ecdsa-with-null-parameters": der.sequence(info, der.sequence(*der.parts(algorithm), NULL), signature),
        "attributes-that-are-none": resigned(content(asked=der.tagged(0xA0, NULL))),
        "attributes-not-sorted-rdn": resigned(content(_unsorted())),
        "empty-sequence": der.sequence(),
        "sequence-of-null": der.sequence(NULL),
        "info-alone": info,
        "cut-off": request[:-1],
        "cut-in-half": request[: len(request) // 2],
        "signature-as-octets": der.sequence(info, algorithm, der.tagged(der.OCTET_STRING, signature)),
        "nested-deeply": _nested(),
        "spkac": der.sequence(der.sequence(spki, der.tagged(0x16, b"challenge")), algorithm, signature),
    }
    for title, data in structures.items():
        yield vector(f"der-{title}", "FILE-07", data)
    length = len(der.content(request))
    ber = {
        "indefinite-length": b"\x30\x80" + der.content(request) + b"\0\0",
        "long-length": b"\x30\x83" + length.to_bytes(3) + der.content(request),
        "indefinite-subject": resigned(der.sequence(version, b"\x30\x80" + der.content(name) + b"\0\0", spki, asked)),
        "long-length-inside": resigned(der.sequence(b"\x02\x81\x01\x00", name, spki, asked)),
    }
    for title, data in ber.items():
        yield vector(f"ber-{title}", "FILE-08", data)
    for title, more in {"newline": b"\n", "zero": b"\0", "request": request, "text": b"-- \nFirst Bank\n"}.items():
        yield vector(f"der-followed-by-{title}", "FILE-09", request + more)
    yield vector("pem-of-der-followed-by-zero", "FILE-09", pem("CERTIFICATE REQUEST", request + b"\0").encode())


_DETERMINISTIC = ec.ECDSA(SHA256(), deterministic_signing=True)


def _unsorted() -> bytes:
    ou, o = (der.sequence(der.oid(oid), der.tagged(0x0C, b"x")) for oid in ("2.5.4.11", "2.5.4.10"))
    return der.sequence(der.tagged(der.SET, ou + o))


def _nested() -> bytes:
    octets = b""
    while len(octets) < 16000:
        octets = der.sequence(octets)
    return octets


def _normalised() -> Iterator[Vector]:
    text = good_pem()
    lines = text.splitlines()
    dump = f"Certificate Request:\n    Data:\n        Version: 1 (0x0)\n{text}\n"
    for name, changed in {
        "windows-line-ends": text.replace("\n", "\r\n").encode(),
        "old-mac-line-ends": text.replace("\n", "\r").encode(),
        "byte-order-mark": b"\xef\xbb\xbf" + text.encode(),
        "utf-16": text.encode("utf-16"),
        "utf-16-le": text.encode("utf-16-le"),
        "utf-16-be-with-mark": b"\xfe\xff" + text.encode("utf-16-be"),
        "utf-16-of-windows": text.replace("\n", "\r\n").encode("utf-16"),
        "old-label": text.replace("CERTIFICATE", "NEW CERTIFICATE").encode(),
        "indented": "".join(f"    {line}\n" for line in lines).encode(),
        "empty-lines": text.replace("\n", "\n\n").encode(),
        "text-before": dump.encode(),
        "text-behind": f"{text}-- \nFirst Bank\n".encode(),
        "text-around-with-dashes": f"--- our request ---\n{text}--- end ---\n".encode(),
        "no-break-spaces": text.replace(lines[2], f"{lines[2][:9]}\u00a0{lines[2][9:]}").encode(),
        "zero-width-space": text.replace(lines[2], f"{lines[2]}\u200b").encode(),
        "escaped-line-ends": text.replace("\n", "\\n").encode(),
        "escaped-line-ends-in-json": json.dumps({"csr": text}).encode(),
        "escaped-line-ends-of-windows": text.replace("\n", "\\r\\n").encode(),
        "base64-alone": "\n".join(lines[1:-1]).encode(),
        "base64-alone-in-one-line": base64.b64encode(good()),
    }.items():
        yield vector(f"normalised-{name}", "NOTE-01", changed, _EDITED)
    wrong = pem("CERTIFICATE REQUEST", signed(content(subject(CN="x")), key)) if (key := keys.ecdsa("good")) else ""
    yield vector("normalised-and-wrong", "CN-01 NOTE-01", wrong.replace("\n", "\r\n").encode(), _EDITED)
    yield vector("good-pem", "", text.encode())
    yield vector("good-pem-in-one-line", "", f"{lines[0]}\n{''.join(lines[1:-1])}\n{lines[-1]}\n".encode())
    yield vector("good-pem-without-last-newline", "", text.rstrip().encode())
    yield vector("good-pem-between-empty-lines", "", f"\n\n{text}\n\n".encode())
