import json
import posixpath
import re
import subprocess
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.programs import require

from bothways.errors import NotFound
from bothways.manual.filling import Names
from bothways.manual.search import index
from bothways.manual.site import SEARCH, Site, media_type

SITE = Site()
PATHS = set(SITE.paths())
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
OWN = Site(Names("https://api.bank-hub.test:9443", "https://portal.bank-hub.test", "bank-hub.test", "87654321"), "PRD")


class Links(HTMLParser):
    """What an HTML page leads to and loads, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.bare: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.links += [value for name in ("href", "src", "action") if (value := values.get(name))]
        if name := values.get("id"):
            self.anchors.append(name)
        if tag == "img" and values.get("alt") is None:
            self.bare.append(values.get("src") or "")


PAGES = sorted(each for each in PATHS if each.endswith(".html"))


@cache
def page_of(path: str) -> Links:
    """Return what a page leads to; it is read for a test that asks, for each process of the tests imports all files."""
    return Links(SITE.content(path).decode())


@pytest.mark.parametrize("path", PAGES)
def test_each_link_and_anchor_of_a_page_resolves(path: str) -> None:
    broken = []
    for link in page_of(path).links:
        if link.startswith(("https://", "http://")):
            continue
        to, _, anchor = link.partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), to)) if to else path
        if target not in PATHS or (anchor and target in PAGES and anchor not in page_of(target).anchors):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("path", PAGES)
def test_anchors_of_a_page_are_unique_images_have_words_and_nothing_is_loaded_from_elsewhere(path: str) -> None:
    page, text = page_of(path), SITE.content(path).decode()
    assert sorted(page.anchors) == sorted(set(page.anchors))
    assert page.bare == []
    assert re.findall(r"(?:src|srcset)=\"(?:https?:)?//", text) == []
    assert re.findall(r"<link [^>]*href=\"(?:https?:)?//", text) == []


@pytest.mark.parametrize("path", sorted(each for each in PATHS if each.endswith((".md", ".txt"))))
def test_each_link_of_the_markdown_resolves(path: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", CODE.sub("", SITE.content(path).decode()))
    inner = [each.partition("#")[0] for each in links if not each.startswith(("https://", "http://"))]
    assert [each for each in inner if each and each not in PATHS] == []


@pytest.mark.parametrize("path", [each for each in PAGES if each != SEARCH])
def test_each_page_says_where_its_markdown_is(path: str) -> None:
    text = SITE.content(path).decode()
    assert f'<link rel="alternate" type="text/markdown" href="{path}.md"' in text
    assert f'This page as Markdown: <a href="{path}.md">' in text
    assert SITE.content(f"{path}.md").startswith(b"# ")


def test_llms_txt_follows_the_public_format() -> None:
    """llmstxt.org: one H1, a quote that sums it up, prose, then H2 sections that hold lists of links alone."""
    head, *sections = SITE.content("llms.txt").decode().split("\n## ")
    assert re.fullmatch(r"# \S.*\n\n> \S.*\n\n\S.*\n", head)
    assert len(sections) > 5
    for section in sections:
        title, _, rest = section.partition("\n\n")
        assert title.strip()
        assert [
            line for line in rest.strip().splitlines() if not re.fullmatch(r"- \[[^\]]+\]\([^)\s]+\.md\): \S.*", line)
        ] == []


def test_llms_full_txt_has_every_page() -> None:
    text = SITE.content("llms-full.txt").decode()
    assert [each for each in PATHS if each.endswith(".html.md") and f"<!-- {each} -->" not in text] == []


def test_a_hubs_site_has_its_own_names_and_its_environment() -> None:
    page = OWN.content("est.html").decode()
    assert "https://api.bank-hub.test:9443/.well-known/est/simplereenroll" in page
    assert "bothways customer enrolment-password 87654321" in page
    assert "hub.example" not in page
    assert '<span class="environment PRD">PRD</span>' in page
    assert b"api.bank-hub.test:9443" in OWN.content("est.html.md")
    assert b"api.bank-hub.test:9443" in OWN.content("llms-full.txt")


def test_an_answer_is_shown_with_its_link_and_a_question_is_shown_as_text() -> None:
    found = OWN.found("CSR-KEY-03 <script>")
    assert '<a href="findings.html#csr-key-03">CSR-KEY-03</a>' in found
    assert "<script>" not in found
    assert "No page has a word of “zebra”" in OWN.found("zebra")


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(NotFound, match=r"no 'nothing\.html'"):
        SITE.content("nothing.html")


@pytest.mark.parametrize(
    ("path", "kind"),
    [("a.html", "text/html"), ("a.html.md", "text/markdown"), ("examples/Containerfile", "text/plain")],
)
def test_media_types_follow_the_name(path: str, kind: str) -> None:
    assert media_type(path).startswith(kind)


def test_the_script_of_the_site_finds_what_the_search_finds(tmp_path: Path) -> None:
    require("node")
    questions = [
        "how do I renew my certificate",
        "CSR-KEY-03",
        "constructor of revoked keys",
        "listen.portal_port",
        "zebra",
    ]
    program = tmp_path / "run.js"
    program.write_text(
        "globalThis.window = globalThis; globalThis.location = { search: '' };\n"
        + SITE.content("search.js").decode()
        + SITE.content("ask.js").decode()
        + f"\nconsole.log(JSON.stringify({json.dumps(questions)}.map((each) => ask(each, window.bothwaysIndex, 10)"
        + ".map((number) => window.bothwaysIndex.passages[number].address))));\n"
    )
    done = subprocess.run(["node", program], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == [
        [each.passage.address for each in index().ask(question, 10)] for question in questions
    ]


def test_drawings_say_in_words_what_they_show_in_both_schemes() -> None:
    for path in ("flows.svg", "states.svg", "trust.svg"):
        drawing = SITE.content(path).decode()
        assert re.search(
            r'role="img" aria-labelledby="t d">\n<title id="t">\S.*</title>\n<desc id="d">\S.{80,}</desc>', drawing
        )
        assert "@media (prefers-color-scheme: dark)" in drawing
