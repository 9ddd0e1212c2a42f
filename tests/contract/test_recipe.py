import shutil
import stat
import subprocess
import tempfile
from dataclasses import astuple, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bothways.contract.document import Environment, KeyType, RequestTerms, Terms
from bothways.contract.recipe import openssl_recipe
from bothways.contract.subject import LIMITS, Subject, attribute_mistakes
from bothways.errors import Refused
from bothways.pki.request import CertificationRequest, parse_request
from bothways.pki.rules import SUBJECT, Applicant, request_findings

TERMS = Terms(Environment.PPR, "hub.example", "https://api.hub.example", "https://portal.hub.example")
GOOD = Subject("FR", "Île-de-France", "Paris", "First Bank", "Payments")


def run(recipe: str, directory: Path) -> CertificationRequest:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not on PATH")
    subprocess.run(["sh", "-e", "-c", recipe], cwd=directory, check=True, capture_output=True, timeout=60)
    return parse_request((directory / "tls.csr").read_bytes())


@pytest.mark.parametrize("key", KeyType)
def test_the_commands_make_a_request_that_no_rule_objects_to(tmp_path: Path, key: KeyType) -> None:
    request = run(openssl_recipe(TERMS, "12345678", key, GOOD), tmp_path)
    assert request_findings(request, Applicant("12345678", TERMS, "First Bank"), "tls.csr") == ()


def test_the_commands_write_a_private_key_that_others_cannot_read(tmp_path: Path) -> None:
    run(openssl_recipe(TERMS, "12345678", KeyType.ECDSA, GOOD), tmp_path)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert modes == {"tls.key": 0o600, "tls.cnf": 0o600, "tls.csr": 0o600}


def values(request: CertificationRequest) -> tuple[str | bytes, ...]:
    return tuple(request.subject.get_attributes_for_oid(oid)[0].value for oid in SUBJECT.values())


@pytest.mark.parametrize(
    "strange",
    [
        'O\'Neil "and" Sons',
        "$HOME ${ENV::PATH} $(id) `id`",
        "back\\slash \\n \\",
        "# no comment; no end",
        "a=b, c+d/e",
        "%s %% [section]",
        "@weird !bang *",
        "株式会社",
    ],
)
def test_a_strange_organization_arrives_unchanged(tmp_path: Path, strange: str) -> None:
    request = run(openssl_recipe(TERMS, "12345678", KeyType.ECDSA, replace(GOOD, organization=strange)), tmp_path)
    assert values(request) == ("FR", "Île-de-France", "Paris", strange, "Payments", "TLSMA-ECDSA/12345678/PPR")


VISIBLE = st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.sampled_from("\"'\\$`#;=,+/@ ")


def clean(name: str) -> st.SearchStrategy[str]:
    texts = st.text(VISIBLE, min_size=1, max_size=LIMITS[name]).map(str.strip)
    return texts.filter(lambda text: not attribute_mistakes(name, text))


@settings(max_examples=25, deadline=None)
@given(st.builds(Subject, st.just("DE"), clean("ST"), clean("L"), clean("O"), clean("OU")))
def test_every_clean_subject_arrives_unchanged(subject: Subject) -> None:
    with tempfile.TemporaryDirectory() as directory:
        request = run(openssl_recipe(TERMS, "12345678", KeyType.ECDSA, subject), Path(directory))
    assert values(request)[:-1] == astuple(subject)


def test_the_first_line_says_for_whom_and_where_the_commands_are() -> None:
    recipe = openssl_recipe(TERMS, "12345678", KeyType.ECDSA, GOOD)
    assert recipe.splitlines()[0] == "# Client key and request of customer 12345678 for PPR at hub.example"


@pytest.mark.parametrize(
    ("subject", "tsp_id", "count"),
    [
        (replace(GOOD, country="France"), "12345678", 2),
        (replace(GOOD, unit="a\nb"), "12345678", 1),
        (GOOD, "1\nrm -rf ~", 1),
        (GOOD, "1" * 60, 1),
    ],
)
def test_what_cannot_stand_in_a_certificate_is_refused_before_anything_is_printed(
    subject: Subject, tsp_id: str, count: int
) -> None:
    with pytest.raises(Refused) as refused:
        openssl_recipe(TERMS, tsp_id, KeyType.ECDSA, subject)
    assert [each.id for each in refused.value.findings] == ["CSR-SUBJECT-02"] * count


def test_the_common_name_follows_the_pattern_of_the_contract(tmp_path: Path) -> None:
    terms = replace(TERMS, request=RequestTerms("{environment} ${tspId} #{algorithm}"))
    assert values(run(openssl_recipe(terms, "42", KeyType.ECDSA, GOOD), tmp_path))[-1] == "PPR $42 #ECDSA"
