"""`make texts`: bring what pages name and the hub says into the catalogue of texts, and take out what none does."""

import ast
import tomllib
from pathlib import Path

import tomli_w
from jinja2 import DictLoader, Environment

from bothways.reference.sentences import said_sentences
from bothways.texts.catalogue import LANGUAGE, worded

_PACKAGE = Path(__file__).parent.parent
PLACES = (_PACKAGE / "web" / "pages", _PACKAGE / "manual")
"""Whose templates and code say what the catalogue has: the portal, and the site of the documentation."""

_CATALOGUES = _PACKAGE / "texts"


def named() -> tuple[str, ...]:
    """Return every text that the templates and the code of the pages name, in order."""
    environment = Environment(loader=DictLoader({}), extensions=["jinja2.ext.i18n"], autoescape=True)
    found: set[str] = set()
    for place in PLACES:
        for template in place.joinpath("templates").glob("*.html"):
            source = template.read_text(encoding="utf-8")
            for _, _, message in environment.extract_translations(source):  # type: ignore[attr-defined]
                # With values to put in, the text comes first; with a number, that of one and that of many.
                said = (message,) if isinstance(message, str) else message
                found.update(each for each in said if each is not None)
        for code in place.glob("*.py"):
            found |= _in_code(code.read_text(encoding="utf-8"))
    return tuple(sorted(found))


def _in_code(source: str) -> set[str]:
    """Return what code gives to `worded`."""
    calls = [each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Call)]
    said = [each.args[0] for each in calls if isinstance(each.func, ast.Name) and each.func.id == worded.__name__]
    return {each.value for each in said if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def catalogue_text(language: str = LANGUAGE) -> str:
    """Return the catalogue of a language as TOML text, with what is new in it, and without what is said no more."""
    path = _CATALOGUES / f"{language}.toml"
    known = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    said = {"texts": named(), "sentences": said_sentences()}
    return tomli_w.dumps({part: {each: known.get(part, {}).get(each, each) for each in said[part]} for part in said})


if __name__ == "__main__":
    (_CATALOGUES / f"{LANGUAGE}.toml").write_text(catalogue_text(), encoding="utf-8")
