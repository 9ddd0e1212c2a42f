"""How far a change has come, as it is stored."""

from bothways.operations.hub import Hub
from bothways.store import rollout


def test_it_is_read_as_it_was_written_and_taken_back(hub: Hub) -> None:
    def found() -> tuple[object, object]:
        with hub.read() as connection:
            return rollout.find(connection)

    assert found() == (None, None)
    with hub.write() as transaction:
        rollout.give(transaction, {"services": [{"name": "tokens"}]})
        rollout.hold(transaction, {"node": "eu-1"})
    assert found() == ({"services": [{"name": "tokens"}]}, {"node": "eu-1"})
    with hub.write() as transaction:
        rollout.hold(transaction, None)
    assert found() == ({"services": [{"name": "tokens"}]}, None)
