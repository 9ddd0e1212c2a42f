"""A CA's certificate and a key that is not its own never meet."""

from datetime import datetime

import pytest

from bothways.errors import Unusable
from bothways.pki import issue, profile
from bothways.pki.keys import spki_pin
from bothways.signer.private_key import new_key
from bothways.signer.signer import require_pair


def test_only_the_key_of_the_certificate_is_its_pair(now: datetime) -> None:
    own, other = new_key(), new_key()
    unsigned = issue.self_signed(profile.authority("CA", "hub.example", own.public_key, now), 1)
    certificate = issue.assemble(unsigned, own.sign(unsigned))
    require_pair(own, certificate, "own")
    with pytest.raises(Unusable, match=r"the key other does not belong to the CA CN=CA,O=hub\.example") as raised:
        require_pair(other, certificate, "other")
    assert spki_pin(own.public_key) in str(raised.value)
    assert spki_pin(other.public_key) in str(raised.value)
