from jsonschema_rs import meta

from bothways.web.api.things import SCHEMAS


def test_every_schema_is_one_and_names_what_it_wants() -> None:
    for name, schema in SCHEMAS.items():
        assert meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}), name
        assert schema.get("properties") or schema.get("additionalProperties"), name
