"""The passphrase of an encrypted private key: out of a file, the environment, or from a person at a terminal.

This is the one place that asks for it, and it is asked for only where a key is encrypted.
"""

import getpass
import os
import sys
from functools import cache
from pathlib import Path

from bothways.errors import Unusable
from bothways.signer.secret import read_secret

FILE, VALUE = "BOTHWAYS_KEY_PASSPHRASE_FILE", "BOTHWAYS_KEY_PASSPHRASE"
"""The variables that name the file, or hold the passphrase itself. The file is better: others may see a process's
variables. A credential of systemd will do (`LoadCredential=`)."""

_MARK = b"ENCRYPTED"


def is_encrypted(pem: bytes) -> bool:
    """Tell whether a private key in PEM is encrypted, in PKCS #8 or in OpenSSL's older form."""
    return _MARK in pem


def passphrase(path: Path) -> bytes:
    """Return the passphrase of the key in the file. Raises `Unusable` if there is nobody to ask."""
    return _given() or _asked(f"Passphrase of {path}: ", path)


def new_passphrase(path: Path) -> bytes:
    """Return the passphrase for a key that is to be written into the file; a person types it twice."""
    if given := _given():
        return given
    first = _asked(f"New passphrase for {path}: ", path)
    if first != getpass.getpass("The same again: ").encode():
        _asked.cache_clear()
        raise Unusable("the two passphrases are not the same, so no key was made. Try again.")
    return first


def _given() -> bytes:
    if file := os.environ.get(FILE):
        found = read_secret(Path(file), "the passphrase of the private key")
        if not found:
            raise Unusable(f"{file} is empty, and the passphrase of the private key is wanted in it.")
        return found
    return os.environb.get(VALUE.encode(), b"")


@cache
def _asked(prompt: str, path: Path) -> bytes:
    """Ask a person, once for each file in this process."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Unusable(
            f"{path} is encrypted, and nobody is there to ask for its passphrase. "
            f"Name a file that holds it, mode 0600: {FILE}=PATH"
        )
    typed = getpass.getpass(prompt).encode()
    if not typed:
        raise Unusable("no passphrase was typed. Try again.")
    return typed
