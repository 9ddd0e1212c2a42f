"""What time takes out of a snapshot that nobody renews: revocation lists that come to their end."""

import re
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from cryptography import x509
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from bothways.pki.revocation import LIST_MARGIN
from bothways.xds import names
from bothways.xds.resource import resource_of
from bothways.xds.snapshot import Snapshot

_LIST = re.compile(r"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)


def without_ended_lists(snapshot: Snapshot, now: datetime) -> Snapshot:
    """Return the snapshot without its revocation lists if one of them ends within a day, else as it is.

    Envoy refuses every customer under a list that has ended. The authorization map refuses what is revoked in any case.
    """
    held = snapshot.of(names.SECRET_TYPE).get(names.CUSTOMER_TRUST)
    if held is None:
        return snapshot
    secret = secret_pb2.Secret.FromString(held.packed.value)
    ends = (_end(text) for text in _LIST.findall(secret.validation_context.crl.inline_string))
    if all(end is not None and end - now > LIST_MARGIN for end in ends):
        return snapshot
    secret.validation_context.ClearField("crl")
    secret.validation_context.ClearField("only_verify_leaf_cert_crl")
    without = resource_of(secret)
    secrets = {**snapshot.unasked(names.SECRET_TYPE), without.name: without}
    version = sha256(f"{snapshot.version} {without.version}".encode()).hexdigest()[:16]
    return replace(snapshot, version=version, resources={**snapshot.resources, names.SECRET_TYPE: secrets})


def _end(pem: str) -> datetime | None:
    return x509.load_pem_x509_crl(pem.encode()).next_update_utc
