"""What operations of the API are given again and again: numbers of rows, and reasons."""

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="The number that it was given when it was stored.")]
TspId = Annotated[str, Path(max_length=64, description="The customer's identifier.")]


class Body(BaseModel):
    """A body that holds what it may hold, and nothing else."""

    model_config = ConfigDict(extra="forbid")


class Reason(Body):
    """Why; it is recorded, and the customer will read it."""

    reason: str = Field(min_length=1, max_length=1000)
