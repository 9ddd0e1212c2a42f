import re
from pathlib import Path

from bothways.spoke.check.advice import advice, link

ROOT = Path(__file__).parents[3]


def test_every_finding_that_a_check_can_give_has_a_cause_and_a_command_of_its_own() -> None:
    pattern = r'"((?:CHECK|INSTALL|PROBE)-(?:[A-Z]+-)?\d\d|SPOKE-[A-Z]+)"'
    folders = ("spoke", "connectivity", "pki")
    sources = [each.read_text() for name in folders for each in (ROOT / "src" / "bothways" / name).rglob("*.py")]
    used = {each for text in sources for each in re.findall(pattern, text)}
    unknown = advice("NOTHING-01")
    assert [each for each in sorted(used) if advice(each) == unknown] == []


def test_each_alert_is_a_finding_of_its_own() -> None:
    assert advice("CHECK-ALERT-44").cause.startswith("certificate_revoked: ")
    assert "spoke csr" in advice("CHECK-ALERT-45").command
    assert advice("CHECK-ALERT-99").cause != advice("CHECK-ALERT-44").cause


def test_links_lead_to_the_page_that_has_the_finding() -> None:
    pages = {each: (ROOT / link(each).partition("#")[0]).read_text() for each in ("CHECK-DNS-01", "PROBE-NAME-01")}
    assert all(f"`{each}`" in page for each, page in pages.items())
    assert '<a id="check-dns-01"></a>' in pages["CHECK-DNS-01"]
