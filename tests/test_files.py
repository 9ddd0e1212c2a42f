import errno
import os
import resource
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from bothways import files
from bothways.errors import Conflict, Unusable

Writer = Callable[[Path, bytes, int], None]
both_writers = pytest.mark.parametrize("write", [files.write_new, files.replace])


@contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@both_writers
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize("wanted", [files.PRIVATE, files.PUBLIC])
def test_the_mode_is_the_wanted_one_under_every_umask(tmp_path: Path, write: Writer, mask: int, wanted: int) -> None:
    with umask(mask):
        write(tmp_path / "tls.key", b"content", wanted)
    assert (mode(tmp_path / "tls.key"), (tmp_path / "tls.key").read_bytes()) == (wanted, b"content")


def test_write_new_never_overwrites_a_file(tmp_path: Path) -> None:
    files.write_new(tmp_path / "tls.key", b"first")
    with pytest.raises(Conflict, match=r"tls\.key exists already"):
        files.write_new(tmp_path / "tls.key", b"second")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"tls.key": b"first"}


def test_write_new_does_not_follow_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "tls.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Conflict):
        files.write_new(tmp_path / "tls.key", b"secret")
    assert [each.name for each in tmp_path.iterdir()] == ["tls.key"]


def test_of_many_writers_at_once_one_wins_and_the_others_are_told(tmp_path: Path) -> None:
    def attempt(number: int) -> bytes | None:
        content = b"%d" % number
        try:
            files.write_new(tmp_path / "tls.key", content)
        except Conflict:
            return None
        return content

    with ThreadPoolExecutor(8) as pool:
        winners = [each for each in pool.map(attempt, range(32)) if each is not None]
    assert [each.read_bytes() for each in tmp_path.iterdir()] == winners
    assert len(winners) == 1


def test_replace_puts_the_new_content_and_mode_in_place_of_the_old(tmp_path: Path) -> None:
    files.replace(tmp_path / "ca.crt", b"old", files.PUBLIC)
    files.replace(tmp_path / "ca.crt", b"new", files.PRIVATE)
    assert {each.name: (each.read_bytes(), mode(each)) for each in tmp_path.iterdir()} == {"ca.crt": (b"new", 0o600)}


def test_replace_leaves_the_target_of_a_link_alone(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"kept")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    files.replace(tmp_path / "link", b"new")
    assert ((tmp_path / "target").read_bytes(), (tmp_path / "link").is_symlink()) == (b"kept", False)


@both_writers
def test_a_write_that_fails_midway_leaves_nothing_behind(tmp_path: Path, write: Writer) -> None:
    with largest_file(4096), pytest.raises(Unusable, match="cannot be written: file too large"):
        write(tmp_path / "big", b"x" * 8192, files.PUBLIC)
    assert list(tmp_path.iterdir()) == []


def test_a_replacement_that_fails_keeps_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(b"old")
    with largest_file(4096), pytest.raises(Unusable):
        files.replace(tmp_path / "ca.crt", b"x" * 8192)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"ca.crt": b"old"}


@both_writers
def test_a_missing_directory_is_named_with_the_reason(tmp_path: Path, write: Writer) -> None:
    with pytest.raises(Unusable, match=r"absent/tls\.key cannot be written: there is no such file or directory"):
        write(tmp_path / "absent" / "tls.key", b"content", files.PUBLIC)


def test_replace_refuses_a_directory(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(Unusable, match="it is a directory"):
        files.replace(tmp_path / "taken", b"content")


def test_each_directory_that_is_made_is_private_under_every_umask(tmp_path: Path) -> None:
    with umask(0o000):
        files.make_directory(tmp_path / "a" / "b" / "c")
    assert [mode(tmp_path / each) for each in ("a", "a/b", "a/b/c")] == [0o700, 0o700, 0o700]


def test_a_directory_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here").chmod(0o750)
    files.make_directory(tmp_path / "here")
    assert mode(tmp_path / "here") == 0o750


@pytest.mark.parametrize(("below", "reason"), [("", "a file stands where"), ("/b", "a part of the path is a file")])
def test_a_file_where_a_directory_is_wanted_is_named(tmp_path: Path, below: str, reason: str) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(Unusable, match=reason):
        files.make_directory(Path(f"{tmp_path}/a{below}"))


@pytest.mark.parametrize("name", ["a/" * 3000, "a" * 300, "a\0b"], ids=["long path", "long name", "NUL"])
def test_a_path_that_no_file_system_has_is_said_and_nothing_is_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unusable, match="cannot be written"):
        files.make_directory(tmp_path / name)
    with pytest.raises(Unusable, match="cannot be written"):
        files.write_new(tmp_path / name / "tls.key", b"content")
    with pytest.raises(Unusable, match="cannot be read"):
        files.read(tmp_path / name, "the chain")
    assert list(tmp_path.iterdir()) == []


def test_read_stops_at_the_limit(tmp_path: Path) -> None:
    (tmp_path / "request.pem").write_bytes(b"12345")
    assert files.read(tmp_path / "request.pem", "a request", limit=5) == b"12345"
    with pytest.raises(Unusable, match="holds more than 4 bytes, which is more than a request can have"):
        files.read(tmp_path / "request.pem", "a request", limit=4)


@pytest.mark.parametrize(
    ("path", "reason"), [("absent", "there is no such file"), (".", "it is a directory"), ("a/b", "a part of the path")]
)
def test_read_says_what_could_not_be_read_and_why(tmp_path: Path, path: str, reason: str) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(Unusable, match=f"the chain cannot be read from .*{reason}"):
        files.read(tmp_path / path, "the chain")


@pytest.mark.parametrize("wanted", [0o600, 0o400])
def test_a_private_file_is_read(tmp_path: Path, wanted: int) -> None:
    files.write_new(tmp_path / "tls.key", b"secret", wanted)
    assert files.read_private(tmp_path / "tls.key", "the key") == b"secret"


@pytest.mark.parametrize("open_mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601])
def test_a_private_file_that_others_can_reach_is_refused(tmp_path: Path, open_mode: int) -> None:
    files.write_new(tmp_path / "tls.key", b"secret", open_mode)
    with pytest.raises(Unusable, match=rf"mode {open_mode:04o}.*chmod 600 "):
        files.read_private(tmp_path / "tls.key", "the key")


def test_a_private_file_is_judged_by_its_target_when_it_is_a_link(tmp_path: Path) -> None:
    files.write_new(tmp_path / "target", b"secret", 0o644)
    (tmp_path / "tls.key").symlink_to(tmp_path / "target")
    with pytest.raises(Unusable, match="0644"):
        files.read_private(tmp_path / "tls.key", "the key")


def test_what_is_readable_by_a_path_is_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with files.readable(b"key", tmp_path / "nowhere") as path:
        assert Path(path).read_bytes() == b"key"
    monkeypatch.delattr(os, "memfd_create", raising=False)
    with files.readable(b"key", tmp_path) as path:
        assert (Path(path).parent, stat.S_IMODE(Path(path).stat().st_mode)) == (tmp_path, 0o600)
        assert Path(path).read_bytes() == b"key"
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_in_parts_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def fails(file: BinaryIO) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(Unusable, match="the disk is full"):
        files.write_new_by(tmp_path / "long", fails)
    assert list(tmp_path.iterdir()) == []
    files.write_new_by(tmp_path / "long", lambda file: file.write(b"whole"), files.PRIVATE)
    assert (tmp_path / "long").read_bytes() == b"whole"
    with pytest.raises(Conflict):
        files.write_new_by(tmp_path / "long", lambda file: file.write(b"again"))


@pytest.mark.parametrize(
    ("owner", "user", "given", "exposed"),
    [
        (0, 10001, 0o440, False),
        (0, 10001, 0o640, False),
        (0, 10001, 0o660, True),
        (0, 10001, 0o444, True),
        # Whoever owns the file has no reason to give it to a group; root least of all.
        (10001, 10001, 0o440, True),
        (0, 0, 0o640, True),
    ],
)
def test_what_root_gives_a_service_through_its_group_is_not_exposed(
    monkeypatch: pytest.MonkeyPatch,
    owner: int,
    user: int,
    given: int,
    exposed: bool,  # noqa: FBT001 - a column of the table
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    assert files.is_exposed(os.stat_result((0o100000 | given, 0, 0, 1, owner, 10001, 0, 0, 0, 0))) is exposed
