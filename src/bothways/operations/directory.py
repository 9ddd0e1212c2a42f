"""What lies in a hub's directory and is read without its database: the terms, and what guards its keys."""

from pathlib import Path

from bothways import files
from bothways.contract.document import Terms
from bothways.contract.parse import parse_terms
from bothways.operations.settings import Settings
from bothways.signer.secret import read_secret

CONTRACT_FILE = "contract.toml"


def read_terms(directory: Path) -> Terms:
    """Return the terms of the hub in `directory`. Raises `Refused` with all mistakes, `Unusable` if there are none."""
    path = directory / CONTRACT_FILE
    return parse_terms(files.read(path, "the hub's terms").decode(errors="replace"), str(path))


def passphrase(directory: Path, settings: Settings) -> bytes:
    """Return what guards the hub's private keys. Raises `Unusable` if it cannot be read, or others can read it."""
    return read_secret(directory / settings.passphrase_file, "the passphrase of the hub's keys")
