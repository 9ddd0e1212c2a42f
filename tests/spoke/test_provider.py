"""This process's OpenSSL and pkcs11-provider; in processes of their own, for what is loaded is never unloaded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bothways.signer.token_uri import EXAMPLE, parse_token_uri
from bothways.spoke.provider import openssl_conf

pytestmark = pytest.mark.usefixtures("pkcs11_provider")

CODE = f"""
from dataclasses import replace
from pathlib import Path
from bothways.errors import Unusable
from bothways.signer.token_uri import parse_token_uri
from bothways.spoke.provider import provide
uri = parse_token_uri({EXAMPLE!r})
"""


def said(code: str, **environment: str) -> str:
    command = [sys.executable, "-c", CODE + code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=os.environ | environment
    )
    return done.stdout + done.stderr


def test_a_process_takes_one_library_and_says_so_of_another() -> None:
    code = """
provide(uri)
provide(uri)
try: provide(replace(uri, module=Path("/usr/lib/other.so")))
except Unusable as error: print(error)
"""
    assert "libsofthsm2.so already: OpenSSL takes one" in said(code)


def test_what_the_system_has_configured_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "openssl.cnf").write_text(openssl_conf(parse_token_uri(EXAMPLE)))
    code = """
provide(uri)
provide(replace(uri, module=Path("/usr/lib/other.so")))
print("taken")
"""
    assert said(code, OPENSSL_CONF=str(tmp_path / "openssl.cnf")) == "taken\n"


def test_where_it_is_not_installed_one_is_told_what_to_do(tmp_path: Path) -> None:
    code = """
import ssl
try: provide(uri)
except Unusable as error: print(error)
ssl.create_default_context()
print("whole")
"""
    heard = said(code, OPENSSL_MODULES=str(tmp_path))
    assert "OpenSSL says: could not load the shared library. Install pkcs11-provider" in heard
    assert "bothways spoke config nginx" in heard
    assert heard.endswith("whole\n")


def test_a_path_of_the_library_means_nothing_to_openssl() -> None:
    uri = parse_token_uri(EXAMPLE.replace("softhsm/", "a$b%23c/"))
    assert r"pkcs11-module-path = /usr/lib/a\$b\#c/libsofthsm2.so" in openssl_conf(uri)
