from tests.vectors import shape

from bothways.contract.document import Environment, KeyType, Terms
from bothways.pki.reading import read_request
from bothways.pki.rule import Applicant
from bothways.pki.rules.asked import SUBJECT, asked, text

APPLICANT = Applicant("12345678", Terms(Environment.PPR, "hub.example", "https://a.example", "https://b.example"))


def test_the_subject_is_taken_apart_by_the_agreed_names() -> None:
    judged = asked(read_request(shape.good(), ""), APPLICANT)
    assert {name: [text(each) for each in found] for name, found in judged.values.items()} == {
        name: [value] for name, value in shape.SUBJECT.items()
    }
    assert list(judged.values) == list(SUBJECT)
    assert [len(rdn) for rdn in judged.rdns] == [1] * 6
    assert judged.marker is KeyType.ECDSA


def test_a_subject_that_cannot_be_read_counts_as_empty() -> None:
    judged = asked(read_request(shape.with_subject(OU=(shape.UTF8, b"\xff")), ""), APPLICANT)
    assert judged.rdns == ()
    assert not any(judged.values.values())
