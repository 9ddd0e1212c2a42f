import warnings

import certifi
from cryptography import x509

from bothways.operations.public_roots import public_root_pins
from bothways.pki.keys import spki_pin


def test_each_ca_of_the_list_is_known_by_its_key() -> None:
    with warnings.catch_warnings():
        # One root of the list has a serial number that is not positive.
        warnings.simplefilter("ignore")
        roots = x509.load_pem_x509_certificates(certifi.contents().encode())
        pins = {spki_pin(each.public_key()) for each in roots}
    assert public_root_pins() == pins
    assert len(pins) > 100
