"""What Kubernetes' own schemas say of an object, without a cluster."""

from typing import Any

import pytest

OLDEST = "1.29"
"""The oldest version that is looked at; the other one is the newest that the schemas know."""


def judge(made: dict[str, Any]) -> None:
    """Raise unless the object has what the schemas of both versions say, and nothing else."""
    schemas = pytest.importorskip("kubernetes_validate", reason="wheel kubernetes-validate is not installed")
    for version in (OLDEST, schemas.latest_version()):
        schemas.validate(made, version, strict=True)
