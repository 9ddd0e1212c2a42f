"""Make the vectors: `python -m tests.vectors.make` writes `csr/` and its `ORIGIN.tsv`; the same octets every time.

`python -m tests.vectors.make --tools` makes those of `cases_tools` anew as well: OpenSSL and keytool choose their keys
and nonces themselves, so that these differ each time. The primes of RSA keys are in `primes.json`; `keys.find_primes`
found them.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.vectors import cases_attribute, cases_file, cases_good, cases_key, cases_subject, cases_tools, keys
from tests.vectors.shape import Vector, pin, spki_of

PLACE = Path(__file__).parent / "csr"
ORIGIN = Path(__file__).parent / "ORIGIN.tsv"


def vectors() -> Iterator[Vector]:
    """Return all vectors that are the same every time."""
    for cases in (cases_key, cases_subject, cases_attribute, cases_file, cases_good):
        yield from cases.vectors()


def banned() -> dict[str, str]:
    """Return the SPKI pins that the vectors count as banned, with why."""
    why = "its private key was given away"
    return {pin(spki_of(keys.ecdsa("banned"))): why, pin(spki_of(keys.rsa("banned"))): why}


def moduli() -> int:
    """Return the product of the moduli that the vectors count as those of other keys."""
    return keys.rsa("shared").n


def main(arguments: list[str]) -> None:
    """Write the files."""
    PLACE.mkdir(exist_ok=True)
    rows = [line for line in ORIGIN.read_text().splitlines() if line.startswith("tool-")] if ORIGIN.exists() else []
    made = list(vectors())
    if "--tools" in arguments:
        rows = []
        made += cases_tools.vectors()
    kept = {line.split("\t")[0] for line in rows} | {each.file for each in made}
    if len({each.name for each in made}) != len(made):
        raise ValueError("a name stands twice")
    for each in made:
        (PLACE / each.file).write_bytes(each.data)
    for path in PLACE.iterdir():
        if path.name not in kept:
            path.unlink()
    rows += [f"{each.file}\t{each.origin}" for each in made]
    ORIGIN.write_text("\n".join(sorted(rows)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
