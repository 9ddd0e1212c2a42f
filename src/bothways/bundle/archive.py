"""The zip around a bundle: members with known names, read into memory and never extracted, each with a limit.

A stranger's zip can name a file outside, hold a link, one name twice, or a gigabyte of zeros in a kilobyte. Nothing of
that gets past the list of names and sizes, which is looked at before the first member is read.
"""

import stat
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from bothways.errors import Refused
from bothways.findings import Finding

BUNDLE_LIMIT = 1 << 20
"""Bytes that a bundle may have; a real one has about 30 KiB."""

_END_SIZE = 22
"""Bytes of the record at the end of a zip (APPNOTE section 4.3.16), without the comment that could follow."""

_MEMBERS_MOST = 32
_EXTRA_HEAD = struct.Struct("<HH")
_SHOWN = 40
_LOOKED_AT = 1 << 16
"""Bytes of a member that does not belong into a zip: a key of any kind is shorter."""
_DISCLOSED = "if it is a private key, it counts as disclosed from now on: make a new one"
_ENCRYPTED = 0x1 | 0x40
_UNICODE_PATH = 0x7075
"""The extra field with a member's name once more (APPNOTE section 4.6.9), which some readers take for its name."""
_CITATION = "docs/bundles.md"
_AGAIN = "Take the file again from whoever made it, unchanged."
_BROKEN = (
    BadZipFile,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
    zlib.error,
)


def read_archive(data: bytes, limits: Mapping[str, int], subject: str) -> dict[str, bytes]:
    """Return the members of a zip. `limits` are the names that can be there, each with its most bytes.

    Raises `Refused` with everything that is wrong with the list of its members, before one of them is read.
    """
    if len(data) > BUNDLE_LIMIT:
        raise Refused((_finding("BUNDLE-01", f"the file has more than {BUNDLE_LIMIT} bytes", subject),))
    # Something before the zip, or behind it, would be another file for another reader.
    if not data.startswith(b"PK\x03\x04") or data[-_END_SIZE:][:4] != b"PK\x05\x06":
        raise Refused((_finding("BUNDLE-01", "the file is no zip, or more than one", subject),))
    try:
        with ZipFile(BytesIO(data)) as archive:
            listed = archive.infolist()
            mistakes = [_finding("BUNDLE-02", each, subject) for each in _mistakes(listed, limits)]
            if mistakes:
                raise Refused(tuple(mistakes))
            return {each.orig_filename: _read(archive, each) for each in listed}
    except _BROKEN as error:
        message = f"the zip is damaged: {str(error) or type(error).__name__}"
        raise Refused((_finding("BUNDLE-01", message, subject),)) from error


def beginnings(data: bytes) -> Iterator[bytes]:
    """Yield how the members of a zip begin, whatever they are called: to see what was disclosed in a refused one."""
    if len(data) > BUNDLE_LIMIT:
        return
    try:
        with ZipFile(BytesIO(data)) as archive:
            for each in archive.infolist()[:_MEMBERS_MOST]:
                with suppress(*_BROKEN), archive.open(each) as file:
                    yield file.read(_LOOKED_AT)
    except _BROKEN:
        return


def write_archive(members: Mapping[str, bytes]) -> bytes:
    """Return a zip of these members; the same members make the same bytes."""
    made = BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            # The moment is in the manifest.
            info = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = ZIP_DEFLATED
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
    return made.getvalue()


def _mistakes(listed: list[ZipInfo], limits: Mapping[str, int]) -> Iterator[str]:
    if len(listed) > _MEMBERS_MOST:
        yield f"it has {len(listed)} members, at most {_MEMBERS_MOST} are wanted"
        return
    if listed and min(each.header_offset for each in listed) != 0:
        yield "it carries something before its members"
    seen: set[str] = set()
    for each in listed:
        if each.orig_filename in seen:
            yield f"its member {each.orig_filename[:_SHOWN]!r} stands twice in it"
        seen.add(each.orig_filename)
        yield from _mistakes_of(each, limits)


def _mistakes_of(member: ZipInfo, limits: Mapping[str, int]) -> Iterator[str]:
    # As it stands in the zip: the other name has been cut at a NUL, and from Python 3.12 on can be a second one.
    name = member.orig_filename
    shown = repr(name[:_SHOWN])
    if name not in limits:
        key = name.lower().endswith((".key", ".p12", ".pfx", ".jks"))
        yield f"its member {shown} does not belong into it" + (f"; {_DISCLOSED}" if key else "")
    if _UNICODE_PATH in _extra_fields(member.extra):
        yield f"its member {shown} has a second name"
    if member.flag_bits & _ENCRYPTED:
        yield f"its member {shown} is encrypted"
    if member.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        yield f"its member {shown} is packed in another way than deflate"
    if stat.S_IFMT(member.external_attr >> 16) not in {0, stat.S_IFREG}:
        yield f"its member {shown} is a link or a special file"
    if member.file_size > limits.get(name, 0) and name in limits:
        yield f"its member {shown} has {member.file_size} bytes, at most {limits[name]} are wanted"


def _extra_fields(extra: bytes) -> Iterator[int]:
    """Yield the ids of the extra fields of a member."""
    while len(extra) >= _EXTRA_HEAD.size:
        id_, length = _EXTRA_HEAD.unpack_from(extra)
        yield id_
        extra = extra[_EXTRA_HEAD.size + length :]


def _read(archive: ZipFile, member: ZipInfo) -> bytes:
    # What the list says and what is there may be two things.
    with archive.open(member) as file:
        content = file.read(member.file_size + 1)
    if len(content) != member.file_size:
        raise BadZipFile(f"{member.filename} is not as long as the list of members says")
    return content


def _finding(id_: str, message: str, subject: str) -> Finding:
    return Finding(id_, message, _AGAIN, _CITATION, subject)
