"""Encrypted keys from the request to a call's TLS context; and where their passphrase comes from."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bothways.contract.document import KeyType
from bothways.contract.subject import Subject
from bothways.errors import Unusable
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke
from bothways.spoke.install import install_certificate
from bothways.spoke.pair import read_key
from bothways.spoke.passphrase import FILE, VALUE, is_encrypted, new_passphrase, passphrase
from bothways.spoke.spoke_line import tls_context

KEY = Path("tls.key")


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text("correct horse\n")
    path.chmod(0o600)
    monkeypatch.setenv(FILE, str(path))
    return path


def test_a_key_is_encrypted_from_its_making_to_its_use_and_so_is_the_next_one(
    spoke: Spoke, subject: Subject, secret: Path, renewed: Callable[[Spoke], bytes]
) -> None:
    make_request(spoke, KeyType.ECDSA, subject, encrypt=True)
    assert spoke.key_file.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    install_certificate(spoke, renewed(spoke))
    assert tls_context(spoke) is not None
    make_request(spoke, KeyType.ECDSA, subject)
    assert is_encrypted((spoke.renewal / "tls.key").read_bytes())
    secret.write_text("another one\n")
    with pytest.raises(Unusable, match="not opened by the passphrase"):
        read_key(spoke.key_file)


def test_openssl_opens_the_key_with_the_same_passphrase(spoke: Spoke, subject: Subject, secret: Path) -> None:
    make_request(spoke, KeyType.ECDSA, subject, encrypt=True)
    command = ["openssl", "pkey", "-in", str(spoke.key_file), "-passin", f"file:{secret}", "-noout"]
    assert subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0


def test_the_file_comes_before_the_variable_and_others_must_not_read_it(
    secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VALUE, "in a variable")
    assert passphrase(KEY) == b"correct horse"
    secret.chmod(0o644)
    with pytest.raises(Unusable, match="mode 0644"):
        passphrase(KEY)
    secret.chmod(0o600)
    secret.write_text("\n")
    with pytest.raises(Unusable, match="is empty"):
        passphrase(KEY)
    monkeypatch.delenv(FILE)
    assert (passphrase(KEY), new_passphrase(KEY)) == (b"in a variable", b"in a variable")


def test_without_a_terminal_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FILE, raising=False)
    monkeypatch.delenv(VALUE, raising=False)
    with pytest.raises(Unusable, match=rf"nobody is there to ask.*{FILE}=PATH"):
        passphrase(Path("never asked"))


@pytest.mark.parametrize(("again", "said"), [("one", "b'one'"), ("two", "are not the same")])
def test_a_person_at_a_terminal_types_a_new_passphrase_twice(again: str, said: str) -> None:
    code = (
        "from pathlib import Path; from bothways.spoke.passphrase import new_passphrase\n"
        "try: print(new_passphrase(Path('k')))\nexcept Exception as error: print(error)"
    )
    clean = {name: value for name, value in os.environ.items() if name not in {FILE, VALUE}}
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", code]
    # Without a terminal of its own, it asks at the one that it is given.
    with subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=clean, start_new_session=True
    ) as asked:
        for prompt, typed in ((b"passphrase for k: ", "one"), (b"again: ", again)):
            heard = b""
            while prompt not in heard:
                heard += os.read(ours, 1024)
            os.write(ours, f"{typed}\n".encode())
        out, _ = asked.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert said in out.decode()
