"""The hub's hold on the process: nothing counts as verified without its own answer, whatever becomes of the process."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from tests.eventually import eventually
from tests.vectors import keys, shape
from tests.verification.answers import answered, asked

from bothways.verification import verifier as module
from bothways.verification.process import possession_of
from bothways.verification.verifier import Asked, Verifier

GOOD = [possession_of(shape.with_subject(OU=(shape.UTF8, b"%d" % number))) for number in range(40)]
BAD = possession_of(shape.signed(shape.content(spki=shape.spki_of(keys.ecdsa("other")))))
NONE_ELSEWHERE = ([False] * len(GOOD), [*reversed(range(len(GOOD)))])
"""What `made_here` says of `GOOD` if nothing was answered."""
LIAR = """
import os, socket, sys
from hashlib import sha256
line = socket.socket(fileno=0)
line.sendall(bytes(1) + sha256(b"").digest())
while line.recv(65536):
    line.sendall(eval(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_cores", lambda: 2)


@pytest.fixture
def verifier() -> Iterator[Verifier]:
    made = Verifier(least=1)
    yield made
    made.close()


def made_here(handed: Asked, count: int) -> tuple[list[bool], list[int]]:
    """Return what holds by an answer, and which checks were made here, in their order."""
    here: list[int] = []
    return [handed.holds(place, here.append) for place in range(count)], here


def pid(verifier: Verifier) -> int:
    child = verifier._child
    assert child is not None
    return child.pid


def test_what_was_verified_elsewhere_is_not_verified_again(verifier: Verifier) -> None:
    handed = answered(verifier, GOOD)
    assert made_here(handed, len(GOOD)) == ([True] * len(GOOD), [])


def test_what_does_not_hold_is_looked_at_here_and_what_that_raises_is_raised(verifier: Verifier) -> None:
    handed = answered(verifier, [GOOD[0], BAD, GOOD[1]])
    assert made_here(handed, 3) == ([True, False, True], [1])

    def refuse(place: int) -> None:
        raise ValueError(place)

    with pytest.raises(ValueError, match="1"):
        handed.holds(1, refuse)


def test_without_an_answer_all_are_verified_here_from_the_last_one_on_and_each_once(verifier: Verifier) -> None:
    # The first one that asks has the process started, and does not wait for it.
    assert made_here(asked(verifier, GOOD), len(GOOD)) == NONE_ELSEWHERE


def test_a_process_that_was_killed_vouches_for_nothing_and_another_one_takes_its_place(verifier: Verifier) -> None:
    answered(verifier, GOOD)
    first = pid(verifier)
    os.kill(first, signal.SIGKILL)

    def replaced() -> bool:
        assert made_here(asked(verifier, GOOD), len(GOOD)) == NONE_ELSEWHERE
        # That the first one is gone may be seen before there is another.
        return verifier._child is not None and pid(verifier) != first

    eventually(replaced, "the process that was killed is not replaced")
    assert made_here(answered(verifier, GOOD), len(GOOD)) == ([True] * len(GOOD), [])


def test_a_process_that_stands_still_is_not_waited_for(verifier: Verifier) -> None:
    answered(verifier, GOOD)
    os.kill(pid(verifier), signal.SIGSTOP)
    assert made_here(asked(verifier, GOOD), len(GOOD)) == NONE_ELSEWHERE
    # It has not answered: nobody else's checks are put behind those.
    assert made_here(asked(verifier, GOOD), len(GOOD)) == NONE_ELSEWHERE


@pytest.mark.parametrize(
    "answers",
    [
        "bytes([1]) + sha256(b'something else').digest()",
        "os.urandom(3300)",
        "bytes([1]) * 33 * 1000",
    ],
)
def test_answers_to_other_octets_than_were_asked_end_the_process_and_count_for_nothing(answers: str) -> None:
    liar = Verifier([sys.executable, "-c", LIAR, answers], least=1)
    asked(liar, GOOD)
    first = pid(liar)

    def ended() -> bool:
        assert made_here(asked(liar, GOOD), len(GOOD)) == NONE_ELSEWHERE
        return liar._child is None or pid(liar) != first

    try:
        eventually(ended, "the process goes on")
    finally:
        liar.close()


def test_few_checks_and_a_single_core_start_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    few = Verifier(least=len(GOOD) + 1)
    assert made_here(asked(few, GOOD), len(GOOD)) == NONE_ELSEWHERE
    monkeypatch.setattr(module, "_cores", lambda: 1)
    alone = Verifier(least=1)
    assert made_here(asked(alone, GOOD), len(GOOD)) == NONE_ELSEWHERE
    assert (few._child, alone._child) == (None, None)


def test_a_process_that_cannot_be_started_is_done_without() -> None:
    absent = Verifier(["/nowhere/python"], least=1)
    for _ in range(3):
        assert made_here(asked(absent, GOOD), len(GOOD)) == NONE_ELSEWHERE
    absent.close()
