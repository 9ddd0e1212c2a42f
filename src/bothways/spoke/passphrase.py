"""The passphrase of an encrypted private key, or the PIN of its token: from a file, the environment, or a person.

This is the one place that asks for it, and it is asked for only where a key is encrypted, or used in a token.
"""

import getpass
import os
import sys
from functools import cache
from pathlib import Path

from bothways.errors import Unusable
from bothways.signer.secret import read_secret
from bothways.signer.token_uri import TokenUri

FILE, VALUE = "BOTHWAYS_KEY_PASSPHRASE_FILE", "BOTHWAYS_KEY_PASSPHRASE"
"""The variables that name the file, or hold the passphrase itself. The file is better: others may see a process's
variables. A credential of systemd will do (`LoadCredential=`)."""

_MARK = b"ENCRYPTED"


def is_encrypted(pem: bytes) -> bool:
    """Tell whether a private key in PEM is encrypted, in PKCS #8 or in OpenSSL's older form."""
    return _MARK in pem


def passphrase(path: Path) -> bytes:
    """Return the passphrase of the key in the file. Raises `Unusable` if there is nobody to ask."""
    return _given() or _asked(f"Passphrase of {path}: ", f"{path} is encrypted", "passphrase")


def pin(uri: TokenUri) -> bytes:
    """Return the PIN of the token: from the file that the URI names, else as a passphrase. Raises `Unusable`."""
    if uri.pin_source:
        return read_secret(uri.pin_source, f"the PIN of the token {uri.token}")
    return _given() or _asked(
        f"PIN of the token {uri.token}: ", f"the key {uri.object} lies in the token {uri.token}", "PIN"
    )


def new_passphrase(path: Path) -> bytes:
    """Return the passphrase for a key that is to be written into the file; a person types it twice."""
    if given := _given():
        return given
    first = _asked(f"New passphrase for {path}: ", f"{path} is to be encrypted", "passphrase")
    if first != getpass.getpass("The same again: ").encode():
        _asked.cache_clear()
        raise Unusable("the two passphrases are not the same, so no key was made. Try again.")
    return first


def _given() -> bytes:
    if file := os.environ.get(FILE):
        what = "the passphrase or PIN of the private key"
        found = read_secret(Path(file), what)
        if not found:
            raise Unusable(f"{file} is empty, and {what} is wanted in it.")
        return found
    return os.environb.get(VALUE.encode(), b"")


@cache
def _asked(prompt: str, why: str, what: str) -> bytes:
    """Ask a person, once for each key in this process."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Unusable(
            f"{why}, and nobody is there to ask for its {what}. Name a file that holds it, mode 0600: {FILE}=PATH"
        )
    typed = getpass.getpass(prompt).encode()
    if not typed:
        raise Unusable(f"no {what} was typed. Try again.")
    return typed
