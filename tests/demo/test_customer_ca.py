import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from bothways.demo.customer_ca import ServerFiles, make_server_files
from bothways.errors import Conflict

HOST = "callbacks.bank.example"


def verify(made: ServerFiles, *options: str) -> subprocess.CompletedProcess[str]:
    command = ["openssl", "verify", "-CAfile", str(made.chain), "-purpose", "sslserver", *options]
    return subprocess.run([*command, str(made.certificate)], capture_output=True, text=True, check=False, timeout=30)


def test_openssl_verifies_the_server_under_its_chain(tmp_path: Path) -> None:
    made = make_server_files(tmp_path, "First Bank", HOST)
    assert verify(made, "-verify_hostname", HOST).returncode == 0
    other = verify(made, "-verify_hostname", "other.bank.example")
    assert other.returncode != 0
    assert "mismatch" in other.stderr.lower()


def test_a_negative_number_of_days_makes_an_expired_certificate(tmp_path: Path) -> None:
    done = verify(make_server_files(tmp_path, "First Bank", HOST, days=-1))
    assert done.returncode != 0
    assert "certificate has expired" in done.stderr


def test_the_server_hands_over_its_intermediate_and_the_chain_ends_in_the_root(tmp_path: Path) -> None:
    made = make_server_files(tmp_path, "First Bank", HOST)
    leaf, intermediate = x509.load_pem_x509_certificates(made.certificate.read_bytes())
    chain = x509.load_pem_x509_certificates(made.chain.read_bytes())
    assert chain[0] == intermediate
    assert leaf.issuer == intermediate.subject
    assert chain[1].subject == chain[1].issuer == intermediate.issuer


def test_two_pkis_of_the_same_name_do_not_vouch_for_each_other(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made.append(make_server_files(tmp_path / name, "First Bank", HOST))
    mixed = ServerFiles(made[0].certificate, made[0].key, made[1].chain)
    assert verify(mixed).returncode != 0


def test_the_key_is_private_and_nothing_is_overwritten(tmp_path: Path) -> None:
    made = make_server_files(tmp_path, "First Bank", HOST)
    before = made.key.read_bytes()
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    with pytest.raises(Conflict):
        make_server_files(tmp_path, "First Bank", HOST)
    assert made.key.read_bytes() == before
