import pytest

from bothways.operations.hub import Hub, contract
from bothways.reference.stacks import stack_pages
from bothways.spoke.snippet import Stack


@pytest.fixture
def pages(hub: Hub) -> dict[str, str]:
    return stack_pages(contract(hub))


def test_each_stack_that_the_command_prints_has_a_page(pages: dict[str, str]) -> None:
    assert sorted(pages) == sorted(f"howto-{each.value}.md" for each in Stack)


def test_no_page_has_a_certificate_of_a_hub_that_is_gone(pages: dict[str, str]) -> None:
    assert [name for name, page in pages.items() if "BEGIN CERTIFICATE" in page] == []
    assert "(CERTIFICATES OF THE CONTRACT)" in pages["howto-envoy.md"]


def test_a_page_has_the_text_of_the_command_and_says_what_to_do_with_it(pages: dict[str, str]) -> None:
    page = pages["howto-nginx.md"]
    assert page.startswith("# With nginx\n")
    assert "bothways spoke config nginx --directory /etc/bothways" in page
    assert "set $hub" in page
    assert "bothways spoke renew --hook 'nginx -s reload'" in page
