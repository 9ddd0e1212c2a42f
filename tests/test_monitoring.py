"""Alert rules and dashboard in `deploy/`: every metric in them is there, and each rule speaks when it has to."""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from tests.programs import needs

from bothways.cli.commands import ALONE, GROUPS
from bothways.cli.opening import control_text
from bothways.operations.hub import Hub

DEPLOY = Path(__file__).parent.parent / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yml"
BOARD = DEPLOY / "grafana" / "hub.json"
OF_PROMETHEUS = {"up"}
_LABELS = re.compile(r"\{[^}]*\}|\[[^]]*\]|\b(?:by|on)\s*\([^)]*\)")
_WORDS = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*(?!\s*\()\b(?!\s*\()")
_KEYWORDS = {"and", "bool", "s", "by", "on"}

promtool = needs("promtool")


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def board() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(BOARD.read_text())
    return document


def expressions() -> list[str]:
    return [each["expr"] for each in rules()] + [
        target["expr"] for panel in board()["panels"] for target in panel["targets"]
    ]


def names(expression: str) -> set[str]:
    return set(_WORDS.findall(_LABELS.sub("", expression))) - _KEYWORDS


def test_names_are_found_in_expressions() -> None:
    found = names(
        'sum by (kind) (rate(one_total{a="b", c=~"d|e"}[5m])) - time() < 14 * 86400 and on (x, y) two > bool 0'
    )
    assert found == {"one_total", "two"}


@pytest.mark.envoy
def test_every_metric_is_told_by_a_running_hub(running_hub: Hub) -> None:
    settings = running_hub.settings
    # Envoy tells of classes of answers once there were some.
    httpx2.get(f"http://127.0.0.1:{settings.egress_port}/x", headers={"Bothways-Customer": "12345678"})
    wanted = set[str]().union(*map(names, expressions())) - OF_PROMETHEUS
    # The canary's first look, and Envoy's count, come a moment after the hub is ready.
    end = time.monotonic() + 30
    while (missing := wanted - told(running_hub)) and time.monotonic() < end:
        time.sleep(0.1)
    assert missing == set()


def told(hub: Hub) -> set[str]:
    text = control_text(hub, "/metrics")
    assert text
    return set(re.findall(r"^([a-zA-Z_][a-zA-Z0-9_]*)[{ ]", text, re.MULTILINE))


def test_each_command_that_an_alert_names_is_there() -> None:
    known = {f"{group} {command}" for group, (_, commands) in GROUPS.items() for command in commands} | set(ALONE)
    said = [each["annotations"]["description"] for each in rules()]
    named = {match for text in said for match in re.findall(r"bothways ([a-z]+ [a-z-]+)", text)}
    assert named <= known
    assert named >= {"hub status", "hub reopen"}


def test_each_rule_says_what_is_wrong_and_what_to_do_and_has_its_case() -> None:
    cases = (DEPLOY / "prometheus" / "alerts.test.yml").read_text()
    for each in rules():
        assert each["labels"]["severity"] in {"critical", "warning"}
        assert each["annotations"].keys() == {"summary", "description"}
        assert f'alertname="{each["alert"]}"' in cases


def test_the_dashboard_s_panels_have_places_of_their_own_and_say_what_they_show() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert panel["description"]
        assert place["x"] + place["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells


@promtool
@pytest.mark.parametrize("arguments", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]])
def test_prometheus_takes_the_rules_and_each_speaks_when_it_has_to(arguments: list[str]) -> None:
    done = subprocess.run(["promtool", *arguments], cwd=RULES.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@promtool
def test_prometheus_takes_the_expressions_of_the_dashboard(tmp_path: Path) -> None:
    # As rules of a file, for that is what it checks.
    found = [{"record": f"panel_{number}", "expr": each} for number, each in enumerate(expressions())]
    (tmp_path / "board.yml").write_text(json.dumps({"groups": [{"name": "board", "rules": found}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", "board.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
