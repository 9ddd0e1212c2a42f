import io
import json
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update
from tests.conftest import unguarded
from tests.operations.conftest import Audit
from tests.postgresql import in_files

from bothways.errors import Conflict, Refused, Unusable
from bothways.operations import backup
from bothways.operations.audit import verify_audit
from bothways.operations.audit_head import HEAD_FILE, read_head, sign_head
from bothways.operations.backup import backup_hub, unpack
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub
from bothways.operations.restore import restore_hub
from bothways.operations.upkeep import upkeep
from bothways.registry.customer import CustomerKind
from bothways.signer.sealed_file import SealedReader, SealedWriter
from bothways.store import schema, schema_statements
from bothways.store.copies import copy_database

pytestmark = in_files

PASSPHRASE = b"the passphrase of backups"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "place").mkdir(mode=0o700)
    return tmp_path / "place"


def test_it_holds_what_makes_the_hub_and_says_so(hub: Hub, tmp_path: Path, place: Path, audited: Audit) -> None:
    note = backup_hub(hub, tmp_path / "backup", PASSPHRASE).note
    assert unpack(tmp_path / "backup", PASSPHRASE, place) == note
    assert {*note.files} == {"hub.db", "hub.toml", "contract.toml", "audit-head.json", "passphrase"}
    assert (note.environment, note.hub) == ("PPR", "ppr.hub.localhost")
    assert audited()[-1] == ("hub.backup", "backup")


def test_nothing_of_it_can_be_read_without_its_passphrase(hub: Hub, issuer: str, tmp_path: Path, place: Path) -> None:
    backup_hub(hub, tmp_path / "backup", PASSPHRASE)
    content = (tmp_path / "backup").read_bytes()
    secret = (hub.directory / "passphrase").read_bytes().strip()
    for each in (secret, b"ENCRYPTED PRIVATE KEY", b"SQLite format", issuer.encode(), b"ppr.hub.localhost"):
        assert each not in content
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600
    with pytest.raises(Unusable, match="the passphrase is another one"):
        unpack(tmp_path / "backup", b"another passphrase", place)


def test_nothing_is_left_beside_it_and_nothing_overwritten(hub: Hub, tmp_path: Path) -> None:
    backup_hub(hub, tmp_path / "backup", PASSPHRASE)
    before = (tmp_path / "backup").read_bytes()
    with pytest.raises(Conflict):
        backup_hub(hub, tmp_path / "backup", PASSPHRASE)
    assert (tmp_path / "backup").read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["backup"]


KILLED = """
import os, signal, sys
from pathlib import Path
from bothways.operations import backup
from bothways.operations.hub import open_hub

def killed(*_):
    print("read back", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

backup.unsound = killed
with open_hub(Path(sys.argv[1]), "tester") as hub:
    backup.backup_hub(hub, Path(sys.argv[2]), sys.argv[3].encode())
"""


def test_killed_in_the_middle_nothing_stands_in_the_open_on_the_disk_of_the_backup(hub: Hub, tmp_path: Path) -> None:
    secret = (hub.directory / "passphrase").read_bytes().strip()
    command = [sys.executable, "-c", KILLED, str(hub.directory), str(tmp_path / "first"), PASSPHRASE.decode()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.returncode) == ("read back\n", -signal.SIGKILL), done.stderr
    assert [each.name for each in tmp_path.rglob("*")] == ["first"]
    content = (tmp_path / "first").read_bytes()
    assert secret not in content
    assert b"SQLite format" not in content
    # What it left is beside the database, for this user alone, and gone with the next one.
    place = hub.directory / backup.WORKPLACE
    assert (any(place.iterdir()), stat.S_IMODE(place.stat().st_mode)) == (True, 0o700)
    backup_hub(hub, tmp_path / "second", PASSPHRASE)
    assert not any(place.iterdir())


def test_while_one_is_made_there_is_no_second_one(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def again(*_: object) -> str:
        backup_hub(hub, tmp_path / "second", PASSPHRASE)
        raise AssertionError

    monkeypatch.setattr(backup, "unsound", again)
    with pytest.raises(Conflict, match="another backup of this hub is under way"):
        backup_hub(hub, tmp_path / "first", PASSPHRASE)
    assert list(tmp_path.iterdir()) == []


def test_the_hub_that_runs_keeps_its_room(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "ROOM", shutil.disk_usage(hub.directory).total)
    with pytest.raises(Unusable, match="Make room"):
        backup_hub(hub, tmp_path / "backup", PASSPHRASE)
    assert list(tmp_path.iterdir()) == []


def test_a_short_passphrase_and_a_place_that_is_not_there_are_said(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="at least 12 are wanted"):
        backup_hub(hub, tmp_path / "backup", b"short")
    with pytest.raises(Unusable, match="cannot be written"):
        backup_hub(hub, tmp_path / "nowhere" / "backup", PASSPHRASE)
    assert list(tmp_path.iterdir()) == []


def test_a_passphrase_that_lies_elsewhere_stays_there(hub: Hub, tmp_path: Path) -> None:
    elsewhere = replace(hub, settings=replace(hub.settings, passphrase_file=str(hub.directory / "passphrase")))
    assert "passphrase" not in backup_hub(elsewhere, tmp_path / "backup", PASSPHRASE).note.files


@pytest.mark.parametrize("place_of_damage", [100, 200_000, -1])
def test_a_damaged_one_is_refused(hub: Hub, tmp_path: Path, place: Path, place_of_damage: int) -> None:
    backup_hub(hub, tmp_path / "backup", PASSPHRASE)
    data = bytearray((tmp_path / "backup").read_bytes())
    data[place_of_damage] ^= 1
    (tmp_path / "backup").write_bytes(data)
    with pytest.raises(Unusable, match="changed or cut off"):
        unpack(tmp_path / "backup", PASSPHRASE, place)


def test_one_that_was_cut_off_behind_its_last_file_is_refused_too(hub: Hub, tmp_path: Path, place: Path) -> None:
    made, longer, cut = (tmp_path / each for each in ("made", "longer", "cut"))
    backup_hub(hub, made, PASSPHRASE)
    with made.open("rb") as source, longer.open("wb") as out:
        writer = SealedWriter(out, PASSPHRASE)
        # What fills a tar at its end, in chunks of its own.
        writer.write(SealedReader(source, PASSPHRASE, made).readall() + bytes(1 << 17))
        writer.finish()
    unpack(longer, PASSPHRASE, place)
    cut.write_bytes(longer.read_bytes()[: -(1 << 16)])
    (tmp_path / "again").mkdir()
    with pytest.raises(Unusable, match="changed or cut off"):
        unpack(cut, PASSPHRASE, tmp_path / "again")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../x", tarfile.REGTYPE),
        ("/tmp/x", tarfile.REGTYPE),  # noqa: S108 - refused
        ("keys/../../x", tarfile.REGTYPE),
        ("keys/..", tarfile.REGTYPE),
        ("other/x", tarfile.REGTYPE),
        ("hub.toml", tarfile.SYMTYPE),
        ("hub.toml", tarfile.LNKTYPE),
        ("hub.toml", tarfile.DIRTYPE),
        ("hub.toml", tarfile.FIFOTYPE),
    ],
)
def test_what_is_no_file_of_a_hub_is_not_written(tmp_path: Path, place: Path, name: str, kind: bytes) -> None:
    with (tmp_path / "backup").open("wb") as out:
        writer = SealedWriter(out, PASSPHRASE)
        with tarfile.open(fileobj=writer, mode="w|") as archive:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        writer.finish()
    with pytest.raises(Unusable, match="is no file of a hub"):
        unpack(tmp_path / "backup", PASSPHRASE, place)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("said", [None, b"[]", b"{}", b"no JSON"])
def test_what_does_not_say_what_is_in_it_is_refused(tmp_path: Path, place: Path, said: bytes | None) -> None:
    with (tmp_path / "backup").open("wb") as out:
        writer = SealedWriter(out, PASSPHRASE)
        with tarfile.open(fileobj=writer, mode="w|") as archive:
            if said is not None:
                info = tarfile.TarInfo("backup.json")
                info.size = len(said)
                archive.addfile(info, io.BytesIO(said))
        writer.finish()
    with pytest.raises(Unusable, match="does not say what is in it"):
        unpack(tmp_path / "backup", PASSPHRASE, place)


def test_what_holds_something_else_than_it_says_is_refused(tmp_path: Path, place: Path) -> None:
    moment = "2026-11-23T12:00:00+00:00"
    note = {"environment": "PPR", "hub": "hub.example", "made_at": moment, "audit_head": "1:0"}
    said = json.dumps(note | {"files": {"hub.toml": "0" * 64}}).encode()
    with (tmp_path / "backup").open("wb") as out:
        writer = SealedWriter(out, PASSPHRASE)
        with tarfile.open(fileobj=writer, mode="w|") as archive:
            for name, content in (("backup.json", said), ("hub.toml", b"another")):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        writer.finish()
    with pytest.raises(Unusable, match="does not hold what it says"):
        unpack(tmp_path / "backup", PASSPHRASE, place)


def test_one_that_does_not_read_back_is_no_backup(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(source: Path, target: Path) -> None:
        shutil.copy(source, target)
        with target.open("r+b") as file:
            file.seek(8192)
            file.write(b"x" * 4096)

    monkeypatch.setattr(backup, "copy_database", damaged)
    with pytest.raises(Unusable, match=r"the database in .* is damaged"):
        backup_hub(hub, tmp_path / "backup", PASSPHRASE)
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_after_the_signed_head_is_in_it_and_whole(
    hub: Hub, tmp_path: Path, certify: Callable[[str], object], issuer: str, place: Path
) -> None:
    certify(issuer)
    upkeep(hub)
    note = backup_hub(hub, tmp_path / "backup", PASSPHRASE).note
    state = verify_audit(hub)
    assert note.audit_head == f"{state.lines}:{state.hash}"
    assert unpack(tmp_path / "backup", PASSPHRASE, place).audit_head == note.audit_head
    signed = read_head((place / HEAD_FILE).read_bytes(), HEAD_FILE)
    assert f"{signed.lines}:{signed.hash}" == note.audit_head


def test_the_audit_in_it_is_looked_at_and_said_to_be_whole(hub: Hub, issuer: str, tmp_path: Path) -> None:
    made = backup_hub(hub, tmp_path / "backup", PASSPHRASE)
    assert issuer
    assert (made.audit.whole, made.document()["whole"], made.document()["findings"]) == (True, True, [])


def test_what_the_hub_does_while_its_database_is_copied_makes_no_audit_that_is_not_whole(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def while_the_hub_goes_on(source: Path, target: Path) -> None:
        # The copy is of the moment in which it began.
        copy_database(source, target)
        add_customer(hub, "12345678", CustomerKind.ISSUER, "First Bank")
        assert sign_head(hub)

    monkeypatch.setattr(backup, "copy_database", while_the_hub_goes_on)
    made = backup_hub(hub, tmp_path / "backup", PASSPHRASE)
    assert made.audit.findings == ()
    restore_hub(tmp_path / "backup", PASSPHRASE, tmp_path / "restored", "test")


def line_changed(hub: Hub) -> None:
    with hub.write() as transaction:
        unguarded(transaction.connection)
        first = schema.audit.c.sequence == 1
        transaction.connection.execute(update(schema.audit).where(first).values(actor="somebody else"))


def end_cut_off(hub: Hub) -> None:
    sign_head(hub)
    with hub.write() as transaction:
        unguarded(transaction.connection)
        last = select(func.max(schema.audit.c.sequence)).scalar_subquery()
        transaction.connection.execute(delete(schema.audit).where(schema.audit.c.sequence == last))


def head_gone(hub: Hub) -> None:
    (hub.directory / HEAD_FILE).unlink()


def head_is_rubbish(hub: Hub) -> None:
    (hub.directory / HEAD_FILE).write_text("no head")


@pytest.mark.parametrize(
    ("harm", "finding"),
    [
        (line_changed, "AUDIT-01"),
        (end_cut_off, "AUDIT-02"),
        (head_gone, "AUDIT-04"),
        (head_is_rubbish, "AUDIT-04"),
    ],
)
def test_one_of_an_audit_that_is_not_whole_is_made_and_says_so_and_no_hub_is_restored_from_it(
    hub: Hub, issuer: str, tmp_path: Path, place: Path, harm: Callable[[Hub], None], finding: str
) -> None:
    assert issuer
    harm(hub)
    made = backup_hub(hub, tmp_path / "backup", PASSPHRASE)
    assert not made.audit.whole
    assert finding in [each["id"] for each in made.document()["findings"]]
    assert unpack(tmp_path / "backup", PASSPHRASE, place) == made.note
    with pytest.raises(Refused) as refused:
        restore_hub(tmp_path / "backup", PASSPHRASE, tmp_path / "restored", "test")
    assert [each.id for each in refused.value.findings] == [each.id for each in made.audit.findings]
    assert str(tmp_path) not in str(made.document()["findings"])


def test_none_is_made_while_the_key_of_the_audit_cannot_be_used(hub: Hub, issuer: str, tmp_path: Path) -> None:
    assert issuer
    with hub.write() as transaction:
        audits = schema_statements.statement_key.c.purpose == "audit"
        transaction.connection.execute(
            update(schema_statements.statement_key).where(audits).values(key_name="statement-nowhere")
        )
    with pytest.raises(Unusable, match="statement-nowhere"):
        backup_hub(hub, tmp_path / "backup", PASSPHRASE)
    assert list(tmp_path.iterdir()) == []
