"""The manifests in `docs/examples`, as they are read, and the command lines in them."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"


def manifests(name: str) -> dict[tuple[str, str], dict[str, Any]]:
    documents = yaml.safe_load_all((EXAMPLES / f"{name}.yaml").read_text())
    return {(each["kind"], each["metadata"]["name"]): each for each in documents}


def pods_of(selector: dict[str, str], found: dict[tuple[str, str], dict[str, Any]]) -> list[dict[str, Any]]:
    templates = [each["spec"]["template"] for each in found.values() if "template" in each.get("spec", {})]
    return [each for each in templates if selector.items() <= each["metadata"]["labels"].items()]


def understood(command: list[str]) -> None:
    """Require that the command line knows this command with these options."""
    flags = [each for each in command if each.startswith("--")]
    words = [each for each in command if re.fullmatch(r"[a-z][a-z-]*", each)][:2]
    done = subprocess.run(
        [sys.executable, "-m", "bothways", *words, "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert [each for each in flags if each not in done.stdout] == []


def commands(name: str) -> list[list[str]]:
    """Return the commands of ours at the head of a manifest, each as its arguments."""
    said = (EXAMPLES / f"{name}.yaml").read_text()
    found = re.findall(r"^#   bothways ((?:.*\\\n#  )*.*)$", said, flags=re.MULTILINE)
    return [shlex.split(each.replace("\\\n#", " ")) for each in found]
