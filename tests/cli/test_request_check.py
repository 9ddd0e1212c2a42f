import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from bothways.operations.hub import Hub
from bothways.operations.requests import list_requests

Run = Callable[..., "CompletedProcess[str]"]


def test_what_is_right_can_be_submitted_and_what_is_wrong_is_told_at_once(
    in_hub: Run, hub: Hub, issuer: str, make_csr: Callable[..., bytes], tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.csr", tmp_path / "bad.csr"
    good.write_bytes(make_csr())
    bad.write_bytes(make_csr(OU=None, CN="TLSMA-ECDSA/12345678/PRD"))
    done = in_hub("request", "check", issuer, good)
    assert (done.returncode, "can be submitted; fingerprint " in done.stdout) == (0, True)
    assert f"Next: bothways request submit {issuer} {good}" in done.stderr
    done = in_hub("request", "check", issuer, bad)
    assert done.returncode == 1
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["CSR-SUBJECT-01", "CSR-CN-01"]
    document = json.loads(in_hub("request", "check", issuer, bad, "--json").stdout)
    assert (document["acceptable"], document["fingerprint"]) == (False, None)
    assert list_requests(hub) == ()
    assert in_hub("request", "check", "nobody", good).returncode == 2
