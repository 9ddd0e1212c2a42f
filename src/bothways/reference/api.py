"""The page of the REST API: every operation of the OpenAPI document, by noun."""

from typing import Any

from bothways.reference import MADE


def api_page(document: dict[str, Any]) -> str:
    """Return the page for an OpenAPI document."""
    lines = [
        (
            "# All operations of the API\n\nEvery operation at `https://portal.hub.example`, from its own OpenAPI "
            f"document (`/openapi.json`). {MADE}\n"
        ),
        "What all of them have in common, and who may do what, is in [the REST API](api.md).\n",
    ]
    nouns: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            noun = (operation.get("tags") or [_noun(path)])[0]
            nouns.setdefault(noun, []).append(_operation(method, path, operation))
    for noun, rows in sorted(nouns.items()):
        lines += [
            f"## {noun}\n",
            "| operation | what it does | parameters | answers |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    return "\n".join(lines)


def _noun(path: str) -> str:
    return path.strip("/").partition("/")[0]


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    said = " ".join((operation.get("description") or operation.get("summary", "")).split()).replace("|", "\\|")
    named = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
    good = [_answer(code, each) for code, each in operation["responses"].items() if code.startswith("2")]
    body = "a body" if "requestBody" in operation else ""
    parameters = ", ".join([*(f"`{each}`" for each in named), *([body] if body else [])])
    return f"| `{method.upper()} {path}` | {said} | {parameters} | {', '.join(good)} |"


def _answer(code: str, response: dict[str, Any]) -> str:
    """Return a status with the names of what is answered with it, as the document's schemas have them."""
    schema: dict[str, Any] = next((each.get("schema", {}) for each in response.get("content", {}).values()), {})
    listed = schema.get("properties", {}).get("items", {}).get("items", {})
    found = _names(listed or schema)
    return f"{code}{': ' if found else ''}{'a page of ' if listed and found else ''}{found}"


def _names(schema: dict[str, Any]) -> str:
    """Return the names of schemas that a schema is made of, and nothing of what stands in its properties."""
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    one_of = " or ".join(filter(None, map(_names, schema.get("anyOf", ()))))
    return " + ".join(filter(None, [one_of, *map(_names, schema.get("allOf", ()))]))
