"""What was saved is read back whole, by who has the secret, or not at all."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf.any_pb2 import Any

from bothways.dataplane.publisher import current_snapshot
from bothways.dataplane.saved import SavedSnapshot
from bothways.errors import Unusable
from bothways.operations.hub import Hub
from bothways.operations.services import add_service
from bothways.registry.service import Service
from bothways.xds import names
from bothways.xds.resource import Deferred, Resource
from bothways.xds.snapshot import Snapshot


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "snapshot"


def modified(place: Path) -> dict[str, int]:
    return {each.name: each.stat().st_mtime_ns for each in place.iterdir()}


def test_nothing_saved_is_none(place: Path) -> None:
    assert SavedSnapshot(place, lambda: b"secret").load() is None


def test_what_was_saved_is_read_by_another_process(hub: Hub, place: Path) -> None:
    snapshot, now = current_snapshot(hub), hub.now()
    SavedSnapshot(place, lambda: b"secret").save(snapshot, now)
    found = SavedSnapshot(place, lambda: b"secret").load()
    assert found is not None
    assert (found.snapshot, found.saved_at) == (snapshot, now)


def test_the_private_keys_in_it_are_readable_by_nobody(hub: Hub, place: Path) -> None:
    snapshot = current_snapshot(hub)
    SavedSnapshot(place, lambda: b"secret").save(snapshot, hub.now())
    assert b"PRIVATE KEY" in snapshot.of(names.SECRET_TYPE)[names.SERVER_CERTIFICATE].packed.value
    assert all(b"PRIVATE KEY" not in each.read_bytes() for each in place.iterdir())
    assert {each.stat().st_mode & 0o777 for each in place.iterdir()} == {0o600}
    assert place.stat().st_mode & 0o777 == 0o700


def test_what_cannot_be_packed_is_named_and_what_was_saved_before_stays(hub: Hub, place: Path) -> None:
    snapshot, saved = current_snapshot(hub), SavedSnapshot(place, lambda: b"secret")
    saved.save(snapshot, hub.now())
    clusters = dict(snapshot.of(names.CLUSTER_TYPE)) | {"bad": Deferred("bad", "1", lambda: 1 // 0)}
    bad = replace(snapshot, version="bad", resources=dict(snapshot.resources) | {names.CLUSTER_TYPE: clusters})
    with pytest.raises(Unusable, match="bad cannot be packed: ZeroDivisionError"):
        saved.save(bad, hub.now())
    found = saved.load()
    assert found is not None
    assert found.snapshot == snapshot


def test_no_two_files_are_encrypted_alike(hub: Hub, place: Path) -> None:
    saved, snapshot = SavedSnapshot(place, lambda: b"secret"), current_snapshot(hub)
    saved.save(snapshot, hub.now())
    index = (place / "index").read_bytes()
    # The index is written again, and all else is there.
    saved.save(snapshot, hub.now())
    salt_and_nonce = [each[:28] for each in (index, *(each.read_bytes() for each in place.iterdir()))]
    assert len({*salt_and_nonce}) == len(salt_and_nonce) > 2


def test_only_what_changed_is_written_and_nothing_old_stays(hub: Hub, place: Path) -> None:
    saved = SavedSnapshot(place, lambda: b"secret")
    saved.save(current_snapshot(hub), hub.now())
    before = modified(place)
    add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9"))
    saved.save(current_snapshot(hub), hub.now())
    after = modified(place)
    same = {name.split("-")[0] for name, moment in before.items() if after.get(name) == moment}
    # A service is a cluster and a route; listeners and secrets stand as they were.
    assert same == {"listener", "secret", "typedextensionconfig"}
    assert len(after) == len(before) == 6
    found = saved.load()
    assert found is not None
    assert found.snapshot == current_snapshot(hub)


def test_what_an_earlier_process_wrote_stays_if_it_is_whole(hub: Hub, place: Path) -> None:
    snapshot = current_snapshot(hub)
    SavedSnapshot(place, lambda: b"secret").save(snapshot, hub.now())
    [damaged] = place.glob("secret*")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    before = modified(place)
    another = SavedSnapshot(place, lambda: b"secret")
    another.save(snapshot, hub.now())
    after = modified(place)
    assert {name.split("-")[0] for name, moment in before.items() if after[name] != moment} == {"secret", "index"}
    found = another.load()
    assert found is not None
    assert found.snapshot == snapshot


@pytest.mark.parametrize("kind", ["index", "secret", "listener", "routeconfiguration", "cluster"])
def test_what_somebody_changed_is_not_read(hub: Hub, place: Path, kind: str) -> None:
    saved = SavedSnapshot(place, lambda: b"secret")
    saved.save(current_snapshot(hub), hub.now())
    [path] = place.glob(f"{kind}*")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(Unusable, match=f"{kind}.* is not what the hub saved.*Start the hub"):
        saved.load()


def test_one_file_does_not_pass_for_another(hub: Hub, place: Path) -> None:
    saved = SavedSnapshot(place, lambda: b"secret")
    saved.save(current_snapshot(hub), hub.now())
    [one], [other] = place.glob("secret-*"), place.glob("listener-*")
    one.write_bytes(other.read_bytes())
    with pytest.raises(Unusable, match="is not what the hub saved"):
        saved.load()


def test_another_passphrase_reads_nothing_and_the_next_save_heals_it(hub: Hub, place: Path) -> None:
    SavedSnapshot(place, lambda: b"secret").save(current_snapshot(hub), hub.now())
    other = SavedSnapshot(place, lambda: b"another")
    with pytest.raises(Unusable, match="another passphrase"):
        other.load()
    other.save(current_snapshot(hub), hub.now())
    assert other.load() is not None


def test_a_save_that_fails_leaves_the_one_before(hub: Hub, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = SavedSnapshot(place, lambda: b"secret")
    first = current_snapshot(hub)
    saved.save(first, hub.now())
    add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9"))
    true_replace: Callable[..., object] = os.replace

    def full(source: str, target: Path) -> None:
        if Path(target).name == "index":
            raise OSError(28, "No space left on device")
        true_replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(Unusable, match="the disk is full"):
        saved.save(current_snapshot(hub), hub.now())
    found = SavedSnapshot(place, lambda: b"secret").load()
    assert found is not None
    assert found.snapshot == first


def test_the_servers_of_thousands_are_saved_one_part_after_the_other_and_what_all_nodes_have_at_once(
    hub: Hub, place: Path
) -> None:
    plain, secrets = current_snapshot(hub), (names.client_certificate(f"{number}") for number in range(900))
    apart = {name: Resource(name, "1", Any()) for name in secrets}
    snapshot = replace(plain, on_demand={names.SECRET_TYPE: apart})
    saved = SavedSnapshot(place, lambda: b"secret")
    assert not saved.save(snapshot, hub.now())
    read = SavedSnapshot(place, lambda: b"secret").load()
    assert read is not None
    assert read.snapshot.resources == plain.resources
    assert 0 < len(read.snapshot.on_demand[names.SECRET_TYPE]) < 900
    # Another process goes on where this one ended.
    saved, calls = SavedSnapshot(place, lambda: b"secret"), 1
    while not saved.save(snapshot, hub.now()):
        calls += 1
    assert calls == 256 // 32
    read = saved.load()
    assert read is not None
    assert read.snapshot == snapshot
    assert saved.save(snapshot, hub.now())
    # Where all of them change, each is there all the time: as it was, until it is as it is. By another process, too.
    changed = {name: Resource(name, "2", Any()) for name in apart if name != names.client_certificate("7")}
    later = replace(plain, version="later", on_demand={names.SECRET_TYPE: changed})
    saved = SavedSnapshot(place, lambda: b"secret")
    seen: list[set[str]] = []
    while True:
        whole = saved.save(later, hub.now())
        read = SavedSnapshot(place, lambda: b"secret").load()
        assert read is not None
        assert read.snapshot.version == "later"
        assert read.snapshot.on_demand[names.SECRET_TYPE].keys() >= changed.keys()
        seen.append({each.version for each in read.snapshot.on_demand[names.SECRET_TYPE].values()})
        if whole:
            break
    assert seen == [{"1", "2"}] * (256 // 32 - 1) + [{"2"}]
    assert read.snapshot == later


def many(snapshot: Snapshot, **changed: str) -> Snapshot:
    """Return the snapshot with a thousand clusters, of which some are changed."""
    clusters = {
        name: Resource(name, changed.get(name, "1"), Any()) for name in (f"c{number}" for number in range(1000))
    }
    return Snapshot(f"{changed}", {**snapshot.resources, names.CLUSTER_TYPE: clusters})


def test_a_change_among_many_resources_writes_a_part_of_them(hub: Hub, place: Path) -> None:
    saved, snapshot = SavedSnapshot(place, lambda: b"secret"), current_snapshot(hub)
    saved.save(many(snapshot), hub.now())
    before = modified(place)
    saved.save(many(snapshot, c7="2"), hub.now())
    after = modified(place)
    assert len({*after} - {*before}) == 1
    assert {name for name in {*after} & {*before} if after[name] != before[name]} == {"index"}
    found = SavedSnapshot(place, lambda: b"secret").load()
    assert found is not None
    assert found.snapshot == many(snapshot, c7="2")


def test_a_secret_that_changes_seals_everything_anew(hub: Hub, place: Path) -> None:
    secret, snapshot = [b"secret"], current_snapshot(hub)
    saved = SavedSnapshot(place, lambda: secret[0])
    saved.save(snapshot, hub.now())
    kept = SavedSnapshot(place, lambda: secret[0])
    assert kept.load()
    assert not saved.outdated()
    secret[0] = b"another"
    assert saved.outdated()
    with pytest.raises(Unusable, match="another passphrase"):
        kept.load()
    saved.save(snapshot, hub.now())
    found = kept.load()
    assert found
    assert found.snapshot.version == snapshot.version
