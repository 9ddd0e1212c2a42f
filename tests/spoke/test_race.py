import pytest
from hypothesis import given
from hypothesis import strategies as st

from bothways.spoke.race import DELAY_SECONDS, Race


@pytest.mark.parametrize(
    ("given_", "order"),
    [
        (["a", "b"], ["a", "b"]),
        (["::1", "::2", "a", "b"], ["::1", "a", "::2", "b"]),
        (["a", "b", "::1"], ["a", "::1", "b"]),
        ([], []),
    ],
)
def test_families_take_turns_and_the_first_keeps_its_place(given_: list[str], order: list[str]) -> None:
    race = Race(given_)
    assert [race.start(number * DELAY_SECONDS) for number in range(len(given_))] == order


def test_the_next_address_waits_for_the_delay_or_for_a_failure() -> None:
    race = Race(["a", "b", "c"])
    assert race.start(0) == "a"
    assert race.start(DELAY_SECONDS - 0.01) is None
    assert race.pause(0.1) == DELAY_SECONDS - 0.1
    assert race.start(DELAY_SECONDS) == "b"
    race.failed()
    assert race.pause(DELAY_SECONDS) == 0
    assert race.start(DELAY_SECONDS) == "c"
    assert race.pause(DELAY_SECONDS) is None


def test_it_is_lost_when_all_have_failed() -> None:
    race = Race(["a", "b"])
    assert not race.lost()
    for _ in range(2):
        assert race.start(0)
        race.failed()
    assert race.lost()
    assert Race([]).lost()


@given(st.lists(st.sampled_from(["a", "b", "::1", "::2"]), unique=True), st.lists(st.floats(0, 1)))
def test_each_address_is_tried_once_and_none_is_forgotten(addresses: list[str], waits: list[float]) -> None:
    race, now, tried = Race(addresses), 0.0, []
    for wait in [*waits, *[DELAY_SECONDS] * len(addresses)]:
        now += wait
        if (address := race.start(now)) is not None:
            tried.append(address)
    assert sorted(tried) == sorted(addresses)
