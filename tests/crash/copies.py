"""Copies of a hub, each with a database of its own: a file is in the directory, and PostgreSQL copies for itself."""

import os
import shutil
import subprocess
from dataclasses import replace
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy import make_url
from tests.postgresql import program

from bothways.operations.settings import FILE, read_settings, render_settings

_NUMBERS = count(1)


def make_template(directory: Path, template: Path) -> None:
    """Copy a hub into one that copies are made of: in PostgreSQL, a database that somebody uses cannot be copied."""
    shutil.copytree(directory, template)
    if url := read_settings(directory).database:
        _made(template, url, "template0 ENCODING 'UTF8' LOCALE 'C'")
        dump = subprocess.run([str(program("pg_dump")), url], capture_output=True, check=True)
        load = [str(program("psql")), "-q", "-v", "ON_ERROR_STOP=1", read_settings(template).database]
        subprocess.run(load, input=dump.stdout, capture_output=True, check=True)


def copy_hub(template: Path, directory: Path) -> None:
    """Copy a hub that nobody works on."""
    shutil.copytree(template, directory)
    if url := read_settings(template).database:
        _made(directory, url, make_url(url).database or "")


def remove_hub(directory: Path) -> None:
    """Take a copy out again, whoever still works on it."""
    if url := read_settings(directory).database:
        _asked(url, f"DROP DATABASE {make_url(url).database} WITH (FORCE)")
    shutil.rmtree(directory)


def _made(directory: Path, url: str, template: str) -> None:
    """Make a database, and let the hub use it."""
    name = f"crash_{os.getpid()}_{next(_NUMBERS)}"
    _asked(url, f"CREATE DATABASE {name} TEMPLATE {template}")
    settings = read_settings(directory)
    named = make_url(url).set(database=name).render_as_string()
    (directory / FILE).write_text(render_settings(replace(settings, database=named)))


def _asked(url: str, statement: str) -> None:
    # A template has nobody who works on it, ourselves included.
    server = make_url(url).set(database="postgres").render_as_string()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)
