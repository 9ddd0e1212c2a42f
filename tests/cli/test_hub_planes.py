"""`hub join`, `passphrase` and `terms`, as a person sees them."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.conftest import local_settings
from tests.postgresql import new_schema

from bothways.contract.document import Environment
from bothways.contract.render import render_terms
from bothways.operations.hub import Hub, initialise, new_terms
from bothways.operations.settings import FILE

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def first(short: Path) -> Path:
    """The directory of a control plane whose database is in PostgreSQL."""
    settings = replace(local_settings(), database=new_schema())
    initialise(short / "a", new_terms(Environment.PPR, "ppr.hub.localhost", settings), settings, "tester")
    return short / "a"


def test_a_second_control_plane_and_new_terms_for_both(bothways: Run, first: Path, short: Path) -> None:
    second = short / "b"
    done = bothways("hub", "join", first, "--directory", second, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["missing"] == []
    assert f"Look at the addresses in {second}/hub.toml" in done.stderr
    assert bothways("hub", "terms", "--directory", second).returncode == 0
    text = (first / "contract.toml").read_text().replace("portal.ppr.hub.localhost", "people.ppr.hub.localhost")
    (first / "contract.toml").write_text(text)
    refused = bothways("customer", "list", "--directory", first)
    assert refused.returncode == 2
    assert "or, if these are the new terms, let all have them: bothways hub terms --take" in refused.stderr
    assert bothways("hub", "terms", "--directory", first).returncode == 1
    taken = json.loads(bothways("hub", "terms", "--take", "--directory", first, "--json").stdout)
    assert taken["before"] != taken["agreed"] == taken["found"]
    assert bothways("customer", "list", "--directory", first).returncode == 0
    assert bothways("customer", "list", "--directory", second).returncode == 2
    shutil.copy(first / "contract.toml", second)
    assert bothways("customer", "list", "--directory", second).returncode == 0


def test_the_passphrase_is_changed_and_said_what_to_do(in_hub: Run, hub: Hub, short: Path) -> None:
    wanted = short / "new"
    wanted.write_text("another passphrase\n")
    wanted.chmod(0o600)
    done = in_hub("hub", "passphrase", "--to", wanted)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "9 keys and 0 secrets of codes are sealed with the new passphrase, version 2.\n"
    assert f"{hub.directory}/passphrase has it." in done.stderr
    assert (hub.directory / "passphrase").read_text() == "another passphrase\n"
    assert in_hub("audit", "verify").returncode == 0
    assert "is the present one" in in_hub("hub", "passphrase", "--to", wanted).stderr


def test_a_passphrase_that_lies_elsewhere_is_for_whoever_put_it_there(in_hub: Run, hub: Hub, short: Path) -> None:
    kept, wanted = short / "kept", short / "new"
    (hub.directory / "passphrase").rename(kept)
    settings = (hub.directory / FILE).read_text()
    (hub.directory / FILE).write_text(settings.replace('passphrase = "passphrase"', f'passphrase = "{kept}"'))
    wanted.write_text("another passphrase\n")
    wanted.chmod(0o600)
    before = kept.read_text()
    done = in_hub("hub", "passphrase", "--to", wanted)
    assert done.returncode == 0, done.stderr
    assert f"Put it into {kept} within a minute, or the hub ends: this command did not." in done.stderr
    assert kept.read_text() == before
    wanted.rename(kept)
    assert in_hub("audit", "verify").returncode == 0


def test_a_hub_in_a_file_says_which_terms_it_has(in_hub: Run, hub: Hub) -> None:
    other = replace(hub.terms, portal="https://people.ppr.hub.localhost")
    (hub.directory / "contract.toml").write_text(render_terms(other))
    found = json.loads(in_hub("hub", "terms", "--json").stdout)
    assert found["agreed"] != found["found"]
