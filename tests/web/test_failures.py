from datetime import timedelta

from bothways.operations.hub import Hub
from bothways.web.failures import Failures


def test_wrong_passwords_are_forgotten_after_a_minute(hub: Hub) -> None:
    failures, moment = Failures(), hub.now()
    for second in range(10):
        failures.add(("10.0.0.1", "a"), moment + timedelta(seconds=second))
    assert failures.too_many(("10.0.0.1", "a"), moment + timedelta(seconds=60))
    assert not failures.too_many(("10.0.0.1", "a"), moment + timedelta(seconds=61))
    assert not failures.too_many(("10.0.0.2", "a"), moment)
