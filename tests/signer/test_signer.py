"""A CA's certificate and a key that is not its own never meet."""

from datetime import datetime
from pathlib import Path

import pytest

from bothways.errors import Unusable
from bothways.pki import issue, profile
from bothways.pki.keys import spki_pin
from bothways.signer.key_files import KeyFiles
from bothways.signer.signer import require_pair


def test_only_the_key_of_the_certificate_is_its_pair(tmp_path: Path, now: datetime) -> None:
    keys = KeyFiles(tmp_path, b"passphrase")
    own = keys.generate("own")
    other = keys.generate("other")
    unsigned = issue.self_signed(profile.authority("CA", "hub.example", own, now), 1)
    certificate = issue.assemble(unsigned, keys.signer("own").sign(unsigned))
    require_pair(keys.signer("own"), certificate, "own")
    with pytest.raises(Unusable, match=r"the key other does not belong to the CA CN=CA,O=hub\.example") as raised:
        require_pair(keys.signer("other"), certificate, "other")
    assert spki_pin(own) in str(raised.value)
    assert spki_pin(other) in str(raised.value)
