from collections.abc import Callable
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from bothways.pki.chain import fingerprint
from bothways.pki.keys import spki_pin
from bothways.pki.tree import chain_document, chain_lines

Make = Callable[..., tuple[Any, x509.Certificate]]


def test_a_chain_is_a_tree_from_the_root_down(make_certificate: Make, now: datetime) -> None:
    root = make_certificate("Root", key=ec.generate_private_key(ec.SECP384R1()), path_length=1)
    low = make_certificate("Low", root, days=(-1, 30))[1]
    document = chain_document((low, root[1]))
    [issued] = document["issued"]
    assert (document["subject"], document["role"], document["path_length"]) == ("CN=Root", "root", 1)
    assert (issued["subject"], issued["issuer"], issued["role"]) == ("CN=Low", "CN=Root", "intermediate")
    assert (document["key"], issued["key"]) == ("ECDSA P-384", "ECDSA P-256")
    assert (issued["fingerprint"], issued["spki_pin"]) == (fingerprint(low), spki_pin(low.public_key()))
    assert datetime.fromisoformat(issued["not_after"]) == low.not_valid_after_utc > now
    assert (issued["digest"], issued["issued"], issued["serial"]) == ("sha256", [], f"{low.serial_number:x}")


def test_people_see_each_certificate_under_its_issuer(make_certificate: Make) -> None:
    root = make_certificate("Root")
    middle = make_certificate("Middle", root)
    low = make_certificate("Low", middle)[1]
    lines = [*chain_lines(chain_document((low, middle[1], root[1])))]
    heads = [line for line in lines if "CN=" in line]
    assert heads == ["CN=Root (root)", "└─ CN=Middle (intermediate)", "   └─ CN=Low (intermediate)"]
    grouped = fingerprint(low)[:4].upper()
    assert any(f"fingerprint  {grouped[:2]}:{grouped[2:]}" in line for line in lines)
    assert "   valid        2026-11-22 to 2027-11-23" in lines


def test_nothing_that_a_stranger_writes_moves_the_cursor(make_certificate: Make) -> None:
    root = make_certificate("a\x1b[2J\u202e\nb")[1]
    assert all(line.isprintable() for line in chain_lines(chain_document((root,))))
