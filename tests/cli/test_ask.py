import json
import subprocess
import sys

from tests.cli.conftest import Run


def test_a_question_is_answered_with_passages_and_where_they_stand(bothways: Run) -> None:
    done = bothways("ask", "how", "do I renew my certificate")
    assert done.returncode == 0
    assert done.stdout.startswith("Renewal of a customer's certificate\n  ")
    assert "\n  docs/renewal.md\n" in done.stdout
    assert "Next: bothways ask --page renewal" in done.stderr


def test_the_id_of_a_finding_is_enough_and_json_has_the_whole_passage(bothways: Run) -> None:
    [answer] = json.loads(bothways("ask", "CSR-KEY-01", "--answers", 1, "--json").stdout)
    assert (answer["page"], answer["heading"], answer["source"]) == (
        "Findings",
        "CSR-KEY-01",
        "docs/findings.md#csr-key-01",
    )
    assert "make a new key" in answer["text"]


def test_a_page_is_printed_whole(bothways: Run) -> None:
    done = bothways("ask", "--page", "docs/glossary.md#x")
    assert done.stdout.startswith("# Glossary\n")
    assert json.loads(bothways("ask", "--page", "glossary", "--json").stdout)["page"] == "glossary"


def test_what_no_page_knows_is_told(bothways: Run) -> None:
    done = bothways("ask", "zebra")
    assert (done.returncode, done.stdout.strip()) == (1, "")
    assert "No page has a word of 'zebra'" in done.stderr


def test_without_a_question_the_use_is_told(bothways: Run) -> None:
    assert bothways("ask").returncode == 2
    assert bothways("ask", "x", "--answers", 0).returncode == 2
    assert bothways("ask", "--page", "nothing").returncode == 2


def test_it_needs_nothing_that_a_customer_has_not_installed() -> None:
    program = (
        "import sys; from bothways.cli.application import app; app(['ask', 'ttl'], result_action='return_value'); "
        "print(sorted({'jinja2', 'markdown_it', 'sqlalchemy', 'fastapi', 'cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.rstrip().endswith("[]")
