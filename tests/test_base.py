"""The base package is what a customer installs: light on disk, and light to import."""

import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FETCHED_MOST = 15_000_000
"""Bytes that `pip install` fetches."""

INSTALLED_MOST = 32_000_000
"""Bytes on disk, more than half of which is the library of `cryptography`."""

OWN = {"bothways", "flit-core"}


def locked() -> Iterator[str]:
    """Return the distributions of the base's lock that are installed here; those for other systems are not."""
    text = (ROOT / "requirements" / "base.txt").read_text()
    for name in re.findall(r"^([a-z0-9_.-]+)==", text, flags=re.MULTILINE):
        if name not in OWN and any(True for _ in metadata.distributions(name=name)):
            yield name


def files(name: str) -> Iterator[Path]:
    """Return the files of a distribution, as its RECORD lists them; what Python compiled of them is not counted."""
    for each in metadata.distribution(name).files or []:
        path = Path(str(each.locate()))
        if path.suffix != ".pyc" and path.is_file():
            yield path


def test_the_base_is_less_than_15_mb_to_fetch() -> None:
    names = set(locked())
    assert {"cryptography", "cyclopts", "dnspython", "httpx2", "httpcore2"} <= names
    own = [each for each in (ROOT / "src").rglob("*") if each.is_file() and each.suffix != ".pyc"]
    contents = [each.read_bytes() for each in (*own, *(path for name in names for path in files(name)))]
    assert sum(map(len, contents)) < INSTALLED_MOST
    # A wheel is a zip archive, each file deflated for itself: this is what is fetched, to a few per cent.
    assert sum(len(zlib.compress(each)) for each in contents) < FETCHED_MOST


def modules(code: str) -> set[str]:
    """Return the top names of all modules that a fresh interpreter has loaded after the code."""
    code += "\nimport sys; print(*{each.partition('.')[0] for each in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


HEAVY = {
    "aiohttp",
    "alembic",
    "envoy",
    "fastapi",
    "google",
    "grpc",
    "jinja2",
    "prometheus_client",
    "psycopg",
    "requests",
    "sqlalchemy",
    "starlette",
    "urllib3",
    "uvicorn",
}


@pytest.mark.parametrize(
    "code",
    [
        "import bothways.spoke",
        "from bothways.spoke import AsyncClient, Client",
        "import bothways.spoke.csr, bothways.spoke.install, bothways.spoke.listen, bothways.spoke.status",
    ],
)
def test_the_spoke_loads_no_server_database_grpc_or_envoy(code: str) -> None:
    assert modules(code) & HEAVY == set()


def test_the_clients_are_loaded_when_they_are_asked_for() -> None:
    assert "httpx2" not in modules("import bothways.spoke")
    assert "httpx2" in modules("from bothways.spoke import Client")


@pytest.mark.parametrize(
    ("module", "needs"), [("requests_adapter", "requests"), ("aiohttp_connector", "aiohttp"), ("receive", "uvicorn")]
)
def test_the_other_libraries_come_with_their_own_modules(module: str, needs: str) -> None:
    loaded = modules(f"import bothways.spoke.{module}")
    assert needs in loaded
    assert loaded & (HEAVY - {"requests", "aiohttp", "urllib3", "uvicorn"}) == set()


def test_a_name_that_the_spoke_does_not_have_is_said() -> None:
    import bothways.spoke  # noqa: PLC0415 - not before the other tests have looked

    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = bothways.spoke.Nothing
