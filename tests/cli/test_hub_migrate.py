import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.postgresql import on_postgresql
from tests.store.next_release import become_next_release

from bothways.store import version


def test_it_says_what_it_will_do_does_it_and_says_how_to_go_back(
    in_hub: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version.VERSION
    become_next_release(tmp_path, monkeypatch)
    refused = in_hub("customer", "list")
    assert refused.returncode == 2
    assert f"has the schema {before}, wanted {before + 1}" in refused.stderr
    planned = in_hub("hub", "migrate", "--dry-run", "--json")
    assert planned.returncode == 0
    assert json.loads(planned.stdout)["steps"] == [{"schema": before + 1, "text": "Keep the language of contacts."}]
    assert f"{before + 1}  Keep the language of contacts." in planned.stderr
    assert in_hub("customer", "list").returncode == 2
    done = in_hub("hub", "migrate", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["found"], document["wanted"], document["audit_whole"]) == (before, before + 1, True)
    if not on_postgresql():
        assert {each.name for each in Path(document["kept"]).iterdir()} == {"hub.db", "audit-head.json"}
        assert f"What was changed is, as it was, in {document['kept']}." in done.stderr
    assert in_hub("audit", "verify").returncode == 0
    assert "There is nothing to do" in in_hub("hub", "migrate").stdout
