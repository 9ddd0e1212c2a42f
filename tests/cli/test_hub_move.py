import json

from tests.cli.conftest import Run
from tests.postgresql import in_files, new_schema

from bothways.operations.hub import Hub
from bothways.operations.settings import FILE

pytestmark = in_files


def test_it_copies_compares_and_says_how_the_setting_is_switched_which_then_works(in_hub: Run, hub: Hub) -> None:
    url = new_schema()
    assert in_hub("customer", "add", "12345678", "--kind", "issuer", "--organization", "First Bank").returncode == 0
    done = in_hub("hub", "migrate-store", "--to", url, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["rows"] == sum(each["rows"] for each in document["tables"])
    assert document["audit_whole"] is True
    [line] = [each for each in done.stderr.splitlines() if "url = " in each]
    settings = (hub.directory / FILE).read_text()
    (hub.directory / FILE).write_text(settings.replace('url = ""', line.split("hub.toml: ")[1].strip()))
    assert json.loads(in_hub("customer", "list", "--json").stdout)[0]["customer"] == "12345678"
    assert in_hub("audit", "verify").returncode == 0
    again = in_hub("hub", "migrate-store", "--to", new_schema())
    assert (again.returncode, "is in PostgreSQL already" in again.stderr) == (2, True)


def test_people_read_a_table_and_a_password_in_the_url_is_refused(in_hub: Run) -> None:
    done = in_hub("hub", "migrate-store", "--to", new_schema())
    assert "SHA-256, the same on both sides" in done.stdout
    assert "The audit has" in done.stdout
    refused = in_hub("hub", "migrate-store", "--to", "postgresql://me:secret@db.example/bothways")
    assert refused.returncode == 2
    assert "password inside" in refused.stderr
