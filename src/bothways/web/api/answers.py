"""What the main things of the API look like, for its OpenAPI document: schemas of the documents that operations give.

A document may say more than its schema: what is new comes as a new property.
"""

from collections.abc import Mapping
from typing import Any

from bothways.connectivity.assess import State
from bothways.findings import Level
from bothways.registry.customer import CustomerKind
from bothways.registry.flow import Flow
from bothways.store.certificates import CertificateState
from bothways.store.chains import ChainState
from bothways.store.requests import RequestState
from bothways.store.submitted_endpoints import EndpointState

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_TRUTH: Schema = {"type": "boolean"}
_NUMBER: Schema = {"type": "integer", "minimum": 1}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_DIGEST: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def _one_of(values: type[Any]) -> Schema:
    return {"type": "string", "enum": [each.value for each in values]}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list_of(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _named(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "required": [*properties], "properties": properties}


SCHEMAS: Mapping[str, Schema] = {
    "Finding": _object(id=_TEXT, level=_one_of(Level), message=_TEXT, hint=_TEXT, citation=_TEXT, subject=_TEXT),
    "FlowAssessment": _object(
        flow=_one_of(Flow),
        state=_one_of(State),
        reason=_TEXT,
        steps=_list_of(_object(name=_TEXT, done=_TRUTH, said=_TEXT)),
    ),
    "Customer": _object(
        customer=_TEXT,
        kind=_one_of(CustomerKind),
        organization=_TEXT,
        suspended=_TRUTH,
        inbound=_named("FlowAssessment"),
        outbound=_named("FlowAssessment"),
    ),
    "Request": _object(
        id=_NUMBER,
        customer=_TEXT,
        subject=_TEXT,
        fingerprint=_DIGEST,
        spki_pin=_DIGEST,
        state=_one_of(RequestState),
        submitted_at=_MOMENT,
        decided_by=_or_null(_TEXT),
        reason=_or_null(_TEXT),
    ),
    "Certificate": _object(
        serial={"type": "string", "pattern": "^[0-9a-f]+$"},
        customer=_TEXT,
        request=_NUMBER,
        uri_id=_TEXT,
        fingerprint=_or_null(_DIGEST),
        state=_one_of(CertificateState),
        not_before=_MOMENT,
        not_after=_MOMENT,
        revoked_at=_or_null(_MOMENT),
        revoked_reason=_or_null(_TEXT),
        first_seen_at=_or_null(_MOMENT),
        seen_at=_or_null(_MOMENT),
    ),
    "Chain": _object(
        id=_NUMBER,
        customer=_TEXT,
        fingerprint=_DIGEST,
        not_after=_MOMENT,
        state=_one_of(ChainState),
        submitted_at=_MOMENT,
        decided_by=_or_null(_TEXT),
        reason=_or_null(_TEXT),
        spki_pins=_list_of(_DIGEST),
    ),
    "Endpoint": _object(
        customer=_TEXT, url=_TEXT, host=_TEXT, port={"type": "integer", "minimum": 1, "maximum": 65535}, path=_TEXT
    ),
    "SubmittedEndpoint": _object(
        id=_NUMBER,
        customer=_TEXT,
        url=_TEXT,
        state=_one_of(EndpointState),
        submitted_at=_MOMENT,
        decided_by=_or_null(_TEXT),
        reason=_or_null(_TEXT),
    ),
}
_LISTS = {
    "/customers": "Customer",
    "/requests": "Request",
    "/certificates": "Certificate",
    "/chains": "Chain",
    "/endpoints": "SubmittedEndpoint",
}
_SHOWN = {
    "/customers/{tsp_id}": "Customer",
    "/requests/{number}": "Request",
    "/certificates/{serial}": "Certificate",
    "/chains/{number}": "Chain",
    "/endpoints/{number}": "SubmittedEndpoint",
    "/customers/{tsp_id}/endpoint": "Endpoint",
}


def _page_of(name: str) -> Schema:
    cursor = {"type": ["string", "integer", "null"], "description": "Ask with it as `after` for the page that follows."}
    return _object(items=_list_of(_named(name)), next=cursor)


ANSWERS: Mapping[str, Schema] = {path: _page_of(name) for path, name in _LISTS.items()} | {
    path: _named(name) for path, name in _SHOWN.items()
}
"""What `GET` answers with 200, by its path under the prefix of the API."""
