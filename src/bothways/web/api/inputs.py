"""What operations of the API are given again and again: numbers of rows, flags, and reasons."""

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, Strict, model_validator

from bothways.registry.access import Role, actions_of

NUMBER_MOST = 2**53 - 1
"""The highest number of a row that is asked for: every reader of JSON keeps it as it is (RFC 8259 section 6)."""
Number = Annotated[int, Path(ge=1, le=NUMBER_MOST, description="The number that it was given when it was stored.")]
TspId = Annotated[str, Path(max_length=64, description="The customer's identifier.")]


Flag = Annotated[bool, Strict()]
"""True or false in a body, and nothing that might mean it: neither "yes" nor 1 (RFC 8259 section 3)."""
Whole = Annotated[int, Strict()]
"""A number in a body, and no text of one."""


class Body(BaseModel):
    """A body that holds what it may hold, and nothing else."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, given: Any) -> Any:
        """Take 7.0 for 7, as JSON Schema does (section 4.2.1 of its core)."""
        return {name: _whole(value) for name, value in given.items()} if isinstance(given, dict) else given


def _whole(given: object) -> object:
    if isinstance(given, list):
        return [_whole(each) for each in given]
    return int(given) if isinstance(given, float) and given.is_integer() else given


def ruled(**schema: Any) -> Any:
    """Return a field of which the document says what a rule judges.

    The rule has the last word: it says what was found, what was wanted and what to do, with all else that is wrong.
    """
    return Field(json_schema_extra=schema)


def with_role(*, scopes: bool = False) -> ConfigDict:
    """Return the configuration of a body with a role: a customer goes with a customer's role, and with no other.

    With `scopes`, of what the role may do and of nothing else.
    """
    return ConfigDict(extra="forbid", json_schema_extra={"anyOf": [_with(each, scopes=scopes) for each in Role]})


def _with(role: Role, *, scopes: bool) -> dict[str, Any]:
    named: dict[str, Any] = {"role": {"const": role.value}}
    named["customer"] = {"type": "string" if role.of_customer else "null"}
    if scopes:
        allowed = {"type": "array", "items": {"enum": sorted(actions_of(role))}}
        named["scopes"] = {"anyOf": [allowed, {"type": "null"}]}
    return {"properties": named, "required": ["role", "customer"] if role.of_customer else ["role"]}


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
