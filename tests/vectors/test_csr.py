"""Each file gets exactly the findings that its name says: as one judgement, and nothing else ever."""

import base64
import re
from pathlib import Path

import pytest
from tests.vectors import keys, make

from bothways.contract.document import Environment, Terms
from bothways.errors import Refused
from bothways.findings import Finding, errors
from bothways.pki.proof import PROOF
from bothways.pki.request import parse_request
from bothways.pki.rules import RULES, Applicant, KnownKeys, judge_request, request_findings

TERMS = Terms(Environment.PPR, "hub.example", "https://api.hub.example", "https://portal.hub.example")
APPLICANT = Applicant("12345678", TERMS, "First Bank", KnownKeys(make.banned(), make.moduli()))
FILES = sorted(make.PLACE.iterdir())

pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")


def judged(data: bytes) -> tuple[Finding, ...]:
    try:
        return judge_request(data, APPLICANT, "tls.csr").findings
    except Refused as refused:
        return refused.findings


def wanted(path: Path) -> list[str]:
    return [each for each in path.stem.rpartition("=")[2].split("+") if each]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_gets_exactly_the_findings_of_its_name(path: Path) -> None:
    assert sorted(each.id for each in judged(path.read_bytes())) == wanted(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_found_is_a_sentence_with_its_repair_that_can_be_printed(path: Path) -> None:
    for finding in judged(path.read_bytes()):
        line = str(finding)
        assert finding.message
        assert finding.hint.endswith(".")
        assert finding.citation
        assert finding.subject == "tls.csr"
        assert line.isprintable(), ascii(line)
        assert len(line) < 600


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_hub_which_parses_first_finds_the_same_errors_as_the_one_judgement(path: Path) -> None:
    data = path.read_bytes()
    try:
        request = parse_request(data, "tls.csr")
    except Refused as refused:
        found = refused.findings
    else:
        found = request_findings(request, APPLICANT, "tls.csr")
        assert found == judged(data)
        # What is stored are the bytes without what held them; read again, they say the same, and need no note.
        stored = parse_request(request.der)
        assert (stored, stored.notes) == (request, ())
    assert set(found) <= set(judged(data))
    assert bool(errors(found)) == bool(errors(judged(data)))


def test_there_are_enough_of_them_and_each_has_its_origin() -> None:
    origins = dict(line.split("\t") for line in make.ORIGIN.read_text().splitlines())
    assert set(origins) == {path.name for path in FILES}
    assert all(origins.values())
    bad = [path for path in FILES if any(not each.startswith("CSR-NOTE") for each in wanted(path))]
    assert len(bad) >= 150


@pytest.mark.parametrize("id_", sorted({rule.id for rule in PROOF} | {rule.id for rule in RULES}))
def test_each_rule_is_broken_by_a_vector_and_kept_by_others(id_: str) -> None:
    assert any(id_ in wanted(path) for path in FILES)
    assert any(not wanted(path) for path in FILES)


def test_the_files_are_those_that_the_script_makes() -> None:
    made = {each.file: each.data for each in make.vectors()}
    files = {path.name: path.read_bytes() for path in FILES if not path.name.startswith("tool-")}
    assert files.keys() == made.keys()
    assert [name for name in made if made[name] != files[name]] == []


def test_no_finding_repeats_a_private_key() -> None:
    for path in FILES:
        if path.name.startswith("private-key-"):
            data = path.read_bytes().replace(b"\0", b"")
            said = "".join(str(each) for each in judged(path.read_bytes()))
            assert not any(text.decode() in said for text in re.findall(rb"[A-Za-z0-9+/]{20,}", data))


def test_no_finding_repeats_a_challenge_password() -> None:
    found = [path for path in FILES if "ATTRIBUTE-02" in path.name]
    assert found
    assert not any("secret" in str(each) for path in found for each in judged(path.read_bytes()))


def test_the_primes_are_what_their_names_say() -> None:
    assert keys.rsa("shared").n != keys.rsa("sharing").n
    close, following = keys.primes("close")
    assert following - close < 2**16
    assert {name: keys.rsa(name).n.bit_length() for name in ("good", "roca", "close", "factor-3", "even", "2048")} == {
        "good": 4096,
        "roca": 4096,
        "close": 4096,
        "factor-3": 4096,
        "even": 4096,
        "2048": 2048,
    }


def test_what_openssl_makes_is_what_the_page_of_origins_says() -> None:
    good = next(path for path in FILES if path.name == "tool-openssl-ecdsa=.pem")
    body = "".join(good.read_text().splitlines()[1:-1])
    assert base64.b64decode(body) == parse_request(good.read_bytes()).der
