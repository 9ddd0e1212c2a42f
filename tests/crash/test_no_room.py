"""A disk that is full, and a place that cannot be written: told in words, and nothing is half done."""

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool
from tests.postgresql import in_files

from bothways import files
from bothways.errors import Unusable
from bothways.operations.audit import export_audit, verify_audit
from bothways.operations.hub import Hub
from bothways.operations.requests import approve_request, list_requests, submit_request

NOBODY = 65534
NO_ROOM, ROOM = 1, 1_000_000
MOST = 200


class Disk:
    """As many pages as a database may have: SQLite itself says that there are no more."""

    pages = ROOM

    def bound(self, connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {self.pages}")


@pytest.fixture
def disk() -> Iterator[Disk]:
    held = Disk()
    event.listen(Pool, "checkout", held.bound)
    yield held
    event.remove(Pool, "checkout", held.bound)


@in_files
def test_a_database_without_room_refuses_in_words_and_what_was_acknowledged_stays(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes], disk: Disk
) -> None:
    done = [submit_request(hub, issuer, make_csr()).id]
    disk.pages = NO_ROOM
    with pytest.raises(
        Unusable, match=r"the database cannot be used: .*disk is full.*Check that it is there, its disk"
    ):
        done.extend(submit_request(hub, issuer, make_csr()).id for _ in range(MOST))
    with pytest.raises(Unusable, match="disk is full"):
        deque(approve_request(hub, each) for each in done)
    submitted, approved = (
        [line["subject"] for line in export_audit(hub) if line["action"] == action]
        for action in ("request.submit", "request.approve")
    )
    assert sorted(each.id for each in list_requests(hub)) == sorted(done) == sorted(map(int, submitted))
    assert verify_audit(hub).findings == ()
    disk.pages = ROOM
    for each in done:
        if str(each) not in approved:
            approve_request(hub, each)
    assert submit_request(hub, issuer, make_csr()).id not in done
    assert verify_audit(hub).findings == ()


@contextmanager
def somebody_else() -> Iterator[None]:
    """Be a user for whom permissions count, if this is root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.parametrize("write", [files.write_new, files.replace])
def test_a_directory_that_cannot_be_written_is_named_and_left_as_it_is(write: Callable[..., object]) -> None:
    # Not below the directory of the tests: that one is nobody else's to go through.
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        (place / "ca.crt").write_bytes(b"old")
        place.chmod(0o555)
        with somebody_else(), pytest.raises(Unusable, match=r"tls\.key cannot be written: permission denied"):
            write(place / "tls.key", b"key", files.PRIVATE)
        assert {each.name: each.read_bytes() for each in place.iterdir()} == {"ca.crt": b"old"}
