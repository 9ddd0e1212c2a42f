from dataclasses import replace

import pytest
from tests.vectors import keys, shape

from bothways.findings import Level
from bothways.pki.proof import PROOF, sender_holds_the_key
from bothways.pki.reading import read_request


def test_each_rule_refuses_and_has_a_citation() -> None:
    assert {rule.level for rule in PROOF} == {Level.ERROR}
    assert all(rule.citation for rule in PROOF)


@pytest.mark.parametrize("data", [shape.good(), shape.good_rsa("2048")])
def test_a_good_request_passes_each(data: bytes) -> None:
    reading = read_request(data, "")
    assert [finding for rule in PROOF for finding in rule.findings(reading, "")] == []


def test_a_signature_that_nobody_could_check_is_no_proof() -> None:
    unknown = replace(read_request(shape.good(), ""), der=shape.signed(shape.content(), oid="1.2.3.4"))
    assert [said for said, _ in sender_holds_the_key(unknown)] == [
        "the signature of the request cannot be checked: its algorithm does not fit the key"
    ]


def test_a_cause_is_told_once_and_its_consequences_are_not() -> None:
    sha1 = read_request(shape.signed(shape.content(), oid="1.2.840.10045.4.1"), "")
    assert [rule.id for rule in PROOF for _ in rule.check(sha1)] == ["CSR-KEY-02"]


def test_the_usual_form_beside_an_unusual_one_does_not_help() -> None:
    key = keys.ecdsa("good")
    numbers = key.public_key().public_numbers()
    point = bytes([2 | numbers.y & 1]) + numbers.x.to_bytes(32)
    unusual = shape.ec_spki(point, bytes.fromhex("06082a8648ce3d030107"))
    beside = shape.attributes(("1.3.6.1.4.1.55555.5", [shape.spki_of(key)]))
    reading = read_request(shape.signed(shape.content(spki=unusual, asked=beside)), "")
    assert [rule.id for rule in PROOF for _ in rule.check(reading)] == ["CSR-KEY-04"]
