"""Debian's PostgreSQL, which has TLS as the one from the wheel has not: a server with a certificate, for the pages."""

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.conftest import free_ports
from tests.programs import absent_files, skip_if

from bothways.demo.customer_ca import make_server_files

HOST = "db.example"
"""Whom the server's certificate names: nobody resolves it, so that who calls is told the address beside it."""
PACKAGE = "postgresql"
_USER = "postgres"
_ALLOWED = f"local all {_USER} trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
"""Over the network nobody gets in without TLS and a password."""
_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is, for `HOST` on 127.0.0.1 and for its superuser, and the CA that its certificate is from."""

    port: int
    sockets: Path
    ca: Path

    def database(self) -> str:
        """Return the URL of its superuser's database, by the socket, which also another network reaches."""
        return f"postgresql://{_USER}@/{_USER}?host={quote(str(self.sockets))}&port={self.port}"


@contextmanager
def serving_postgresql() -> Iterator[Server]:
    """Run a server that holds nothing, as the user whom the package made if we are root; skip without the package."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda each: int(each.parts[-3]))
    skip_if(absent_files("PostgreSQL", PACKAGE, "/usr/lib/postgresql/*/bin/postgres"))
    [port] = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="tls-postgresql-") as name:
        place = Path(name)
        pki = make_server_files(place, "Databases", HOST)
        (place / "pg_hba.conf").write_text(_ALLOWED)
        # Others have to reach its socket.
        place.chmod(0o755)
        if os.geteuid() == 0:
            for each in (place, *place.iterdir()):
                os.chown(each, *_ids())
        made = ["--no-sync", "--auth", "trust", "--username", _USER, "--encoding", "UTF8", "--locale", "C.UTF-8"]
        _run([str(found[-1].parent / "initdb"), *made, "-D", f"{place}/data"])
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": place,
            "hba_file": place / "pg_hba.conf",
            "ssl": "on",
            "ssl_cert_file": pki.certificate,
            "ssl_key_file": pki.key,
            "fsync": "off",
        }
        control = [str(found[-1].parent / "pg_ctl"), "-D", f"{place}/data", "--wait"]
        options = " ".join(f"-c {each}={value}" for each, value in settings.items())
        _run([*control, "-l", f"{place}/log", "-o", f"-p {port} {options}", "start"])
        try:
            yield Server(port, place, pki.chain)
        finally:
            _run([*control, "--mode", "fast", "stop"])


def _run(command: Sequence[str]) -> None:
    as_whom: dict[str, Any] = {}
    if os.geteuid() == 0:
        user, group = _ids()
        as_whom = {"user": user, "group": group, "extra_groups": []}
    # Into nothing: the server would keep a pipe open that it inherits.
    subprocess.run(
        command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, check=True, timeout=_SECONDS, **as_whom
    )


def _ids() -> tuple[int, int]:
    entry = pwd.getpwnam(_USER)
    return entry.pw_uid, entry.pw_gid
