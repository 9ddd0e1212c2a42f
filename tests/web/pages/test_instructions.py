"""The page of instructions: for whom it is, what it has to compare, its strict policy, and that it prints on A4."""

import html
import re
import subprocess
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.programs import require

from bothways.bundle import seal
from bothways.contract.render import render_contract
from bothways.errors import NotFound
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub, contract
from bothways.pki.keys import sha256 as digest
from bothways.registry.customer import CustomerKind
from bothways.web.pages.instructions import enclosed, instructions, policy

SHOP = "87654321"


def page(hub: Hub, organization: str = "Corner Shop & Söhne") -> str:
    add_customer(hub, SHOP, CustomerKind.MERCHANT, organization)
    return instructions(hub, SHOP)


class Elements(HTMLParser):
    """Collects the elements of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))


def test_it_says_for_whom_it_is_and_what_to_compare(hub: Hub) -> None:
    text, published = page(hub), contract(hub)
    assert "PPR · pre-production" in text
    assert "Corner Shop &amp; Söhne" in text
    assert f"TLSMA-ECDSA/{SHOP}/PPR" in text
    shown = re.sub(r"\s", "", text)
    assert digest(render_contract(published).encode()) in shown
    assert published.trust.bundle_pin in shown


def test_a_strict_policy_holds_for_it(hub: Hub) -> None:
    text, allowed = page(hub), policy(hub.terms)
    elements = Elements(text).found
    assert {tag for tag, _ in elements}.isdisjoint({"script", "link", "img", "iframe", "base", "object", "a"})
    names = {name for _, attributes in elements for name in attributes}
    form = {"action", "method", "role", "for", "id", "type", "maxlength"}
    assert names <= {"lang", "charset", "name", "content", "http-equiv", "class", "scope", "datetime"} | form
    [style] = re.findall(r"<style>(.*?)</style>", text, flags=re.DOTALL)
    assert b64encode(sha256(style.encode()).digest()).decode() in allowed
    assert "url(" not in style
    assert "unsafe" not in allowed
    assert [each["content"] for _, each in elements if "http-equiv" in each] == [allowed]


def test_the_documentation_can_be_asked_from_it_on_a_screen_and_from_paper(hub: Hub) -> None:
    text = page(hub)
    asked = [attributes["action"] for tag, attributes in Elements(text).found if tag == "form"]
    assert asked == [f"{hub.terms.portal}/docs/search.html"]
    assert policy(hub.terms).endswith(f"form-action {hub.terms.portal}")
    said = html.unescape(re.sub(r"<[^>]+>", "", text))
    assert f'at {hub.terms.portal}/docs/, or without a network by bothways ask "QUESTION".' in said


def test_what_a_customer_is_called_is_no_markup_and_no_command(hub: Hub) -> None:
    text = page(hub, "<script>alert(1)</script> $(reboot) ' \"")
    assert "<script" not in text
    assert "--organization &#39;&lt;script&gt;alert(1)&lt;/script&gt; $(reboot) " in text


def test_a_bundle_has_it_with_the_configurations(hub: Hub) -> None:
    text = page(hub)
    made = enclosed(hub, SHOP)
    assert {*made} == {seal.INSTRUCTIONS, seal.NGINX, seal.CURL, seal.OPENSSL}
    sent, moment = made[seal.INSTRUCTIONS].decode(), re.compile(r"<time .*?</time>")
    assert moment.sub("", sent) == moment.sub("", text)
    with pytest.raises(NotFound):
        enclosed(hub, "11111111")


def test_it_prints_on_a4_and_nothing_is_cut_off(hub: Hub, tmp_path: Path) -> None:
    require("chromium")
    (tmp_path / "page.html").write_text(page(hub))
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
