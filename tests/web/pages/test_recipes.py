"""Each recipe is for this hub, and those that can be looked at here say what they have to."""

import json

from bothways.contract.document import Terms
from bothways.web.pages.recipes import first_call, recipes


def test_each_names_the_files_and_this_hub(terms: Terms) -> None:
    for each in recipes(terms):
        assert "tls.crt" in each.text
        assert terms.endpoint in each.text or each.name == "bothways"
        assert "{{" not in each.text
    assert first_call(terms).endswith(f"{terms.endpoint}/connectivity")


def test_the_python_of_the_recipe_compiles(terms: Terms) -> None:
    [text] = [each.text for each in recipes(terms) if each.name == "Python"]
    compile(text, "recipe", "exec")
    assert json.dumps(terms.endpoint)[1:-1] in text
