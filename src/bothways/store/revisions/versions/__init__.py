"""The revisions, in files named by what they change; `revision` is a number, one more than `down_revision`.

Each stands on its own: it imports no table of the present schema, for that goes on changing.
"""
