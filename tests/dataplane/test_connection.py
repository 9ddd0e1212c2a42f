"""What is told of one stream: whether it is settled, and since when it is not."""

from datetime import timedelta

from tests.conftest import NOW

from bothways.dataplane.connection import Connection
from bothways.dataplane.publisher import current_snapshot
from bothways.operations.hub import Hub
from bothways.xds import names
from bothways.xds.one_stream import over_one_stream
from bothways.xds.snapshot import Snapshot
from bothways.xds.stream import DeltaStream

EMPTY = Snapshot("v1", {})


class Counted(DeltaStream):
    """A stream that counts how often it is asked."""

    looks = 0

    def settled(self, snapshot: Snapshot) -> bool:
        self.looks += 1
        return snapshot.version == "v1"


def test_nobody_looks_again_where_nothing_was_said() -> None:
    stream = Counted()
    connection = Connection(1, "unix:", NOW, stream)
    assert [connection.settled(EMPTY) for _ in range(3)] == [True] * 3
    assert stream.looks == 1
    connection.steps += 1
    assert connection.settled(EMPTY)
    assert not connection.settled(Snapshot("v2", {}))
    assert (connection.settled(None), stream.looks) == (False, 3)


def test_it_is_behind_from_when_it_was_first_seen_to_be_until_it_is_not() -> None:
    connection = Connection(1, "unix:", NOW, Counted(), node="eu-1")
    behind = Snapshot("v2", {})
    for seconds in (1, 2):
        told = connection.document(behind, NOW + timedelta(seconds=seconds))
        assert (told["settled"], told["behind_since"]) == (False, (NOW + timedelta(seconds=1)).isoformat())
    assert connection.document(EMPTY, NOW)["behind_since"] is None
    assert connection.document(EMPTY, NOW)["version"] == "v1"


def test_only_where_what_is_between_is_older_a_node_takes_another_snapshot_made_once(hub: Hub) -> None:
    offered, connection = current_snapshot(hub), Connection(1, "unix:", NOW, Counted())
    assert connection.takes(offered) is offered
    connection.alone = True
    taken = connection.takes(offered)
    assert taken == over_one_stream(offered) != offered
    assert connection.takes(offered) is taken
    assert connection.takes(None) is None


def test_of_one_that_has_left_it_is_told_what_it_had() -> None:
    connection = Connection(1, "ipv4:192.0.2.1:7", NOW, DeltaStream(), node="eu-1")
    connection.stream.version = "v1"
    connection.stream.refusals = {names.LISTENER_TYPE: "in use"}
    told = connection.last_words(NOW)
    assert (told["node"], told["connected"], told["version"]) == ("eu-1", False, "v1")
    assert (told["since"], told["behind_since"], told["refused"]) == (NOW.isoformat(), NOW.isoformat(), {})
