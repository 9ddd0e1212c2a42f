from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]


def test_an_issuing_ca_is_added_listed_and_the_old_one_retired(
    in_hub: Run, document: Document, issuer: str, make_csr: Callable[..., bytes], tmp_path: Path
) -> None:
    (tmp_path / "tls.csr").write_bytes(make_csr())
    serial = document("request", "approve", document("request", "submit", issuer, tmp_path / "tls.csr")["id"])["serial"]
    added = document("hub", "authority", "add")
    assert "issuing G2" in added["subject"]
    listed = {each["id"]: (each["role"], each["state"], each["certificates"]) for each in _list(document)}
    assert listed == {
        1: ("issuing", "trusted", 1),
        2: ("client", "signing", 1),
        3: ("server", "signing", 1),
        4: ("node", "signing", 1),
        added["id"]: ("issuing", "signing", 0),
    }
    assert "issuing G2" in in_hub("hub", "authority", "list").stdout
    refused = document("hub", "authority", "retire", 1, "--reason", "tested", code=2)
    assert refused["error"] == "conflict"
    document("certificate", "revoke", serial)
    assert document("hub", "authority", "retire", 1, "--reason", "tested")["state"] == "retired"
    assert {each["id"]: each["state"] for each in _list(document)}[1] == "retired"


def _list(document: Document) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document("hub", "authority", "list")
    return found


def test_the_key_is_chosen_and_people_are_told_of_the_contract(in_hub: Run, document: Document) -> None:
    done = in_hub("hub", "authority", "add", "--ca-key", "rsa4096")
    assert done.returncode == 0
    assert "take it again" in done.stderr
    assert in_hub("hub", "authority", "add", "--ca-key", "whim").returncode == 2
    assert len(_list(document)) == 5


def test_a_client_ca_is_added_and_people_are_told_what_customers_do(in_hub: Run, document: Document) -> None:
    done = in_hub("hub", "authority", "add", "--role", "client")
    assert done.returncode == 0
    assert done.stdout.startswith("The Client CA ")
    assert "trust both Client CAs" in done.stderr
    listed = [(each["role"], each["state"], each["certificates"]) for each in document("hub", "authority", "list")]
    assert [each for each in listed if each[0] == "client"] == [("client", "trusted", 1), ("client", "signing", 0)]


def test_a_server_ca_is_announced_put_to_use_and_the_old_one_retired(
    in_hub: Run, document: Document, issuer: str, make_csr: Callable[..., bytes], tmp_path: Path
) -> None:
    (tmp_path / "tls.csr").write_bytes(make_csr())
    document("request", "approve", document("request", "submit", issuer, tmp_path / "tls.csr")["id"])
    done = in_hub("hub", "authority", "add", "--role", "server")
    number = done.stdout.split()[3]
    assert done.stdout.startswith(f"The server CA {number} is announced: ")
    assert f"bothways hub authority behind {number}" in done.stderr
    late = in_hub("hub", "authority", "behind", number)
    assert [line.split()[0] for line in late.stdout.splitlines()] == ["CUSTOMER", issuer]
    assert "bothways spoke contract --from-hub" in late.stderr
    assert document("hub", "authority", "activate", number, "--reason", "tested")["state"] == "signing"
    refused = document("hub", "authority", "retire", 3, "--reason", "tested", code=2)
    assert refused["error"] == "conflict"
    assert document("hub", "authority", "retire", 3, "--reason", "tested", "--force")["state"] == "retired"
    listed = {each["id"]: (each["state"], each["certificates"], each["behind"]) for each in _list(document)}
    assert (listed[3], listed[int(number)]) == (("retired", 0, None), ("signing", 1, None))
