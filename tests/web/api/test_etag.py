import pytest
from fastapi import Response

from bothways.web.api.etag import matches, require_match, tag, tagged
from bothways.web.problem import Told

ONE, OTHER = {"a": 1, "b": 2}, {"a": 1, "b": 3}


def test_a_tag_names_what_a_document_says() -> None:
    assert tag(ONE) == tag({"b": 2, "a": 1})
    assert tag(ONE) != tag(OTHER)
    response = Response()
    assert tagged(response, ONE) is ONE
    assert response.headers["etag"] == tag(ONE)


@pytest.mark.parametrize("header", [tag(ONE), f'"x", {tag(ONE)}', "*"])
def test_what_was_read_is_matched(header: str) -> None:
    require_match(header, ONE)
    require_match(None, ONE)


@pytest.mark.parametrize("header", [tag(OTHER), f"W/{tag(ONE)}", "", '"x"'])
def test_what_is_something_else_is_412(header: str) -> None:
    assert not matches(header, ONE)
    with pytest.raises(Told) as told:
        require_match(header, ONE)
    assert told.value.status_code == 412
