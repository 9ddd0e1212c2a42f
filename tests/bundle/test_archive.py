import io
import stat
import struct
import warnings
import zipfile
import zlib

import pytest

from bothways.bundle.archive import BUNDLE_LIMIT, beginnings, read_archive, write_archive
from bothways.errors import Refused

LIMITS = {"a.txt": 100, "b.txt": 100}
MEMBERS = {"a.txt": b"one", "b.txt": b"two"}


def refused(data: bytes) -> list[str]:
    with pytest.raises(Refused) as caught:
        read_archive(data, LIMITS, "bundle.zip")
    return [f"{each.id} {each.message}" for each in caught.value.findings]


def zipped(*members: tuple[zipfile.ZipInfo | str, bytes], comment: bytes = b"") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        # Of a name that stands there twice.
        warnings.simplefilter("ignore")
        for name, content in members:
            archive.writestr(name, content)
        archive.comment = comment
    return made.getvalue()


def test_what_was_written_is_read_and_the_same_members_make_the_same_bytes() -> None:
    assert read_archive(write_archive(MEMBERS), LIMITS, "bundle") == MEMBERS
    assert write_archive(MEMBERS) == write_archive(dict(MEMBERS))


@pytest.mark.parametrize(
    "name", ["../a.txt", "/etc/passwd", "x/a.txt", "A.txt", "a.txt/", "a.txt\\b", "..\\a.txt", "a.t\u0445t", "a.txt "]
)
def test_a_name_that_is_not_on_the_list_is_refused(name: str) -> None:
    assert f"BUNDLE-02 its member {name!r} does not belong into it" in refused(zipped((name, b"x")))


def test_a_name_with_a_nul_is_not_taken_for_what_stands_before_it() -> None:
    data = zipped(("a.txtXb", b"x")).replace(b"a.txtXb", b"a.txt\0b")
    assert refused(data) == ["BUNDLE-02 its member 'a.txt\\x00b' does not belong into it"]


def test_a_second_name_is_refused_whichever_of_the_two_a_reader_takes() -> None:
    info = zipfile.ZipInfo("a.txt")
    said = struct.pack("<BL", 1, zlib.crc32(b"a.txt")) + b"../../evil"
    # Behind another field, which means nothing here.
    info.extra = struct.pack("<HHI", 0xCAFE, 4, 0) + struct.pack("<HH", 0x7075, len(said)) + said
    assert refused(zipped((info, b"one"))) == ["BUNDLE-02 its member 'a.txt' has a second name"]


def test_a_name_that_stands_twice_is_refused() -> None:
    assert refused(zipped(("a.txt", b"one"), ("a.txt", b"two"))) == ["BUNDLE-02 its member 'a.txt' stands twice in it"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_a_link_and_a_special_file_are_refused(kind: int) -> None:
    info = zipfile.ZipInfo("a.txt")
    info.external_attr = (kind | 0o777) << 16
    assert refused(zipped((info, b"/etc/passwd"))) == ["BUNDLE-02 its member 'a.txt' is a link or a special file"]


def test_a_bomb_is_refused_before_it_is_read() -> None:
    data = zipped(("a.txt", bytes(50 << 20)))
    assert len(data) < 100_000
    assert refused(data) == [f"BUNDLE-02 its member 'a.txt' has {50 << 20} bytes, at most 100 are wanted"]


def test_a_bomb_that_lies_about_its_size_is_read_no_further_than_it_says() -> None:
    data = bytearray(zipped(("a.txt", bytes(50 << 20))))
    place = data.index(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 50)
    [said] = refused(bytes(data))
    assert said.startswith("BUNDLE-01 the zip is damaged")


def test_a_member_that_is_shorter_than_the_list_says_is_refused() -> None:
    data = bytearray(zipped(("a.txt", b"one")))
    place = data.index(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 50)
    [said] = refused(bytes(data))
    assert said.startswith("BUNDLE-01 the zip is damaged")


def test_a_whole_zip_before_this_one_is_refused() -> None:
    # Whoever reads from the front finds the other one.
    before, after = zipped(("a.txt", b"one")), zipped(("a.txt", b"two"))
    assert refused(before + after) == ["BUNDLE-02 it carries something before its members"]


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(zipped(("a.txt", b"one")))
    place = data.index(b"PK\x01\x02")
    data[place + 8] |= 1
    assert refused(bytes(data)) == ["BUNDLE-02 its member 'a.txt' is encrypted"]


def test_another_way_of_packing_is_refused() -> None:
    info = zipfile.ZipInfo("a.txt")
    info.compress_type = zipfile.ZIP_LZMA
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(info, b"one", zipfile.ZIP_LZMA)
    assert refused(made.getvalue()) == ["BUNDLE-02 its member 'a.txt' is packed in another way than deflate"]


def test_a_huge_count_of_members_is_refused_at_once() -> None:
    members = [(f"{number}", b"") for number in range(5000)]
    assert refused(zipped(*members)) == ["BUNDLE-02 it has 5000 members, at most 32 are wanted"]


def test_the_name_in_the_list_and_at_the_member_must_be_one() -> None:
    data = zipped(("a.txt", b"one"))
    place = data.index(b"PK\x01\x02")
    twisted = data[:place].replace(b"a.txt", b"b.txt") + data[place:]
    [said] = refused(twisted)
    assert said.startswith("BUNDLE-01 the zip is damaged: File name in directory")


@pytest.mark.parametrize(
    "data",
    [
        b"#!/bin/sh\n" + zipped(("a.txt", b"one")),
        zipped(("a.txt", b"one"), comment=b"<html>"),
        zipped(("a.txt", b"one"))[:-30],
        zipped(("a.txt", b"one")) + b"behind",
        b"",
        b"PK\x03\x04",
        bytes(BUNDLE_LIMIT + 1),
    ],
    ids=["before", "comment", "cut off", "behind", "empty", "begun", "too long"],
)
def test_what_is_no_zip_of_its_own_is_refused(data: bytes) -> None:
    assert refused(data)


def test_a_private_key_that_was_sent_is_told_to_be_lost() -> None:
    [said] = refused(zipped(("tls.key", b"secret")))
    assert "counts as disclosed from now on" in said


def test_all_that_is_wrong_is_said_at_once() -> None:
    info = zipfile.ZipInfo("a.txt")
    info.external_attr = stat.S_IFLNK << 16
    assert len(refused(zipped(("../x", b""), (info, b"x" * 200), ("a.txt", b"")))) == 4


def test_how_members_begin_is_read_of_what_is_refused_too() -> None:
    assert [*beginnings(write_archive({"../a": b"one", "b": b"x" * 100_000}))] == [b"one", b"x" * (1 << 16)]
    assert [*beginnings(b"no zip")] == []
