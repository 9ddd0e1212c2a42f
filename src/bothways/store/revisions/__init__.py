"""The history of the schema, for Alembic: one file for each revision in `versions`, which no one changes any more."""
