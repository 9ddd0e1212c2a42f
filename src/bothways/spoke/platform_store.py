"""The CAs that this machine's platform trusts, as one file: for hubs whose certificate is of a public CA."""

import ssl
from pathlib import Path

from bothways.contract.document import PUBLIC, Contract
from bothways.errors import Unusable

# Where OpenSSL of a Python looks is not where every system has it.
_PLACES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def platform_store() -> Path:
    """Return the platform's file of CAs in PEM; SSL_CERT_FILE names another. Raises `Unusable` if there is none."""
    found = ssl.get_default_verify_paths().cafile
    for each in (found, *_PLACES):
        if each and Path(each).is_file():
            return Path(each)
    raise Unusable(
        "this machine has no file of public CAs, which the contract trusts for the hub's endpoint. Install the "
        "package ca-certificates, or name a file in SSL_CERT_FILE."
    )


def server_ca(contract: Contract) -> str:
    """Return the CAs that vouch for the hub's endpoint, in PEM: the contract's, or the platform's where it says so."""
    if contract.trust.server_ca != PUBLIC:
        return contract.trust.server_ca
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    store = platform_store()
    try:
        context.load_verify_locations(store)
    except (OSError, ssl.SSLError) as error:
        raise Unusable(f"{store}, the file of public CAs, cannot be read: {error}. Install it again.") from error
    stored = zip(context.get_ca_certs(), context.get_ca_certs(binary_form=True), strict=True)
    # Some old roots have a serial number that RFC 5280 section 4.1.2.2 forbids; no library has to read them.
    return "".join(ssl.DER_cert_to_PEM_cert(der) for said, der in stored if int(str(said["serialNumber"]), 16) > 0)
