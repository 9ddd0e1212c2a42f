"""Figure `issue-rsa4096`: what it costs to issue for a P-256 request under an RSA-4096 CA, everything included."""

from collections.abc import Iterator

from bench.harness import Figure
from bench.issuing import issue
from bothways.contract.document import KeyType


def issue_rsa4096() -> Iterator[Figure]:
    """Measure certificates per second against bare `cryptography`, where the signature is most of the work."""
    return issue("issue-rsa4096", KeyType.RSA, 50, {"cryptography": 0.5, "django-ca": 5.0})
