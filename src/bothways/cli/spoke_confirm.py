"""What a person has to confirm with the hub's representative: by options, or asked for at a terminal."""

import sys

from cryptography import x509

from bothways.cli.output import tell
from bothways.errors import Unusable
from bothways.pki.chain import fingerprint
from bothways.spoke.preset import Settled, Unsure, find_preset, settle


def settled_preset(contract: str, confirm: list[str]) -> Settled | None:
    """Return the contract of the preset with what was confirmed; None if this is no preset. Raises `Unusable`."""
    preset = find_preset(contract)
    said: dict[str, str] = {}
    for each in confirm:
        setting, equals, value = each.partition("=")
        if not (equals and value):
            raise Unusable(f"--confirm {each!r} has no value. Give it as SETTING=VALUE.")
        if said.setdefault(setting, value) != value:
            raise Unusable(f"--confirm says {setting} twice. Say it once.")
    if preset is None:
        if said:
            raise Unusable(f"{contract} is a whole contract, with nothing to confirm. Leave --confirm out.")
        return None
    if _somebody_is_there():
        tell(f"{preset.title}, from {preset.source}. Confirm with the hub's representative:")
        for unsure in preset.unsure:
            if unsure.setting not in said:
                said[unsure.setting] = _asked(unsure)
    return settle(preset, said)


def is_the_hubs(found: x509.Certificate, wanted: str | None) -> bool:
    """Tell whether a CA seen for the first time is the hub's: by the fingerprint that was given, or by asking."""
    seen = fingerprint(found)
    if wanted is not None:
        return wanted.lower().replace(":", "") == seen
    if not _somebody_is_there():
        return False
    tell(f"The hub's issuing CA is not known yet. The file holds {found.subject.rfc4514_string()}, SHA-256 {seen}")
    return _typed("Does the hub's representative read out the same? (yes/no) ") == "yes"


def _asked(unsure: Unsure) -> str:
    tell(f"  {unsure.setting}: {unsure.why}")
    while not (typed := _typed(f"  'yes' for {unsure.suggestion}, or what it is: ")):
        tell("  Nothing is assumed: type yes, or the value.")
    return unsure.suggestion if typed == "yes" else typed


def _typed(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)  # noqa: T201 - a question, and no result
    if not (line := sys.stdin.readline()):
        raise Unusable("the question was not answered, so nothing was done. Give the answer by an option.")
    return line.strip()


def _somebody_is_there() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
