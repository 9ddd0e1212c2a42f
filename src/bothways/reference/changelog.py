"""`make changelog VERSION=X`: join the fragments of `changes/` into `CHANGELOG.md`, and remove them."""

import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from bothways.errors import Conflict, NotFound, Unusable

KINDS = {"security": "Security", "added": "Added", "changed": "Changed", "fixed": "Fixed", "removed": "Removed"}
"""What a fragment can be, by the part of its name before `.md`, in the order in which a release tells them."""

_HEAD = "# Changes\n\nWhat people notice, by release, the newest first.\n"
_VERSION = re.compile(r"\d+\.\d+\.\d+([ab.-][\w.]+)?")


def fragments(changes: Path) -> dict[str, list[str]]:
    """Return the sentences by kind. Raises `Unusable` for a fragment of no kind, or with nothing in it."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for path in sorted(changes.glob("*.md")):
        if path.name == "README.md":
            continue
        kind = path.name.split(".")[-2] if path.name.count(".") > 1 else ""
        said = " ".join(path.read_text(encoding="utf-8").split())
        if kind not in KINDS or not said:
            raise Unusable(f"{path} is no fragment. Name it NAME.KIND.md, of {', '.join(KINDS)}, and write a sentence.")
        found[kind].append(said)
    return found


def section(version: str, day: date, found: dict[str, list[str]]) -> str:
    """Return what a release tells, in Markdown."""
    parts = [f"## {version} ({day:%Y-%m-%d})\n"]
    for kind, title in KINDS.items():
        if found[kind]:
            parts.append(f"### {title}\n\n" + "\n".join(f"- {each}" for each in found[kind]) + "\n")
    return "\n".join(parts)


def release(root: Path, version: str, day: date) -> str:
    """Write the section of a release above those before it, remove its fragments, and return the section.

    Raises `Unusable` for a version or a fragment that is none, `Conflict` if the version is there, `NotFound` if there
    is nothing to tell.
    """
    if not _VERSION.fullmatch(version):
        raise Unusable(f"{version!r} is no version. Give one like 0.2.0: make changelog VERSION=0.2.0")
    log = root / "CHANGELOG.md"
    before = log.read_text(encoding="utf-8").removeprefix(_HEAD) if log.exists() else ""
    if f"\n## {version} (" in before:
        raise Conflict(f"{log} has {version} already. Give the next version.")
    found = fragments(root / "changes")
    if not any(found.values()):
        raise NotFound(f"{root / 'changes'} holds no fragment: there is nothing to tell about {version}.")
    told = section(version, day, found)
    log.write_text(f"{_HEAD}\n{told}{before}", encoding="utf-8")
    for kind in KINDS:
        for path in (root / "changes").glob(f"*.{kind}.md"):
            path.unlink()
    return told


if __name__ == "__main__":
    print(release(Path.cwd(), sys.argv[1], datetime.now(UTC).date()))  # noqa: T201 - a command
