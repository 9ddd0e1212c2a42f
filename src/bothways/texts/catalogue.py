"""Every text of the pages, in one catalogue per language (`en.toml`): templates and pages name it, this says it.

A text is named by its English words, as in gettext. A translation is a copy of the catalogue with other values.
`texts` are the pages' own; `sentences` are the hub's, which API and command line say in English: see `sentences`.
"""

import tomllib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from bothways.texts.sentences import Sentences

LANGUAGE = "en"


@cache
def catalogue(language: str = LANGUAGE) -> dict[str, dict[str, str]]:
    """Return the catalogue of a language: `texts` and `sentences`, each with its words by the English ones."""
    found: dict[str, dict[str, str]] = tomllib.loads(
        files("bothways.texts").joinpath(f"{language}.toml").read_text("utf-8")
    )
    return found


def worded(text: str) -> str:
    """Return the words of a text. Raises `KeyError` if the catalogue has none: a test finds it before people do."""
    return catalogue()["texts"][text]


def said(sentence: str) -> str:
    """Return the words of a sentence of the hub, with what is put in; what it does not know is returned as it is."""
    return _sentences().said(sentence)


@cache
def _sentences() -> Sentences:
    return Sentences(catalogue()["sentences"])


def worded_templates(package: str) -> Environment:
    """Return the templates of a package, whose texts are the catalogue's; what is no HTML is escaped in them."""
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(worded, _plural, newstyle=True)  # type: ignore[attr-defined]
    return environment


def _plural(one: str, many: str, number: int) -> str:
    return worded(one if number == 1 else many)
