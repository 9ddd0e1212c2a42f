"""Databases as each release made them, one file for each kind: what a later release must be able to take over."""

from pathlib import Path


def files() -> list[Path]:
    """Return the files, which `write` made."""
    return sorted(Path(__file__).parent.glob("*.sql"))
