"""Asking the process that verifies, and waiting for it, which nothing but a test does."""

import time

from tests.eventually import eventually

from bothways.verification.verifier import Asked, Verifier


def asked(verifier: Verifier, checks: list[bytes]) -> Asked:
    handed = verifier.ask(len(checks))
    for each in checks:
        handed.add(each)
    handed.look()
    return handed


def answered(verifier: Verifier, checks: list[bytes]) -> Asked:
    """Ask until there is an answer to each: the process may have to start, or still be busy."""
    found: list[Asked] = []

    def complete() -> bool:
        found.append(asked(verifier, checks))
        for _ in range(100):
            found[-1].look()
            if not found[-1].open:
                return True
            time.sleep(0.01)
        return False

    eventually(complete, "the process does not answer")
    return found[-1]
