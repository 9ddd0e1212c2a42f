import re
import shutil
import subprocess
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bothways.bundle.page import CONTENT_SECURITY_POLICY, Recipient, instructions_page
from bothways.contract.document import Contract
from bothways.operations.hub import Hub, contract
from bothways.pki.keys import sha256 as digest

MADE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def published(hub: Hub) -> Contract:
    return contract(hub)


def page(published: Contract, organization: str = "Corner Shop & Söhne") -> str:
    return instructions_page(published, digest(b"contract"), Recipient("12345678", organization), MADE)


class Elements(HTMLParser):
    """Collects the elements of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))


def test_it_says_for_whom_it_is_and_what_to_compare(published: Contract) -> None:
    text = page(published)
    assert "PPR · pre-production" in text
    assert "Corner Shop &amp; Söhne" in text
    assert "TLSMA-ECDSA/12345678/PPR" in text
    shown = re.sub(r"\s", "", text)
    assert digest(b"contract") in shown
    assert published.trust.bundle_pin in shown


def test_a_strict_policy_holds_for_it(published: Contract) -> None:
    text = page(published)
    elements = Elements(text).found
    assert {tag for tag, _ in elements}.isdisjoint({"script", "link", "img", "iframe", "form", "base", "object"})
    names = {name for _, attributes in elements for name in attributes}
    assert names <= {"lang", "charset", "name", "content", "http-equiv", "class"}
    [style] = re.findall(r"<style>(.*?)</style>", text, flags=re.DOTALL)
    assert b64encode(sha256(style.encode()).digest()).decode() in CONTENT_SECURITY_POLICY
    assert "url(" not in style
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert [each["content"] for _, each in elements if "http-equiv" in each] == [CONTENT_SECURITY_POLICY]


def test_what_a_customer_is_called_is_no_markup_and_no_command(published: Contract) -> None:
    text = page(published, "<script>alert(1)</script> $(reboot) ' \"")
    assert "<script" not in text
    assert "--organization &#x27;&lt;script&gt;alert(1)&lt;/script&gt; $(reboot) " in text


def test_it_prints_on_a4_and_nothing_is_cut_off(published: Contract, tmp_path: Path) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not on PATH")
    (tmp_path / "page.html").write_text(page(published))
    pdf = tmp_path / "page.pdf"
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run(
        [*command, f"--print-to-pdf={pdf}", str(tmp_path / "page.html")],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert "Content Security Policy" not in done.stderr
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf.read_bytes())
    assert 1 <= len(boxes) <= 4
    assert {(round(float(wide)), round(float(high))) for wide, high in boxes} == {(595, 842)}
