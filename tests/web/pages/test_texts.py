"""Every text of every page stands in the catalogue, and nothing else does."""

import re
from pathlib import Path

from bothways.web.pages import texts


def test_the_catalogue_has_the_texts_that_templates_name_and_no_others() -> None:
    # If this fails: make texts
    assert tuple(texts.texts()) == texts.named()
    assert Path(texts.__file__).with_name("texts").joinpath("en.toml").read_text() == texts.catalogue()


def test_a_text_is_worded_as_the_catalogue_says() -> None:
    assert texts.worded("Sign in") == "Sign in"


def test_templates_say_nothing_that_is_not_in_the_catalogue() -> None:
    outside = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}|<pre.*?</pre>|<[^>]*>", re.DOTALL)
    for template in Path(texts.__file__).with_name("templates").glob("*.html"):
        said = outside.sub(" ", template.read_text())
        words = set(re.findall(r"[A-Za-z]{2,}", said)) - {
            "TCP",
            "UTC",
            "contract",
            "toml",
            "SHA",
            "doctype",
            "html",
            "narrow",
        }
        assert not words, f"{template.name}: {words}"
