"""A text has the words that the catalogue gives it, in code and in templates."""

import pytest
from jinja2 import Environment

from bothways.texts import catalogue


def test_a_text_is_worded_as_the_catalogue_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert catalogue.worded("Sign in") == "Sign in"
    texts = {"Sign in": "Anmelden", "%(num)s <b>": "%(num)s & <b>"}
    monkeypatch.setattr(catalogue, "catalogue", lambda: {"texts": texts})
    templates: Environment = catalogue.worded_templates("bothways.web.pages")
    assert templates.from_string('{{ _("Sign in") }}').render() == "Anmelden"
    # The catalogue is ours and may have marks; what is put in is a stranger's.
    assert templates.from_string('{{ _("%(num)s <b>", num="<i>") }}').render() == "&lt;i&gt; & <b>"


def test_what_the_catalogue_does_not_have_is_said_by_nobody() -> None:
    with pytest.raises(KeyError):
        catalogue.worded("Nobody says this")


def test_a_sentence_of_the_hub_is_said_as_the_catalogue_says_and_another_as_it_is() -> None:
    assert catalogue.said("the name a.example does not exist in DNS, or has no address").startswith(
        "the name a.example"
    )
    assert catalogue.said("nobody here says this") == "nobody here says this"
