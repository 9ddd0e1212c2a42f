"""What control planes have to agree on, and what becomes of one that has something else."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import local_settings
from tests.operations.conftest import Audit
from tests.postgresql import new_schema, on_postgresql
from tests.stored_keys import keys_as

from bothways.contract.document import Environment
from bothways.contract.render import render_terms
from bothways.errors import Unusable
from bothways.operations import agreement
from bothways.operations.agreement import agreed, digest, keep_agreeing, prove_passphrase, require_agreed, take_terms
from bothways.operations.directory import CONTRACT_FILE
from bothways.operations.hub import Hub, initialise, new_terms, open_hub
from bothways.operations.passphrase import change_passphrase
from bothways.signer.keys import Keys

ANOTHER = b"another passphrase"


def test_the_terms_of_a_new_hub_are_those_of_all_until_others_are_taken(hub: Hub, audited: Audit) -> None:
    other = replace(hub, terms=replace(hub.terms, portal="https://portal.ppr.hub.localhost:9"))
    # The hub of a test in a file is a copy of another one.
    take_terms(hub)
    lines = audited()
    assert take_terms(hub) == (digest(hub.terms), digest(hub.terms)) != (digest(other.terms),) * 2
    assert audited() == lines
    assert take_terms(other) == (digest(hub.terms), digest(other.terms))
    assert audited()[-1] == ("hub.terms", CONTRACT_FILE)
    with hub.read() as connection:
        assert agreed(connection) == digest(other.terms)


def test_a_control_plane_with_other_terms_is_refused_where_there_can_be_several(hub: Hub) -> None:
    other = replace(hub.terms, portal="https://portal.ppr.hub.localhost:9")
    (hub.directory / CONTRACT_FILE).write_text(render_terms(other))
    if not on_postgresql():
        with open_hub(hub.directory, "tester") as opened:
            assert opened.terms == other
        return
    with pytest.raises(Unusable, match="hub terms --take"), open_hub(hub.directory, "tester"):
        pass
    with open_hub(hub.directory, "tester", taking_terms=True) as opened:
        take_terms(opened)
    with open_hub(hub.directory, "tester"):
        pass
    with pytest.raises(Unusable, match="are not those that this hub's control planes have agreed on"):
        require_agreed(hub.database, hub.terms, "contract.toml")


def test_a_passphrase_that_opens_nothing_any_more_is_told_with_how_often_it_was_changed(hub: Hub) -> None:
    path = hub.directory / "passphrase"
    prove_passphrase(hub, path)
    before = path.read_bytes()
    change_passphrase(hub, ANOTHER)
    prove_passphrase(hub, path)
    path.write_bytes(before)
    with (
        open_hub(hub.directory, "tester") as opened,
        pytest.raises(Unusable, match=r"/passphrase does not open the hub's keys, and was changed 1 times"),
    ):
        prove_passphrase(opened, path)


def test_who_runs_reads_a_changed_passphrase_and_without_it_says_so_and_ends(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(agreement, "LOOK", 0.01)
    path = hub.directory / "passphrase"
    # As another process has it.
    running = replace(hub, keys=keys_as(Keys, hub))

    async def until(said: str) -> None:
        task = asyncio.create_task(keep_agreeing(running))
        while said not in caplog.text:
            assert not task.done()
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    change_passphrase(hub, ANOTHER)
    asyncio.run(until("was changed, and read anew: version 2"))
    assert running.keys.version == 2
    change_passphrase(hub, ANOTHER + b" again")
    path.write_bytes(ANOTHER)
    asyncio.run(until("It ends in 60 seconds, unless that is done"))
    assert running.keys.version == 2
    monkeypatch.setattr(agreement, "WITHIN", 0.0)
    with pytest.raises(Unusable, match="does not open the hub's keys"):
        asyncio.run(keep_agreeing(running))


def test_who_runs_with_other_terms_than_all_have_ends(short: Path) -> None:
    settings = replace(local_settings(), database=new_schema())
    terms = new_terms(Environment.PPR, "ppr.hub.localhost", settings)
    initialise(short / "hub", terms, settings, "tester")
    with open_hub(short / "hub", "tester") as hub:
        take_terms(replace(hub, terms=replace(terms, portal="https://portal.ppr.hub.localhost:9")))
        with pytest.raises(Unusable, match="hub terms --take"):
            asyncio.run(keep_agreeing(hub))
