"""Where the keys of a test are stored: in a dictionary, as a database would."""

from dataclasses import dataclass, field

import pytest

from bothways.contract.document import KeyType
from bothways.registry.sealed_key import SealedKey
from bothways.signer.keys import Keys, ProvidedKey


@dataclass
class Stored:
    """What is stored, by name, and the passphrase that is in the file."""

    keys: dict[str, SealedKey] = field(default_factory=dict)
    passphrase: bytes = b"passphrase"

    def opened(self, signer: str = "", version: int = 1) -> Keys:
        """Return the keys as a process has them that opens the hub now."""
        return Keys(self.keys.get, lambda: self.passphrase, version, signer)

    def put(self, key: ProvidedKey) -> ProvidedKey:
        """Store a key, unless it is in a token."""
        if key.stored:
            self.keys[key.name] = key.stored
        return key

    def made(self, name: str, kind: KeyType = KeyType.ECDSA) -> ProvidedKey:
        """Make a key, and store it."""
        return self.put(self.opened().generate(name, kind))


@pytest.fixture
def stored() -> Stored:
    return Stored()
