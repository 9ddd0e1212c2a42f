"""What is shown with an entity tag is decided about with it: what was read is what is changed, or nothing is."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import Response
from tests.web.api.conftest import Api
from tests.web.api.operations import OPERATIONS, Operation, Things, make_things
from tests.web.conftest import applied

from bothways.operations.hub import Hub
from bothways.web.api.described import DONE, PREFIX
from bothways.web.api.etag import matches, require_match, tag, tagged
from bothways.web.portal import portal_app
from bothways.web.problem import Told

ONE, OTHER = {"a": 1, "b": 2}, {"a": 1, "b": 3}
# What makes something new beside the thing, and changes nothing of it.
MAKES = (
    ("POST", "/customers/{tsp_id}/bundle"),
    ("POST", "/customers/{tsp_id}/contacts"),
    ("POST", "/customers/{tsp_id}/enrolment-password"),
    ("POST", "/customers/{tsp_id}/outbound-credentials"),
    ("POST", "/customers/{tsp_id}/probes"),
)
SHOWN = (
    "/certificates/{serial}",
    "/chains/{number}",
    "/customers/{tsp_id}",
    "/endpoints/{number}",
    "/people/{number}",
    "/requests/{number}",
    "/tokens/{number}",
)


def changes(shown: str) -> list[Operation]:
    """Return the operations that change what is shown at a path."""
    below = re.compile(re.escape(shown) + "(/[a-z-]+)?")
    found = [each for each in OPERATIONS if each[0] in {"POST", "DELETE"} and below.fullmatch(each[1])]
    return [each for each in found if each not in MAKES]


CHANGES = [(shown, each) for shown in SHOWN for each in changes(shown)]


@pytest.fixture
def things(hub: Hub, make_csr: Callable[..., bytes], make_ca: Callable[..., tuple[Any, Any]]) -> Things:
    """One of everything of a customer."""
    return make_things(hub, make_csr, make_ca)


def test_whatever_is_shown_alone_has_a_tag_and_is_changed_with_it(hub: Hub, api: Api, things: Things) -> None:
    named = [path for method, path in OPERATIONS if method == "GET" and re.search(r"\{[a-z_]+\}$", path)]
    assert sorted(named) == sorted(SHOWN)
    for path in SHOWN:
        assert api("GET", things.path(path), raw=True).headers["etag"], path
    paths = portal_app(hub, applied).openapi()["paths"]
    for _, (method, path) in CHANGES:
        parameters = paths[f"/api/v1{path}"][method.lower()]["parameters"]
        assert "if-match" in {each["name"] for each in parameters}, path


@pytest.mark.parametrize(("shown", "change"), CHANGES, ids=[f"{one[0]} {one[1]}" for _, one in CHANGES])
def test_the_tag_of_what_was_read_is_taken_and_another_is_412(
    api: Api, things: Things, shown: str, change: Operation
) -> None:
    method, body = change[0], things.body(OPERATIONS[change][0])
    read = api("GET", things.path(shown), raw=True).headers["etag"]
    refused = api(method, things.asked(change), body, 412, headers={"If-Match": '"another"'})
    assert "was changed since you read it" in refused["detail"]
    assert api("GET", things.path(shown), raw=True).headers["etag"] == read
    # The state of things may not allow it; but what was read is what is there.
    done = api(method, things.asked(change), body, None, headers={"If-Match": read}, raw=True)
    assert done.status_code in {200, 201, 409}, done.text


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


def test_the_document_names_the_headers_of_answers(hub: Hub) -> None:
    paths = portal_app(hub, applied).openapi()["paths"]
    tagged = {
        path.removeprefix(PREFIX)
        for path, methods in paths.items()
        if "ETag" in methods.get("get", {}).get("responses", {}).get("200", {}).get("headers", {})
    }
    assert tagged == {*SHOWN, "/customers/{tsp_id}/endpoint"}
    for path, methods in paths.items():
        for method, each in methods.items():
            if path.startswith(PREFIX):
                assert [*each["responses"]["429"]["headers"]] == ["Retry-After"]
                done = [each["responses"][status] for status in DONE & each["responses"].keys()]
                replayed = ["Idempotency-Replayed" in one.get("headers", {}) for one in done]
                assert replayed == [method != "get"], (method, path)
