from bothways.web.api.shapes import TEXT, list_of, or_null, page_of, said, shape


def test_an_object_has_what_is_named_and_may_have_more() -> None:
    assert shape({"b": TEXT}, a=TEXT) == {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
    }


def test_a_page_has_items_and_a_cursor() -> None:
    page = page_of(said(or_null(TEXT), "a text"))
    assert page["required"] == ["items", "next"]
    assert page["properties"]["items"] == list_of(
        {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "a text"}
    )
