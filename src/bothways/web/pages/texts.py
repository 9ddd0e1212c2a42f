"""Every text of the pages, in one catalogue per language (`texts/en.toml`): templates and pages name it, this says it.

A text is named by its English words, as in gettext. A translation is a copy of the catalogue with other values.
"""

import ast
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

import tomli_w
from jinja2 import DictLoader, Environment

LANGUAGE = "en"
_PLACE = files("bothways.web.pages")


@cache
def texts(language: str = LANGUAGE) -> dict[str, str]:
    """Return the catalogue of a language: what stands for each text of the templates."""
    found: dict[str, str] = tomllib.loads(_PLACE.joinpath("texts", f"{language}.toml").read_text("utf-8"))["texts"]
    return found


def worded(text: str) -> str:
    """Return the words of a text. Raises `KeyError` if the catalogue has none: a test finds it before people do."""
    return texts()[text]


def named() -> tuple[str, ...]:
    """Return every text that the templates and the code of the pages name, in order."""
    places = sorted(_PLACE.joinpath("templates").iterdir(), key=lambda each: each.name)
    sources = {each.name: each.read_text(encoding="utf-8") for each in places}
    environment = Environment(loader=DictLoader(sources), extensions=["jinja2.ext.i18n"], autoescape=True)
    found: dict[str, None] = {}
    for source in sources.values():
        for _, _, message in environment.extract_translations(source):  # type: ignore[attr-defined]
            # With values to put in, the text comes first.
            found[message if isinstance(message, str) else message[0]] = None
    return tuple(sorted(found.keys() | _in_code()))


def _in_code() -> set[str]:
    """Return what the code of the pages gives to `worded`."""
    sources = [each.read_text(encoding="utf-8") for each in _PLACE.iterdir() if each.name.endswith(".py")]
    calls = [each for source in sources for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Call)]
    said = [each.args[0] for each in calls if isinstance(each.func, ast.Name) and each.func.id == worded.__name__]
    return {each.value for each in said if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def catalogue(language: str = LANGUAGE) -> str:
    """Return the catalogue of a language as TOML text, with the texts that are new in it, and without those gone."""
    path = Path(str(_PLACE)) / "texts" / f"{language}.toml"
    known = tomllib.loads(path.read_text(encoding="utf-8"))["texts"] if path.exists() else {}
    return tomli_w.dumps({"texts": {each: known.get(each, each) for each in named()}})


if __name__ == "__main__":
    Path(str(_PLACE)).joinpath("texts", f"{LANGUAGE}.toml").write_text(catalogue(), encoding="utf-8")
