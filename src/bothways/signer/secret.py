"""Passphrases and PINs: read from files alone, never from an argument, a variable or the settings."""

from pathlib import Path

from bothways import files

CREDENTIALS = Path("/run/credentials")
"""Where systemd puts a service's credentials (systemd.exec(5), LoadCredential=)."""


def read_secret(path: Path, what: str, credentials: Path = CREDENTIALS) -> bytes:
    """Return the secret in a file, without white space around it; `what` names it in messages. Raises `Unusable`.

    Others must not be able to read the file. A credential of systemd is guarded by its directory and by an
    access-control list, which shows as a mode that looks too wide: there, the mode says nothing.
    """
    given = path.resolve().is_relative_to(credentials)
    return (files.read(path, what) if given else files.read_private(path, what)).strip()
