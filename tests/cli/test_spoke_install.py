import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

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
