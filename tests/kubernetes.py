"""What Kubernetes' own schemas say of an object, without a cluster."""

from typing import Any

import kubernetes_validate

OLDEST = "1.29"
"""The oldest version that is looked at; the other one is the newest that the schemas know."""


def judge(made: dict[str, Any]) -> None:
    """Raise unless the object has what the schemas of both versions say, and nothing else."""
    for version in (OLDEST, kubernetes_validate.latest_version()):
        kubernetes_validate.validate(made, version, strict=True)
