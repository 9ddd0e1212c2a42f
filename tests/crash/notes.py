"""What is written down beside a hub, and outlives the process that writes it: what was signed, said and seen."""

from pathlib import Path

SIGNED = "signed"
ACKNOWLEDGED = "acknowledged"
PUBLISHED = "published"


def note(directory: Path, name: str, line: str) -> None:
    """Write a line down that outlives the process."""
    with (directory / name).open("a") as file:
        file.write(line + "\n")


def noted(directory: Path, name: str) -> list[str]:
    """Return the lines that were written down."""
    path = directory / name
    return path.read_text().splitlines() if path.exists() else []
