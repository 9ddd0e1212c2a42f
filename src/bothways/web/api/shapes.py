"""What schemas of the document of the API are made of: JSON Schema (2020-12) of texts, moments, objects, pages."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TRUTH: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "integer", "minimum": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
MOMENT: Schema = {"type": "string", "format": "date-time"}
DIGEST: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
SERIAL: Schema = {"type": "string", "pattern": "^[0-9a-f]+$"}
URL: Schema = {"type": "string", "format": "uri"}


def one_of(values: type[Enum]) -> Schema:
    """Return the schema of one of the values of an enumeration."""
    return {"type": "string", "enum": [each.value for each in values]}


def said(schema: Schema, description: str) -> Schema:
    """Return the schema with what its value means."""
    return schema | {"description": description}


def or_null(schema: Schema) -> Schema:
    """Return the schema of this, or of null."""
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def map_of(schema: Schema) -> Schema:
    """Return the schema of an object whose names are not known before."""
    return {"type": "object", "additionalProperties": schema}


def shape(perhaps: Mapping[str, Schema] | None = None, /, **properties: Schema) -> Schema:
    """Return the schema of an object that has all of these, and may have those of `perhaps`."""
    return {"type": "object", "required": [*properties], "properties": {**properties, **(perhaps or {})}}


def named(name: str) -> Schema:
    """Return what stands for a schema that has a name in the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def all_of(*schemas: Schema) -> Schema:
    """Return the schema of an object that is each of these."""
    return {"allOf": [*schemas]}


def page_of(schema: Schema) -> Schema:
    """Return the schema of a page of a list."""
    cursor = {"type": ["string", "integer", "null"], "description": "Ask with it as `after` for the page that follows."}
    return shape(items=list_of(schema), next=cursor)
