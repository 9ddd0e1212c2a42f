"""The URI that names a token and a key in it (RFC 7512), as far as we need it. Nothing is opened here."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from bothways.errors import Unusable

SCHEME = "pkcs11:"
EXAMPLE = "pkcs11:token=ppr;object=our-key?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/token/pin"
_OBJECT_LIMIT = 48
"""Characters of a key's label, as it is stored with its CA: 64 in all."""


@dataclass(frozen=True, slots=True)
class TokenUri:
    """A token by its label (and serial number, where two have one label), a key in it by its label, and how to get in.

    `module` is the library of the token's maker, `pin_source` the file with the PIN, or None where that is elsewhere.
    """

    token: str
    object: str
    module: Path
    pin_source: Path | None
    serial: str = ""

    def __str__(self) -> str:
        """Return the URI, which says where the PIN is, and never the PIN."""
        path = {"token": self.token} | ({"serial": self.serial} if self.serial else {})
        # Without the type, OpenSSL takes the public key of the pair if the token names that first.
        path |= {"object": self.object, "type": "private"}
        query = {"module-path": str(self.module)}
        query |= {"pin-source": f"file:{self.pin_source}"} if self.pin_source else {}
        before = ";".join(f"{name}={quote(value, safe='')}" for name, value in path.items())
        behind = "&".join(f"{name}={quote(value, safe='/:')}" for name, value in query.items())
        return f"{SCHEME}{before}?{behind}"


def parse_token_uri(text: str, *, pin_elsewhere: bool = False) -> TokenUri:
    """Return what a `pkcs11:` URI says; with `pin_elsewhere` it need not say where the PIN is.

    Raises `Unusable` with what is wrong with it.
    """
    if not text.startswith(SCHEME):
        raise _wrong(f"{text!r} is no PKCS#11 URI")
    path, _, query = text.removeprefix(SCHEME).partition("?")
    values = _attributes(path, ";") | _attributes(query, "&")
    if "pin-value" in values:
        raise _wrong("the PKCS#11 URI holds the PIN itself, where it is logged and listed; pin-source is wanted")
    if unknown := sorted(values.keys() - {"token", "serial", "object", "type", "module-path", "pin-source"}):
        raise _wrong(f"the PKCS#11 URI has {', '.join(unknown)}, which is not understood")
    needed = ("token", "object", "module-path", *(() if pin_elsewhere else ("pin-source",)))
    if missing := [each for each in needed if not values.get(each)]:
        raise _wrong(f"the PKCS#11 URI has no {', '.join(missing)}")
    if values.get("type", "private") != "private":
        raise _wrong(f"the PKCS#11 URI names a {values['type']}; a private key is wanted")
    if len(quote(values["object"], safe="")) > _OBJECT_LIMIT:
        raise _wrong(f"the object {values['object']!r} is longer than {_OBJECT_LIMIT} characters")
    return TokenUri(
        values["token"],
        values["object"],
        _file("module-path", values["module-path"]),
        _file("pin-source", values["pin-source"]) if values.get("pin-source") else None,
        values.get("serial", ""),
    )


def key_name(label: str) -> str:
    """Return the name under which a CA keeps its key in mind: the key's label alone, as a URI."""
    return f"{SCHEME}object={quote(label, safe='')}"


def _attributes(text: str, separator: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in filter(None, text.split(separator)):
        name, equals, value = each.partition("=")
        if not equals:
            raise _wrong(f"{name!r} in the PKCS#11 URI has no value")
        if name in found:
            raise _wrong(f"{name} stands twice in the PKCS#11 URI")
        try:
            found[name] = unquote(value, errors="strict")
        except UnicodeDecodeError as error:
            raise _wrong(f"{name} in the PKCS#11 URI is no UTF-8") from error
        if not found[name].isprintable():
            # It is written into configurations and messages, a line of which it must not end.
            raise _wrong(f"{name} in the PKCS#11 URI holds characters that cannot be printed")
    return found


def _file(name: str, value: str) -> Path:
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise _wrong(f"{name} in the PKCS#11 URI is {value!r}, which is no file") from error
    path = Path(parts.path if parts.scheme == "file" else value)
    if parts.scheme not in {"", "file"} or parts.netloc not in {"", "localhost"} or not path.is_absolute():
        raise _wrong(f"{name} in the PKCS#11 URI is {value!r}; a whole path is wanted, like file:/etc/token/pin")
    return path


def _wrong(what: str) -> Unusable:
    return Unusable(f"{what}. Name token and key like this: {EXAMPLE}")
