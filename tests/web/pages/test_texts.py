"""Every text of every page stands in the catalogue, and nothing else does."""

import ast
import re
from pathlib import Path

from bothways.web.pages import texts

PAGES = Path(texts.__file__).parent


def test_the_catalogue_has_the_texts_that_templates_name_and_no_others() -> None:
    # If this fails: make texts
    assert tuple(texts.texts()) == texts.named()
    assert Path(texts.__file__).with_name("texts").joinpath("en.toml").read_text() == texts.catalogue()


def test_a_text_is_worded_as_the_catalogue_says() -> None:
    assert texts.worded("Sign in") == "Sign in"


def test_templates_say_nothing_that_is_not_in_the_catalogue() -> None:
    outside = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}|<pre.*?</pre>|<[^>]*>", re.DOTALL)
    for template in PAGES.joinpath("templates").glob("*.html"):
        said = outside.sub(" ", template.read_text())
        words = set(re.findall(r"[A-Za-z]{2,}", said)) - {"TCP", "contract", "toml", "doctype", "html", "narrow"}
        assert not words, f"{template.name}: {words}"


def test_attributes_that_people_read_or_hear_are_in_the_catalogue() -> None:
    read = re.compile(r'(?<![-\w])(?:aria-label|title|alt|placeholder|data-label|data-copied)="([^"]*)"')
    examples = {"FR", "ci-first-bank", "https://callbacks.bank.example"}
    for template in PAGES.joinpath("templates").glob("*.html"):
        for value in read.findall(template.read_text()):
            plain = re.sub(r"{{.*?}}|-----BEGIN .*?-----", "", value)
            assert not re.search(r"[A-Za-z]{2,}", plain) or value in examples, f"{template.name}: {value}"


def test_the_code_of_pages_says_nothing_that_is_not_in_the_catalogue() -> None:
    # Errors are the hub's own words, the same in API and command line; how one signed in is a fact of the audit.
    facts = {"password and code", "OpenID provider"}
    for source in PAGES.glob("*.py"):
        tree = ast.parse(source.read_text())
        apart = [each for each in ast.walk(tree) if isinstance(each, ast.Raise | ast.Expr) or _is_worded(each)]
        left = {id(part) for each in apart if not _is_statement(each) for part in ast.walk(each)}
        for each in ast.walk(tree):
            if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in left:
                text = re.sub(r"\b(bothways|curl) .*|<[^>]*>", "", each.value)
                assert not re.search(r"[A-Za-z]{2,} [A-Za-z]", text) or text in facts, f"{source.name}: {text}"


def _is_worded(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "worded"


def _is_statement(node: ast.AST) -> bool:
    """Tell whether this is a call by itself, and no docstring: what is said in it is looked at."""
    return isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
