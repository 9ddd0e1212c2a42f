"""Rules on what a request asks for besides a key and a subject: none of it has an effect, and all of it is named."""

from collections.abc import Iterator

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from bothways.pki.rule import Said
from bothways.pki.rules.asked import Asked

_EXTENSION_REQUESTS = ("1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14")
_CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"  # noqa: S105 - an object identifier
_MICROSOFT = "1.3.6.1.4.1.311."
_NOTHING = "Nothing has to be done."


def extensions_are_ignored(asked: Asked) -> Iterator[Said]:
    """The certificate is built from the hub's profile; a wish that the profile fulfils anyway is not worth a word."""
    for extension in asked.reading.extensions or ():
        if not _is_fulfilled(extension.value):
            yield f"the request asks for {_wish(extension)}, which has no effect", _NOTHING


def no_password_is_inside(asked: Asked) -> Iterator[Said]:
    """A challenge password stands readable in the request, and nothing asks for it."""
    if any(name == _CHALLENGE_PASSWORD for name, _ in asked.reading.attributes):
        # What it is, is not repeated.
        yield (
            "the request holds a challenge password, which everybody who sees the request can read",
            "If it is used anywhere else, change it there.",
        )


def attributes_are_ignored(asked: Asked) -> Iterator[Said]:
    """Other attributes have no effect; what Microsoft's tools always add about themselves is not worth a word."""
    for name, _ in asked.reading.attributes:
        if name not in (*_EXTENSION_REQUESTS, _CHALLENGE_PASSWORD) and not name.startswith(_MICROSOFT):
            yield f"the request has the attribute {name}, which has no effect", _NOTHING


def _is_fulfilled(wish: x509.ExtensionType) -> bool:
    if isinstance(wish, x509.KeyUsage):
        bare = x509.KeyUsage(True, *[False] * 8)
        return wish == bare
    if isinstance(wish, x509.ExtendedKeyUsage):
        return list(wish) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    if isinstance(wish, x509.BasicConstraints):
        return not wish.ca
    return isinstance(wish, x509.SubjectKeyIdentifier)


def _wish(extension: x509.Extension[x509.ExtensionType]) -> str:
    critical = "the critical extension" if extension.critical else "the extension"
    value = extension.value
    if isinstance(value, x509.BasicConstraints):
        said = "to be a CA"
    elif isinstance(value, x509.SubjectAlternativeName):
        said = f"names: {len(list(value))}"
    elif isinstance(value, x509.ExtendedKeyUsage):
        said = f"the usages {', '.join(each.dotted_string for each in value)}"
    else:
        said = ""
    name = type(value).__name__
    known = f" ({name}{f': {said}' if said else ''})" if name != "UnrecognizedExtension" else ""
    return f"{critical} {extension.oid.dotted_string}{known}"
