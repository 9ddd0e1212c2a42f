from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bothways.operations.hub import Hub
from bothways.operations.requests import approve_request, submit_request
from bothways.pki.keys import spki_pin

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]


def test_a_key_is_banned_by_a_file_with_what_is_certified_under_it(
    hub: Hub, in_hub: Run, document: Document, issuer: str, make_csr: Callable[..., bytes], tmp_path: Path
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    serial = approve_request(hub, submit_request(hub, issuer, make_csr(key)).id).serial
    pin = spki_pin(key.public_key())
    (tmp_path / "leaked.pem").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    done = document("key", "ban", tmp_path / "leaked.pem", "--reason", "on a public web site")
    assert done == {"banned": [pin], "new": [pin], "revoked": [serial], "in_force": None}
    assert document("certificate", "list")[0]["revoked_reason"] == "keyCompromise"
    again = in_hub("key", "ban", tmp_path / "leaked.pem", "--reason", "again")
    assert (again.returncode, again.stdout) == (0, f"{pin} is banned already\n")
    [listed] = document("key", "list")
    assert (listed["spki_pin"], listed["cause"], listed["reason"]) == (pin, "operator", "on a public web site")
    assert pin in in_hub("key", "list").stdout
    (tmp_path / "tls.csr").write_bytes(make_csr(key))
    refused = document("request", "submit", issuer, tmp_path / "tls.csr", code=1)
    assert [each["id"] for each in refused["findings"]] == ["CSR-KEY-10", "CSR-KEY-03"]
    assert pin in document("request", "keys")


def test_keys_are_banned_by_their_pins(document: Document, tmp_path: Path) -> None:
    pins = ["0a" * 32, "0b" * 32]
    assert document("key", "ban", pins[0], "--reason", "by mail")["new"] == pins[:1]
    (tmp_path / "pins").write_text("\n".join(pins))
    done = document("key", "ban", tmp_path / "pins", "--reason", "by mail")
    assert (done["banned"], done["new"]) == (pins, pins[1:])
    assert set(pins) <= set(document("request", "keys"))


@pytest.mark.parametrize("content", [None, b"", b"the key of First Bank"])
def test_what_names_no_key_bans_nothing(in_hub: Run, document: Document, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    done = in_hub("key", "ban", tmp_path / "key", "--reason", "by mail")
    assert (done.returncode, done.stdout) == (2 if content is None else 1, "")
    assert len(done.stderr.splitlines()) == 1
    assert document("key", "list") == []


@pytest.mark.parametrize("command", ["request", "chain"])
def test_a_private_key_that_is_submitted_is_banned_and_never_printed(
    in_hub: Run, document: Document, issuer: str, tmp_path: Path, command: str
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "file").write_bytes(pem)
    done = in_hub(command, "submit", issuer, tmp_path / "file")
    pin = spki_pin(key.public_key())
    assert (done.returncode, done.stdout) == (1, "")
    assert f"the key {pin} is banned for good" in done.stderr
    assert not any(line in done.stderr for line in pem.decode().splitlines()[1:-1])
    assert [(each["spki_pin"], each["cause"]) for each in document("key", "list")] == [(pin, "disclosed")]
    assert pem.decode().splitlines()[1] not in in_hub("audit", "export").stdout
