import re
from pathlib import Path

from bothways.reference.settings import ENVIRONMENT, MEANINGS, hub_settings, settings_page


def test_every_setting_has_a_meaning_and_no_other_has() -> None:
    """A new setting gets its meaning in `reference/settings.py`."""
    assert sorted(MEANINGS) == sorted(hub_settings())


def test_a_setting_is_shown_with_its_default() -> None:
    page = settings_page()
    assert "| `listen.inbound_port` | `8443` | its port: 443 in production" in page
    assert "| `outbound.scheduled_probes` | `true` |" in page
    assert "| `certificates.crl_url` | none |" in page


def test_every_variable_of_the_environment_that_the_code_names_has_a_meaning_and_no_other_has() -> None:
    source = Path(__file__).parents[2] / "src" / "bothways"
    code = "\n".join(each.read_text() for each in source.rglob("*.py") if each.parent.name != "reference")
    read = set(re.findall(r"\bBOTHWAYS_[A-Z0-9_]+", code))
    read |= set(re.findall(r"environb?(?:\.get\(|\[)\s*\"(\w+)\"", code)) | set(
        re.findall(r"\"(\w+)\" (?:not )?in os\.environ", code)
    )
    assert sorted(read) == sorted(ENVIRONMENT)
