import pytest

from bothways.web.api.paging import page


@pytest.mark.parametrize(
    ("found", "items", "following"), [([], [], None), ([1, 2], [1, 2], None), ([1, 2, 3], [1, 2], 2)]
)
def test_one_item_more_than_the_limit_means_another_page(
    found: list[int], items: list[int], following: int | None
) -> None:
    answer = page(found, 2, lambda each: each, lambda each: {"id": each})
    assert answer == {"items": [{"id": each} for each in items], "next": following}
