import pytest
from tests.web.conftest import applied

from bothways.cli import remote
from bothways.operations.hub import Hub
from bothways.web.api import paging
from bothways.web.api.answers import ANSWERS
from bothways.web.api.described import PREFIX
from bothways.web.api.paging import page
from bothways.web.portal import portal_app

# Lists that are whole, and what keeps each short.
WHOLE = {
    "/authorities": "a CA lasts for years",
    "/customers/{tsp_id}/contacts": "people put each of them there",
    "/customers/{tsp_id}/outbound-credentials": "a customer's CA signs one after the other",
    "/customers/{tsp_id}/probes": "eleven are kept",
    "/hub/contacts": "people put each of them there",
    "/nodes": "each is a machine",
    "/services": "each is a program of the hub",
}


def test_every_list_that_grows_with_customers_or_time_has_pages(hub: Hub) -> None:
    paths = portal_app(hub, applied).openapi()["paths"]
    lists = [
        path for (method, path), each in ANSWERS.items() if method == "GET" and "items" in each.get("properties", {})
    ]
    paged = []
    for path in lists:
        limits = {each["name"]: each["schema"] for each in paths[PREFIX + path]["get"].get("parameters", ())}
        if {"after", "limit"} <= limits.keys():
            assert limits["limit"]["maximum"] <= paging.PLAIN_MOST, path
            paged.append(path)
    assert sorted({*lists} - {*paged}) == sorted(WHOLE)


def test_the_command_line_asks_for_the_longest_pages() -> None:
    assert (remote.PAGE, remote.PLAIN_MOST) == (paging.LIMIT_MOST, paging.PLAIN_MOST)


@pytest.mark.parametrize(
    ("found", "items", "following"), [([], [], None), ([1, 2], [1, 2], None), ([1, 2, 3], [1, 2], 2)]
)
def test_one_item_more_than_the_limit_means_another_page(
    found: list[int], items: list[int], following: int | None
) -> None:
    answer = page(found, 2, lambda each: each, lambda each: {"id": each})
    assert answer == {"items": [{"id": each} for each in items], "next": following}
