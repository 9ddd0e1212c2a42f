"""The release after this one, for tests: one more revision, which a test writes."""

import textwrap
from pathlib import Path

import pytest

from bothways.store import migration, version

WORKS = "op.add_column('contact', sa.Column('language', sa.Text()))"
"""A revision that does something."""


def become_next_release(place: Path, monkeypatch: pytest.MonkeyPatch, body: str = WORKS) -> None:
    """Let the code be that of a release that has one more revision, which does what `body` says."""
    before, copied = migration.REVISIONS, place / "revisions"
    (copied / "versions").mkdir(parents=True)
    for each in (*before.glob("*.py"), *before.glob("versions/*.*")):
        (copied / each.relative_to(before)).write_text(each.read_text())
    text = f'''
        """Keep the language of contacts."""
        import sqlalchemy as sa
        from alembic import op
        revision, down_revision = "{version.VERSION + 1}", "{version.VERSION}"
        def upgrade():
        '''
    (copied / "versions" / "next.py").write_text(f"{textwrap.dedent(text).strip()}\n    {body}\n")
    monkeypatch.setattr(migration, "REVISIONS", copied)
    monkeypatch.setattr(version, "VERSION", version.VERSION + 1)
