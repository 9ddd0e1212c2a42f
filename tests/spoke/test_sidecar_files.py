import os
from dataclasses import replace
from pathlib import Path

import pytest

from bothways import files
from bothways.contract.render import render_contract
from bothways.demo.customer_ca import ServerFiles, make_server_files
from bothways.errors import Unusable
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.spoke.directory import Spoke
from bothways.spoke.sidecar import Callbacks, Sidecar
from bothways.spoke.sidecar_files import SidecarFiles
from bothways.xds.state import Address


@pytest.fixture
def server(tmp_path: Path) -> ServerFiles:
    return make_server_files(tmp_path, "First Bank", "callbacks.localhost")


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def made(ready_spoke: Spoke, server: ServerFiles, tmp_path: Path, told: list[str]) -> SidecarFiles:
    local, callbacks = Address("127.0.0.1", 1), Callbacks(Address("127.0.0.1", 2), Address("127.0.0.1", 3))
    pairs = {
        "client-pair": (ready_spoke.certificate_file, ready_spoke.key_file),
        "server-pair": (server.certificate, server.key),
    }
    return SidecarFiles(
        ready_spoke, lambda now: Sidecar(now.contract, tmp_path / "run", local, callbacks), pairs, told.append
    )


def test_all_files_are_this_users_own_and_no_key_is_copied(made: SidecarFiles, server: ServerFiles) -> None:
    place = made.bootstrap_file.parent
    written = [path for path in place.rglob("*") if path.is_file() and not path.is_symlink()]
    assert sorted(each.name for each in written) == [
        "client-ca-trust.json",
        "client-pair.json",
        "envoy.json",
        "hub-trust.json",
        "server-pair.json",
    ]
    assert {each.stat().st_mode & 0o777 for each in written} == {0o600}
    assert place.stat().st_mode & 0o777 == 0o700
    assert (place / "server-pair" / "tls.key").readlink() == server.key


def test_the_link_of_a_changed_pair_is_renewed_and_that_of_another_is_not(
    made: SidecarFiles, server: ServerFiles, tmp_path: Path, told: list[str]
) -> None:
    def links() -> dict[str, int]:
        return {name: os.lstat(tmp_path / "run" / name / "tls.crt").st_ino for name in ("client-pair", "server-pair")}

    before = links()
    made.look()
    assert links() == before
    (tmp_path / "next").mkdir()
    following = make_server_files(tmp_path / "next", "First Bank", "callbacks.localhost")
    server.certificate.write_bytes(following.certificate.read_bytes())
    made.look()
    assert links() == before
    assert "cannot be used" in told[-1]
    server.key.write_bytes(following.key.read_bytes())
    made.look()
    assert links()["client-pair"] == before["client-pair"]
    assert links()["server-pair"] != before["server-pair"]
    assert told[-1] == "server-pair: files have changed and are in use"


def test_a_contract_that_pins_is_not_taken_and_one_with_another_endpoint_is_told(
    made: SidecarFiles, ready_spoke: Spoke, hub: Hub, told: list[str]
) -> None:
    now = ready_spoke.contract
    trust = made.bootstrap_file.parent / "client-ca-trust.json"
    before = trust.read_bytes()
    pinned = replace(now, trust=replace(now.trust, client_ca=hub_state(hub).client.certificate_pem))
    files.replace(ready_spoke.contract_file, render_contract(pinned).encode())
    made.look()
    assert "SPOKE-PIN" in told[-1]
    assert trust.read_bytes() == before
    moved = replace(now, terms=replace(now.terms, endpoint="https://elsewhere.hub.localhost"))
    files.replace(ready_spoke.contract_file, render_contract(moved).encode())
    made.look()
    assert "start it again" in told[-1]
    assert "elsewhere.hub.localhost" in (trust.parent / "hub-trust.json").read_text()


def test_without_a_certificate_nothing_begins(spoke: Spoke, tmp_path: Path) -> None:
    def plan(now: Spoke) -> Sidecar:
        return Sidecar(now.contract, tmp_path / "run", Address("127.0.0.1", 1))

    with pytest.raises(Unusable, match=r"tls\.crt"):
        SidecarFiles(spoke, plan, {"client-pair": (spoke.certificate_file, spoke.key_file)}, print)
    assert not (tmp_path / "run").exists()
