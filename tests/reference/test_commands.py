import re
from functools import cache

from bothways.cli import exit as codes
from bothways.reference.commands import MEANINGS, commands, commands_page, exit_codes_page


@cache
def page() -> str:
    """Return the page; it is made for a test that asks, for each process of the tests imports all files."""
    return commands_page()


def test_every_command_is_on_the_page_with_its_options() -> None:
    named = [words for words, _ in commands()]
    assert len(named) > 60
    assert {"demo", "ask", "hub init", "hub authority add", "spoke bundle export"} <= set(named)
    assert [each for each in named if f"## `bothways {each}`" not in page()] == []


def test_a_command_is_shown_with_usage_choices_and_defaults() -> None:
    section = page().split("## `bothways spoke csr`")[1].split("\n## ")[0]
    kinds = "One of `bash`, `powershell`, `configuration`. | `bash` |"
    assert f"| `--shell` | With --openssl: where they are pasted, or the configuration file. {kinds}" in section
    section = page().split("## `bothways hub init`")[1].split("\n## ")[0]
    assert "bothways hub init --environment ENVIRONMENT --domain DOMAIN\n" in section
    assert re.search(r"\| `--domain` \| .* \| required \|", section)


def test_arguments_without_a_name_are_shown_in_capitals() -> None:
    assert "bothways certificate revoke SERIAL\n" in page().split("## `bothways certificate revoke`")[1]


def test_every_exit_code_is_on_its_page_with_the_errors_that_lead_to_it() -> None:
    shown = exit_codes_page()
    named = {name: value for name, value in vars(codes).items() if name.isupper() and isinstance(value, int)}
    assert sorted(named) == sorted(MEANINGS)
    assert [f"| `{code}` |" in shown for code in named.values()] == [True] * len(named)
    assert all(f"`{kind.__name__.lower()}`" in shown for kind in codes.CODES)
