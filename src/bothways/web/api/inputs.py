"""What operations of the API are given again and again: numbers of rows, and reasons."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="The number that it was given when it was stored.")]
TspId = Annotated[str, Path(max_length=64, description="The customer's identifier.")]


class Body(BaseModel):
    """A body that holds what it may hold, and nothing else."""

    model_config = ConfigDict(extra="forbid")


_REASON_MOST = 1000
Why = Annotated[str, Query(max_length=_REASON_MOST, pattern=r"\S", description="Why; it is recorded in the audit.")]


class Reason(Body):
    """Why; it is recorded, and the customer reads it where it is about what the customer handed in."""

    reason: str = Field(max_length=_REASON_MOST, pattern=r"\S")


class OptionalReason(Body):
    """Why, if it is not clear; it is recorded in the audit."""

    reason: str = Field("", max_length=_REASON_MOST)


NO_REASON = OptionalReason(reason="")
"""What stands for a body that was not sent."""
