"""What the documentation names is there."""

import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from bothways.contract.document import Contract, Environment, RequestTerms, Software, Terms, Trust
from bothways.contract.render import render_contract
from bothways.manual.library import prose
from bothways.manual.passages import anchor, numbered, row_name
from bothways.pki import anchors
from bothways.pki.proof import PROOF
from bothways.pki.rules import RULES
from bothways.reference.commands import commands
from bothways.reference.findings import PAGES, explained
from bothways.reference.settings import ENVIRONMENT, hub_settings
from bothways.spoke.check.advice import CAUSES
from bothways.store import schema, schema_observations
from bothways.store.audit_actions import ACTIONS

ROOT = Path(__file__).parent.parent
ATTACKS = (ROOT / "docs" / "attacks.md").read_text()


def named_tests() -> list[tuple[str, str]]:
    """Return each test file that the page names, with the test in it, or an empty name for all of them."""
    named, file = [], ""
    for match in re.finditer(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", ATTACKS):
        file = match[1] or file
        if match[1] or match[2]:
            named.append((file, match[2] or ""))
    return named


@pytest.mark.parametrize(("file", "test"), named_tests())
def test_each_attack_names_a_test_that_is_there(file: str, test: str) -> None:
    assert f"def {test or 'test_'}" in (ROOT / file).read_text()


CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
PROSE = ("README.md", "CONTRIBUTING.md", "SECURITY.md", *(f"docs/{each.name}" for each in (ROOT / "docs").glob("*.md")))


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings and of the rows of its tables."""
    text, taken = page.read_text(), dict[str, int]()
    headings = [line.lstrip("#") for _, line in prose(text) if re.match(r"#{1,6} ", line)]
    rows = [name for _, line in prose(text) if (name := row_name(line))]
    return {numbered(anchor(each.strip()), taken) for each in [*headings, *rows]}


@pytest.mark.parametrize("page", PROSE)
def test_each_link_in_the_sources_resolves_with_its_anchor(page: str) -> None:
    """Those of the site are looked at in `tests/manual/test_site.py`."""
    broken = []
    for link, place in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)", CODE.sub("", (ROOT / page).read_text())):
        target = (ROOT / page).parent / link if link else ROOT / page
        if not target.exists() or (place and place not in anchors_of(target)):
            broken.append(f"{link}#{place}")
    assert broken == []


def test_the_pages_of_findings_have_each_id_of_the_code_and_no_other() -> None:
    listed = [each.id for page in PAGES for each in explained(page, (ROOT / "docs" / f"{page}.md").read_text())]
    code = [path.read_text() for path in (ROOT / "src").rglob("*.py")]
    used = {each for text in code for each in re.findall(r'"((?:[A-Z]{2,}-)+(?:[A-Z]{2,}[A-Z0-9]*|\d\d))"', text)}
    used -= {"UTF-16"}
    # Those of alerts are made of their numbers. What others begin with stands alone where they are put together.
    used |= set(CAUSES)
    used -= {each for each in used if any(other.startswith(f"{each}-") for other in used | set(listed))}
    assert sorted(used) == sorted(listed)


def test_the_page_of_findings_names_the_levels_of_the_rules() -> None:
    page = (ROOT / "docs" / "findings.md").read_text()
    rules = {rule.id: rule.level for rule in RULES} | {rule.id: rule.level for rule in PROOF}
    rules |= {rule.id: rule.level for rule in anchors.RULES}
    assert [id_ for id_, level in rules.items() if f"| `{id_}` | {level.value} |" not in page] == []


def contract_settings() -> set[str]:
    terms = Terms(Environment.PPR, "hub.example", "https://api.hub.example", "https://portal.hub.example")
    # What is written only where it is not as always.
    request = RequestTerms(ecdsa_marker="EC", rsa_marker="R")
    terms = replace(terms, request=request, software=Software.OTHER)
    written = tomllib.loads(render_contract(Contract(terms, Trust("a", "b", "c"))))
    return {
        f"{name}.{key}" if isinstance(value, dict) else name
        for name, value in written.items()
        for key in (value if isinstance(value, dict) else [""])
    }


CONTRACT = contract_settings()


def test_the_page_of_the_contract_has_each_setting_and_no_other() -> None:
    listed = re.findall(r"^\| `([a-z_.]+)` \|", (ROOT / "docs" / "contract.md").read_text(), flags=re.MULTILINE)
    assert sorted(listed) == sorted(CONTRACT)


def test_the_page_of_the_check_has_each_finding_of_the_spoke_with_its_cause() -> None:
    page = (ROOT / "docs" / "check.md").read_text()
    listed = re.findall(r'^\| <a id="[a-z0-9-]+"></a>`([A-Z0-9-]+)` \|', page, flags=re.MULTILINE)
    assert sorted(listed) == sorted(each for each in CAUSES if not each.startswith("PROBE-"))
    assert [each for each in listed if f"| {CAUSES[each].cause} |" not in page] == []


OPTIONS = {
    words: {name for argument in command.assemble_argument_collection() for name in argument.names}
    for words, command in commands()
}
COMMANDS = set(OPTIONS)


@pytest.mark.parametrize("page", PROSE)
def test_each_command_that_a_page_names_is_there(page: str) -> None:
    text = (ROOT / page).read_text()
    code = re.findall(r"```[^\n]*\n(.*?)```|`([^`\n]+)`", text, flags=re.DOTALL)
    named = re.findall(r"(?<![\w./-])bothways ((?:[a-z][a-z-]* ?)+)", "\n".join(block or span for block, span in code))
    groups = {command.rpartition(" ")[0] for command in COMMANDS} | {command.partition(" ")[0] for command in COMMANDS}
    wrong = [each for each in named if not _is_command(each.split(), groups)]
    assert wrong == []


@pytest.mark.parametrize("page", PROSE)
def test_each_option_that_a_page_gives_a_command_is_one_of_it(page: str) -> None:
    text = re.sub(r"\\\n", " ", (ROOT / page).read_text())
    code = re.findall(r"```[^\n]*\n(.*?)```|`([^`\n]+)`", text, flags=re.DOTALL)
    wrong = []
    for line in "\n".join(block or span for block, span in code).splitlines():
        for words, rest in re.findall(r"(?<![\w./-])bothways ((?:[a-z][a-z-]* ?)+)([^|#;]*)", line):
            begun = words.split()
            named = [" ".join(begun[:count]) for count in range(len(begun), 0, -1)]
            command = next((each for each in named if each in OPTIONS), None)
            given = re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", rest)
            wrong += [(command, each) for each in given if command and each not in OPTIONS[command]]
    assert wrong == []


@pytest.mark.parametrize("page", PROSE)
def test_each_setting_that_a_page_names_is_there(page: str) -> None:
    settings = {*hub_settings(), *CONTRACT}
    # Files and actions of the audit are called like parts of a contract; `files.py` and `envoy.log` are files too.
    parts = "|".join(sorted({each.partition(".")[0] for each in hub_settings()}))
    named = re.findall(rf"`((?:{parts})\.(?!py`|log`)[a-z_]+)(?: = [^`]*)?`", (ROOT / page).read_text())
    assert [each for each in named if each not in settings and each not in ACTIONS] == []


@pytest.mark.parametrize("page", PROSE)
def test_each_variable_of_the_environment_that_a_page_names_is_there(page: str) -> None:
    assert sorted(set(re.findall(r"\bBOTHWAYS_[A-Z0-9_]+", (ROOT / page).read_text())) - ENVIRONMENT.keys()) == []


def _is_command(words: list[str], groups: set[str]) -> bool:
    """Tell whether the words begin with a command, or are a group of commands and nothing else."""
    begun = [" ".join(words[:count]) for count in range(1, len(words) + 1)]
    return any(each in COMMANDS for each in begun) or " ".join(words) in groups


def test_the_page_of_what_is_stored_has_each_table_and_no_other() -> None:
    tables = {*schema.metadata.tables, *schema_observations.metadata.tables}
    rows = re.findall(r"^\| (`[a-z_`, ]+) \|", (ROOT / "docs" / "stored.md").read_text(), flags=re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`([a-z_]+)`", row)]
    assert sorted({*listed} - {"passphrase"}) == sorted(tables)


def test_the_page_of_standards_has_each_rfc_that_code_or_pages_name() -> None:
    texts = [
        path.read_text()
        for folder in ("src", "docs")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in {".py", ".md"}
    ]
    named = {each for text in texts for each in re.findall(r"\bRFC (\d{4})\b", text)}
    listed = set(re.findall(r"\bRFC (\d{4})\b", (ROOT / "docs" / "standards.md").read_text()))
    assert sorted(named - listed) == []


def test_no_word_is_misspelt() -> None:
    pages = [*PROSE, "docs/navigation.toml", *(f"changes/{each.name}" for each in (ROOT / "changes").glob("*.md"))]
    command = [sys.executable, "-m", "codespell_lib", *pages]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")
