"""A node's certificate is renewed before its end, and an Envoy behind the agent is served on."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.dataplane.test_relay import Place, envoy, nodes_hub, with_relay  # noqa: F401 - a fixture
from tests.eventually import eventually_in_loop

from bothways import files
from bothways.dataplane.admin import answers
from bothways.dataplane.hub_line import Identity
from bothways.dataplane.node_renewal import NEXT_FILE, NodeRenewal, settle
from bothways.errors import Unreachable
from bothways.operations.authorities import add_node_authority
from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.operations.hub import now as hub_now
from bothways.operations.nodes import OVERLAP, list_nodes, note_use
from bothways.operations.upkeep import upkeep
from bothways.pki.chain import certificate_pem, fingerprint, issued_by
from bothways.xds import names
from bothways.xds.state import Address


def shown(directory: Path) -> x509.Certificate:
    """Return the node's certificate, whose key lies beside it."""
    certificate = x509.load_pem_x509_certificate((directory / names.CERTIFICATE_FILE).read_bytes())
    key = load_pem_private_key((directory / names.KEY_FILE).read_bytes(), None)
    assert key.public_key() == certificate.public_key()
    assert (directory / names.KEY_FILE).stat().st_mode & 0o777 == 0o600
    return certificate


async def publishing(place: Place) -> None:
    """Let the hub's server know of what is stored, as the publisher does."""
    while True:
        place.ads.follow(await asyncio.to_thread(hub_state, place.hub))
        await asyncio.sleep(0.02)


def test_it_is_renewed_at_two_thirds_of_its_life_and_shown_from_then_on(nodes_hub: Hub) -> None:  # noqa: F811
    async def test(place: Place) -> None:
        before = shown(place.directory)
        life = before.not_valid_after_utc - before.not_valid_before_utc
        due = before.not_valid_after_utc - life / 3
        rounds = asyncio.create_task(publishing(place))
        early = NodeRenewal("eu-1", place.directory, place.line, lambda: due - timedelta(hours=1))
        assert not await early.look()
        assert shown(place.directory) == before
        late = NodeRenewal("eu-1", place.directory, place.line, lambda: due + timedelta(hours=1))
        async with envoy(place.socket) as talking:
            assert await place.ads.settled()
            assert await late.look()
            # The stream was over the line before.
            await talking
        after = shown(place.directory)
        assert after.public_key() != before.public_key()
        assert not (place.directory / NEXT_FILE).exists()
        await eventually_in_loop(lambda: answers(place.socket))
        async with envoy(place.socket):
            await eventually_in_loop(lambda: [each["connected"] for each in place.ads.nodes()] == [True])
            assert await place.ads.settled()
        asked = [each["fingerprint"] for each in list_nodes(place.hub)[0]["certificates"]]
        assert asked == [fingerprint(after), fingerprint(before)]
        rounds.cancel()

    asyncio.run(with_relay(nodes_hub, test))


def test_it_is_renewed_when_another_ca_signs_and_the_one_that_goes_is_trusted_no_more(nodes_hub: Hub) -> None:  # noqa: F811
    async def test(place: Place) -> None:
        before, trust = shown(place.directory), place.directory / names.TRUST_FILE
        first = trust.read_text()
        rounds = asyncio.create_task(publishing(place))
        renewal = NodeRenewal("eu-1", place.directory, place.line, place.hub.now)
        assert not await renewal.look()
        added = certificate_pem(add_node_authority(place.hub).certificate)
        assert await renewal.look()
        assert issued_by(shown(place.directory), x509.load_pem_x509_certificate(added.encode()))
        assert trust.read_text() == added + first
        assert not await renewal.look()
        await asyncio.to_thread(note_use, place.hub, fingerprint(shown(place.directory)))
        assert upkeep(place.hub).problems == ()
        later = replace(place.hub, now=lambda: hub_now() + OVERLAP)
        assert upkeep(later).problems == ()
        assert not await renewal.look()
        assert trust.read_text() == added
        # The control plane shows itself under the new CA by now, and is found.
        assert await place.line.first_word()
        assert shown(place.directory) != before
        rounds.cancel()

    asyncio.run(with_relay(nodes_hub, test))


def test_what_fails_is_told_and_the_old_one_goes_on(nodes_hub: Hub) -> None:  # noqa: F811
    async def test(place: Place) -> None:
        before = shown(place.directory)
        told = asyncio.Event()
        one = NodeRenewal("eu-2", place.directory, place.line, lambda: before.not_valid_after_utc, told.set)
        running = asyncio.create_task(one.run())
        await told.wait()
        running.cancel()
        assert "NODE-REQUEST-01" in one.problem
        assert shown(place.directory) == before
        async with envoy(place.socket):
            assert await place.ads.settled()

    asyncio.run(with_relay(nodes_hub, test))


def test_what_was_cut_short_between_two_files_is_finished(nodes_hub: Hub, tmp_path: Path) -> None:  # noqa: F811
    there = Address("127.0.0.1", nodes_hub.settings.nodes_port)
    bootstrap_node(nodes_hub, "eu-1", tmp_path, [there], [there])
    key, certificate = ((tmp_path / each).read_bytes() for each in (names.KEY_FILE, names.CERTIFICATE_FILE))
    (tmp_path / NEXT_FILE).write_bytes(key + certificate)
    (tmp_path / NEXT_FILE).chmod(0o600)
    (tmp_path / names.KEY_FILE).write_bytes(b"another")
    settle(tmp_path)
    assert shown(tmp_path) == x509.load_pem_x509_certificate(certificate)
    assert not (tmp_path / NEXT_FILE).exists()
    settle(tmp_path)


def test_a_new_certificate_that_finds_no_control_plane_takes_no_place(nodes_hub: Hub) -> None:  # noqa: F811
    async def test(place: Place) -> None:
        before, change = shown(place.directory), place.line.change
        rounds = asyncio.create_task(publishing(place))

        async def changed(identity: Identity) -> None:
            # It has signed, and is gone before the new certificate was shown.
            await place.ads.stop()
            await change(identity)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(place.line, "change", changed)
            with pytest.raises(Unreachable):
                await NodeRenewal("eu-1", place.directory, place.line, lambda: before.not_valid_after_utc).look()
        assert shown(place.directory) == before
        rounds.cancel()

    asyncio.run(with_relay(nodes_hub, test))


class Killed(BaseException):
    """As if the process had ended here."""


@pytest.mark.parametrize("before_file", [names.CERTIFICATE_FILE, names.KEY_FILE])
def test_a_renewal_that_ends_between_two_files_has_both_in_one_before(
    nodes_hub: Hub,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    before_file: str,
) -> None:
    written = files.replace

    def replaced(path: Path, *rest: Any) -> None:
        if path.name == before_file:
            raise Killed
        written(path, *rest)

    async def test(place: Place) -> None:
        before = shown(place.directory)
        rounds = asyncio.create_task(publishing(place))
        renewal = NodeRenewal("eu-1", place.directory, place.line, lambda: before.not_valid_after_utc)
        with monkeypatch.context() as patched:
            patched.setattr(files, "replace", replaced)
            with pytest.raises(Killed):
                await renewal.look()
        assert (place.directory / NEXT_FILE).stat().st_mode & 0o777 == 0o600
        settle(place.directory)
        assert shown(place.directory) != before
        rounds.cancel()

    asyncio.run(with_relay(nodes_hub, test))


def test_a_control_plane_that_does_not_take_the_new_one_changes_nothing(nodes_hub: Hub) -> None:  # noqa: F811
    async def test(place: Place) -> None:
        before = place.line.channel
        await place.ads.stop()
        with pytest.raises(Unreachable, match="tried again"):
            await place.line.change(place.identity)
        assert place.line.channel is before

    asyncio.run(with_relay(nodes_hub, test))
