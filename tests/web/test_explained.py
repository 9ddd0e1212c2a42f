import re
from pathlib import Path

from tests.web.conftest import Ask, applied

from bothways.operations.hub import Hub
from bothways.web.explained import explanations
from bothways.web.portal import portal_app

SOURCE = Path(__file__).parents[2] / "src" / "bothways"


def test_the_type_of_a_problem_leads_to_its_explanation(hub: Hub, ask: Ask) -> None:
    app = portal_app(hub, applied)
    answer = ask(app, "GET", "/problems/CSR-KEY-01")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/markdown; charset=utf-8")
    assert answer.text.startswith("# CSR-KEY-01\n\n**level**: error\n\n**what is behind it**: another key than RSA")
    assert "**what to do**: make a new key" in answer.text
    assert ask(app, "GET", "/problems/CSR-KEY-99").status_code == 404


def test_a_browser_is_led_to_its_place_in_the_documentation(hub: Hub, ask: Ask) -> None:
    app = portal_app(hub, applied)
    for finding, place in (("CSR-KEY-01", "findings"), ("PROBE-NAME-01", "probe")):
        answer = ask(app, "GET", f"/problems/{finding}", {"Accept": "text/html,*/*;q=0.8"})
        path, _, fragment = answer.headers["location"].partition("#")
        assert (answer.status_code, path, answer.headers["vary"]) == (303, f"/docs/{place}.html", "Accept")
        assert f'id="{fragment}"' in ask(app, "GET", path).text


def test_each_finding_that_an_answer_may_name_is_explained() -> None:
    pattern = (
        r'"((?:CSR|CHAIN|CLIENT|CONTACT|CUSTOMER|ENDPOINT|EST|KEY|PERSON|SERVICE|TOKEN)-(?:[A-Z]+-\d\d|\d\d|ADDRESS))"'
    )
    folders = ("pki", "registry", "operations", "outbound", "web")
    code = [path.read_text() for folder in folders for path in (SOURCE / folder).rglob("*.py")]
    used = {each for text in code for each in re.findall(pattern, text)}
    assert len(used) > 60
    assert sorted(used - explanations().keys()) == []
