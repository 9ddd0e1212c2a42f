import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from tests.cli.conftest import SUBJECT

Run = Callable[..., "CompletedProcess[str]"]


def test_install_refuses_what_is_not_its_own(ready: Run, contract_file: Path) -> None:
    assert ready("install", contract_file.parent / "missing.crt").returncode == 2
    done = ready("install", contract_file, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["findings"][0]["id"] == "INSTALL-02"


def test_a_hub_that_publishes_its_cas_takes_no_other_from_a_file(ready: Run, tmp_path: Path) -> None:
    before = (tmp_path / "spoke" / "contract.toml").read_bytes()
    for option in ("--ca", "--client-ca"):
        done = ready("install", tmp_path / "issued.crt", option, tmp_path / "spoke" / "ca.crt")
        assert (done.returncode, "publishes its CAs" in done.stderr) == (2, True)
    nothing = ready("install")
    assert (nothing.returncode, "name the file" in nothing.stderr) == (2, True)
    assert (tmp_path / "spoke" / "contract.toml").read_bytes() == before


def test_a_request_made_elsewhere_names_its_key_when_the_certificate_comes(
    in_spoke: Run, in_hub: Run, issuer: str, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    recipe = in_spoke("csr", *SUBJECT, "--openssl").stdout.replace(str(tmp_path / "spoke"), str(elsewhere))
    subprocess.run(["sh", "-e", "-c", recipe], check=True, capture_output=True, timeout=60)
    for wrong in (("--country", "FR"), ("--csr-file", elsewhere / "tls.csr", "--unit", "Pay")):
        assert in_spoke("csr", *wrong).returncode == 2
    taken = in_spoke("csr", "--csr-file", elsewhere / "tls.csr", "--json")
    assert (taken.returncode, json.loads(taken.stdout)["key"]) == (0, None)
    assert "install CERT --key-file KEY" in taken.stderr
    assert in_hub("request", "submit", issuer, json.loads(taken.stdout)["request"]).returncode == 0
    assert in_hub("request", "approve", 1, "--out", tmp_path / "issued.crt").returncode == 0
    assert in_spoke("install", tmp_path / "issued.crt", "--key-file", elsewhere / "tls.key").returncode == 0
