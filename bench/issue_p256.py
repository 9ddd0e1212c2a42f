"""Figure `issue-p256`: what it costs to issue for a P-256 request under a P-256 CA, everything included."""

from collections.abc import Iterator

from bench.harness import Figure
from bench.issuing import issue
from bothways.contract.document import KeyType


def issue_p256() -> Iterator[Figure]:
    """Measure certificates per second against bare `cryptography` and django-ca."""
    return issue("issue-p256", KeyType.ECDSA, 400, {"cryptography": 0.3, "django-ca": 5.0})
