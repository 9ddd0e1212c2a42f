"""Every text of every page stands in the catalogue, and nothing else does; what the hub says is in test_sentences."""

import ast
import re

from bothways.reference.sentences import said_sentences
from bothways.reference.texts import PLACES, catalogue_text, named
from bothways.texts.catalogue import LANGUAGE, catalogue

TEMPLATES = [each for place in PLACES for each in place.joinpath("templates").glob("*.html")]
# A command that is run by whoever makes the site, and the words that the search looks at.
CODE = [each for place in PLACES for each in place.glob("*.py") if each.name not in {"build.py", "search.py"}]
READ = re.compile(r'(?<![-\w])(?:aria-label|title|alt|placeholder|data-label|data-copied)="([^"]*)"')


def test_the_catalogue_has_what_templates_name_and_the_hub_says_and_nothing_else() -> None:
    # If this fails: make texts
    assert tuple(catalogue()["texts"]) == named()
    assert tuple(catalogue()["sentences"]) == said_sentences()
    assert (PLACES[1].parent / "texts" / f"{LANGUAGE}.toml").read_text() == catalogue_text()


def test_templates_say_nothing_that_is_not_in_the_catalogue() -> None:
    # Names, and what is typed: the same in every language.
    names = {"TCP", "contract", "toml", "doctype", "html", "narrow", "llms", "txt", "Bothways"}
    outside = re.compile(r"<code>bothways .*?</code>|{#.*?#}|{%.*?%}|{{.*?}}|<pre.*?</pre>|<[^>]*>", re.DOTALL)
    for template in TEMPLATES:
        said = outside.sub(" ", template.read_text())
        words = set(re.findall(r"[A-Za-z]{2,}", said)) - names
        assert not words, f"{template.name}: {words}"


def test_attributes_that_people_read_or_hear_are_in_the_catalogue() -> None:
    examples = {"FR", "ci-first-bank", "https://callbacks.bank.example", "llms.txt"}
    for template in TEMPLATES:
        for value in READ.findall(re.sub(r"{{.*?}}", "", template.read_text())):
            plain = re.sub(r"-----BEGIN .*?-----", "", value)
            assert not re.search(r"[A-Za-z]{2,}", plain) or value in examples, f"{template.name}: {value}"


def test_scripts_and_marks_that_code_writes_say_nothing_that_is_not_in_the_catalogue() -> None:
    sentence = re.compile(r"""(["'`])(?!use strict)(?:(?!\1).)*[A-Za-z]{2,} [A-Za-z](?:(?!\1).)*\1""")
    for script in [each for place in PLACES for each in place.joinpath("static").glob("*.js")]:
        assert not sentence.search(re.sub(r"//.*", "", script.read_text())), script.name
    for source in CODE:
        marked = [value for value in READ.findall(source.read_text()) if not value.startswith("{")]
        assert not any(re.search(r"[A-Za-z]{2,}", value) for value in marked), f"{source.name}: {marked}"


def test_the_code_of_pages_says_nothing_that_is_not_in_the_catalogue() -> None:
    # Errors are among the sentences of the hub; how one signed in is a fact of the audit.
    facts = {"password and code", "OpenID provider"}
    for source in CODE:
        tree = ast.parse(source.read_text())
        apart = [each for each in ast.walk(tree) if isinstance(each, ast.Raise | ast.Expr) or _is_worded(each)]
        left = {id(part) for each in apart if not _is_statement(each) for part in ast.walk(each)}
        for each in ast.walk(tree):
            if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in left:
                text = re.sub(r"\b(bothways|curl) .*|<[^>]*(?:>|$)", "", each.value)
                assert not re.search(r"[A-Za-z]{2,} [A-Za-z]", text) or text in facts, f"{source.name}: {text}"


def _is_worded(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "worded"


def _is_statement(node: ast.AST) -> bool:
    """Tell whether this is a call by itself, and no docstring: what is said in it is looked at."""
    return isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
