"""A second control plane, made of settings, terms and passphrase alone."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import local_settings
from tests.postgresql import new_schema

from bothways.contract.document import Environment
from bothways.contract.render import render_terms
from bothways.errors import Conflict, Unusable
from bothways.operations.audit import verify_audit
from bothways.operations.directory import CONTRACT_FILE
from bothways.operations.hub import Hub, initialise, new_terms, open_hub
from bothways.operations.join import join_hub
from bothways.operations.own_keys import require_signers
from bothways.operations.settings import FILE, render_settings


@pytest.fixture
def first(short: Path) -> Iterator[Hub]:
    """A hub in PostgreSQL, which is where there can be several."""
    settings = replace(local_settings(), database=new_schema())
    initialise(short / "a", new_terms(Environment.PPR, "ppr.hub.localhost", settings), settings, "tester")
    with open_hub(short / "a", "tester") as hub:
        yield hub


@pytest.fixture
def source(first: Hub, short: Path) -> Path:
    """What somebody carried from the first one: two files, and nothing else."""
    place = short / "carried"
    place.mkdir()
    for name in (FILE, CONTRACT_FILE):
        shutil.copy(first.directory / name, place)
    return place


def test_it_has_all_that_the_first_one_has(first: Hub, source: Path, short: Path) -> None:
    settings = replace(first.settings, smtp_host="mail.hub.example", smtp_sender="a@b", smtp_password_file="mail")  # noqa: S106 - the name of a file
    (source / FILE).write_text(render_settings(settings))
    passphrase = first.directory / "passphrase"
    joined = join_hub(source, short / "b", "tester", passphrase)
    assert (joined.environment, joined.missing) == ("PPR", ("mail",))
    with open_hub(short / "b", "tester") as second:
        require_signers(second)
        assert second.settings == replace(settings, passphrase_file=str(passphrase))
        assert second.terms == first.terms
        state = verify_audit(second)
        assert state.findings == ()
        assert state.signed
    with first.read() as connection:
        last = connection.exec_driver_sql("SELECT action FROM audit ORDER BY sequence DESC LIMIT 1").scalar_one()
    assert last == "hub.join"


def test_a_passphrase_beside_the_settings_comes_along(first: Hub, source: Path, short: Path) -> None:
    shutil.copy(first.directory / "passphrase", source)
    join_hub(source, short / "b", "tester")
    assert (short / "b" / "passphrase").stat().st_mode & 0o777 == 0o600
    with open_hub(short / "b", "tester") as second:
        require_signers(second)


def test_without_the_passphrase_or_the_terms_there_is_none(first: Hub, source: Path, short: Path) -> None:
    with pytest.raises(Unusable, match=r"passphrase of the hub's keys cannot be read from .*carried/passphrase"):
        join_hub(source, short / "b", "tester")
    wrong = source / "passphrase"
    wrong.write_text("another passphrase")
    wrong.chmod(0o600)
    with pytest.raises(Unusable, match=r"carried/passphrase does not open the hub's keys\. Put the present one there"):
        join_hub(source, short / "b", "tester")
    shutil.copy(first.directory / "passphrase", source)
    other = replace(first.terms, portal="https://portal.ppr.hub.localhost:9")
    (source / CONTRACT_FILE).write_text(render_terms(other))
    with pytest.raises(Unusable, match=r"the terms in .*carried/contract.toml are not those .*hub terms --take"):
        join_hub(source, short / "b", "tester")
    assert not (short / "b").exists()


def test_its_disk_alone_has_no_key_and_nothing_of_the_database(source: Path, short: Path, first: Hub) -> None:
    place = short / "b"
    join_hub(source, place, "tester", first.directory / "passphrase")
    found = {str(each.relative_to(place)): each.read_bytes() for each in place.rglob("*") if each.is_file()}
    assert found.keys() == {FILE, CONTRACT_FILE, "audit-head.json"}
    assert not any(b"PRIVATE KEY" in each for each in found.values())


def test_a_file_has_one_control_plane(first: Hub, source: Path, short: Path) -> None:
    (source / FILE).write_text(render_settings(replace(first.settings, database="")))
    with pytest.raises(Conflict, match="one control plane"):
        join_hub(source, short / "b", "tester")
