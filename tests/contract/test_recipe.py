import re
import stat
import subprocess
import tempfile
from dataclasses import astuple, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.programs import require

from bothways.connectivity.verdicts import path_findings
from bothways.contract.document import Environment, KeyType, RequestTerms, Terms
from bothways.contract.recipe import Shell, openssl_recipe, server_recipe
from bothways.contract.subject import LIMITS, Subject, attribute_mistakes
from bothways.errors import Refused
from bothways.pki.request import CertificationRequest, parse_request
from bothways.pki.rules import SUBJECT, Applicant, request_findings

TERMS = Terms(Environment.PPR, "hub.example", "https://api.hub.example", "https://portal.hub.example")
GOOD = Subject("FR", "Île-de-France", "Paris", "First Bank", "Payments")


def run(recipe: str, directory: Path, shell: Shell = Shell.BASH) -> CertificationRequest:
    """Paste the recipe into the shell that it is for; for the configuration file, save it and do what it says."""
    require("openssl")
    commands = ["sh", "-e", "-c", recipe]
    if shell is Shell.POWERSHELL:
        commands = ["pwsh", "-NoProfile", "-NonInteractive", "-Command", recipe]
    elif shell is Shell.CONFIGURATION:
        commands = ["sh", "-e", "-c", saved(recipe, directory)]
    subprocess.run(commands, cwd=directory, check=True, capture_output=True, timeout=60)
    return parse_request((directory / "tls.csr").read_bytes())


def saved(configuration: str, directory: Path) -> str:
    """Save the configuration file; return the commands that stand in it."""
    (directory / "tls.cnf").write_text(configuration)
    return "\n".join(line[4:] for line in configuration.splitlines() if line.startswith("#   "))


def here_string(script: str) -> str:
    """Return what PowerShell puts into the variable: the lines of the one single-quoted here-string, unchanged.

    It begins with @' at the end of a line and ends with '@ at the start of one; five characters count as a single quote
    (about_Quoting_Rules). Nothing in between means anything.
    """
    quote = "['\u2018\u2019\u201a\u201b]"
    opened = re.search(rf"@{quote}[ \t]*\n", script)
    assert opened
    closed = re.search(rf"\n{quote}@", script[opened.end() :])
    assert closed
    rest = script[: opened.start()] + script[opened.end() + closed.end() :]
    assert not re.search(rf"@{quote}[ \t]*\n", rest)
    return script[opened.end() :][: closed.start()]


def run_here_string(script: str, directory: Path) -> CertificationRequest:
    """Do with the real openssl what the script does: write the here-string to the file, and run its openssl lines."""
    (directory / "tls.cnf").write_text(here_string(script))
    commands = "\n".join(line for line in script.splitlines() if line.startswith("openssl "))
    return run(commands, directory)


@pytest.mark.parametrize("shell", [Shell.BASH, Shell.CONFIGURATION])
@pytest.mark.parametrize("key", KeyType)
def test_the_commands_make_a_request_that_no_rule_objects_to(tmp_path: Path, key: KeyType, shell: Shell) -> None:
    request = run(openssl_recipe(TERMS, "12345678", key, GOOD, shell), tmp_path, shell)
    assert request_findings(request, Applicant("12345678", TERMS, "First Bank"), "tls.csr") == ()


def test_the_commands_write_a_private_key_that_others_cannot_read(tmp_path: Path) -> None:
    run(openssl_recipe(TERMS, "12345678", KeyType.ECDSA, GOOD), tmp_path)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert modes == {"tls.key": 0o600, "tls.cnf": 0o600, "tls.csr": 0o600}


@pytest.mark.parametrize("shell", [Shell.BASH, Shell.POWERSHELL, Shell.CONFIGURATION])
def test_the_commands_can_name_where_they_write(tmp_path: Path, shell: Shell) -> None:
    require("sh", "openssl")
    place = str(tmp_path / "First Bank's" / "renewal")
    recipe = openssl_recipe(TERMS, "12345678", KeyType.ECDSA, GOOD, shell, place)
    if shell is not Shell.BASH:
        assert place.replace("'", "''" if shell is Shell.POWERSHELL else "'") in recipe
        return
    subprocess.run(["/bin/sh", "-c", recipe], cwd=tmp_path, check=True, capture_output=True)
    assert {each.name for each in Path(place).iterdir()} == {"tls.key", "tls.cnf", "tls.csr"}


ORGANIZATIONS = ["First Bank", "A/CN=evil+B \\ $(reboot) `x` 'y' \"z\"", "Börse " + 29 * "é", "x" * 64]


@pytest.mark.parametrize("organization", ORGANIZATIONS)
def test_a_server_gets_its_certificate_under_a_ca_of_its_own(tmp_path: Path, organization: str) -> None:
    require("sh", "openssl")
    recipe = server_recipe(organization).replace("SERVER-NAME", "bank.example.com")
    subprocess.run(["sh", "-ec", recipe], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    authority, server = (
        x509.load_pem_x509_certificate((tmp_path / name).read_bytes()) for name in ("server-chain.pem", "server.crt")
    )
    named = {each.oid: each.value for each in authority.subject}
    assert named == {NameOID.ORGANIZATION_NAME: organization, NameOID.COMMON_NAME: "Server CA"}
    assert path_findings([server], [authority], "bank.example.com", datetime.now(UTC)) == ()
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("my-ca.key", "server.key")} == {0o600}
    again = subprocess.run(["sh", "-c", recipe], cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60)
    assert (again.returncode, "this would be another CA" in again.stderr) == (1, True)


def values(request: CertificationRequest) -> tuple[str | bytes, ...]:
    return tuple(request.subject.get_attributes_for_oid(oid)[0].value for oid in SUBJECT.values())


@pytest.mark.parametrize("key", KeyType)
def test_powershell_itself_makes_a_request_that_no_rule_objects_to(tmp_path: Path, key: KeyType) -> None:
    require("pwsh")
    recipe = openssl_recipe(TERMS, "12345678", key, replace(GOOD, organization=STRANGE[0]), Shell.POWERSHELL)
    request = run(recipe, tmp_path, Shell.POWERSHELL)
    assert request_findings(request, Applicant("12345678", TERMS, STRANGE[0]), "tls.csr") == ()
    assert stat.S_IMODE((tmp_path / "tls.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("key", KeyType)
def test_what_powershell_reads_makes_a_request_that_no_rule_objects_to(tmp_path: Path, key: KeyType) -> None:
    request = run_here_string(openssl_recipe(TERMS, "12345678", key, GOOD, Shell.POWERSHELL), tmp_path)
    assert request_findings(request, Applicant("12345678", TERMS, "First Bank"), "tls.csr") == ()


def test_the_rest_of_the_powershell_script_is_the_same_for_everybody() -> None:
    scripts = [
        openssl_recipe(TERMS, "12345678", KeyType.ECDSA, replace(GOOD, organization=name), Shell.POWERSHELL)
        for name in ("One", "O'Neil $(rm) `x` \u2019@")
    ]
    one, other = (script.replace(here_string(script), "") for script in scripts)
    assert one == other
    assert all(
        script.splitlines()[1] == "# Paste this; a file that holds it must be saved as UTF-8 with byte order mark."
        for script in scripts
    )


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    recipe = openssl_recipe(TERMS, "12345678", KeyType.ECDSA, GOOD, Shell.CONFIGURATION)
    commands = saved(recipe, tmp_path)
    (tmp_path / "tls.cnf").write_bytes(b"\xef\xbb\xbf" + recipe.replace("\n", "\r\n").encode())
    assert values(run(commands, tmp_path))[:-1] == astuple(GOOD)


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_key_that_is_there_stays(tmp_path: Path, shell: str) -> None:
    require(shell)
    (tmp_path / "tls.key").write_text("mine")
    recipe = openssl_recipe(TERMS, "12345678", KeyType.ECDSA, GOOD)
    done = subprocess.run([shell], input=recipe, cwd=tmp_path, check=False, capture_output=True, timeout=60, text=True)
    assert done.returncode == 1
    assert "tls.key exists already" in done.stderr
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("tls.key", "mine")]


def test_a_failure_and_the_umask_stay_inside(tmp_path: Path) -> None:
    require("sh", "openssl")
    recipe = openssl_recipe(TERMS, "12345678", KeyType.ECDSA, GOOD)
    script = f"umask 022\nPATH=/nowhere:$PATH\nopenssl() {{ return 1; }}\n{recipe}echo still here; umask\n"
    done = subprocess.run(["sh"], input=script, cwd=tmp_path, check=True, capture_output=True, timeout=60, text=True)
    assert done.stdout.split() == ["still", "here", "0022"]


STRANGE = [
    'O\'Neil "and" Sons',
    "$HOME ${ENV::PATH} $(id) `id`",
    "back\\slash \\n \\",
    "# no comment; no end",
    "a=b, c+d/e",
    "%s %% [section]",
    "@weird !bang *",
    "株式会社",
    "END_OF_CONFIGURATION",
    "'@",
    "\u2018One\u2019 \u201aTwo\u201b \u201cThree\u201d",
    "$OPENSSL_CONF ${HOME} $env:HOME %PATH% !!",
]


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize("shell", Shell)
def test_a_strange_organization_arrives_unchanged(tmp_path: Path, strange: str, shell: Shell) -> None:
    recipe = openssl_recipe(TERMS, "12345678", KeyType.ECDSA, replace(GOOD, organization=strange), shell)
    request = run_here_string(recipe, tmp_path) if shell is Shell.POWERSHELL else run(recipe, tmp_path, shell)
    assert values(request) == ("FR", "Île-de-France", "Paris", strange, "Payments", "TLSMA-ECDSA/12345678/PPR")


VISIBLE = st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.sampled_from("\"'\\$`#;=,+/@ ")


def clean(name: str) -> st.SearchStrategy[str]:
    texts = st.text(VISIBLE, min_size=1, max_size=LIMITS[name]).map(str.strip)
    return texts.filter(lambda text: not attribute_mistakes(name, text))


@settings(max_examples=60)
@given(st.builds(Subject, st.just("DE"), clean("ST"), clean("L"), clean("O"), clean("OU")), st.sampled_from(Shell))
def test_every_clean_subject_arrives_unchanged(subject: Subject, shell: Shell) -> None:
    recipe = openssl_recipe(TERMS, "12345678", KeyType.ECDSA, subject, shell)
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        request = run_here_string(recipe, place) if shell is Shell.POWERSHELL else run(recipe, place, shell)
    assert values(request)[:-1] == astuple(subject)


@pytest.mark.parametrize("shell", Shell)
def test_the_first_line_says_for_whom_and_where_the_commands_are(shell: Shell) -> None:
    recipe = openssl_recipe(TERMS, "12345678", KeyType.ECDSA, GOOD, shell)
    assert recipe.splitlines()[0] == "# Client key and request of customer 12345678 for PPR at hub.example"


@pytest.mark.parametrize(
    ("subject", "tsp_id", "ids"),
    [
        (replace(GOOD, country="France"), "12345678", ["CSR-SUBJECT-02"] * 2),
        (replace(GOOD, unit="a\nb"), "12345678", ["CSR-SUBJECT-02"]),
        (GOOD, "1\nrm -rf ~", ["CSR-CN-01"]),
        (GOOD, "1" * 60, ["CSR-CN-01"]),
        (replace(GOOD, unit=""), "1" * 60, ["CSR-SUBJECT-02", "CSR-CN-01"]),
    ],
)
def test_what_cannot_stand_in_a_certificate_is_refused_before_anything_is_printed(
    subject: Subject, tsp_id: str, ids: list[str]
) -> None:
    with pytest.raises(Refused) as refused:
        openssl_recipe(TERMS, tsp_id, KeyType.ECDSA, subject)
    assert [each.id for each in refused.value.findings] == ids


def test_the_common_name_follows_the_pattern_of_the_contract(tmp_path: Path) -> None:
    terms = replace(TERMS, request=RequestTerms("{environment} ${tspId} #{algorithm}"))
    assert values(run(openssl_recipe(terms, "42", KeyType.ECDSA, GOOD), tmp_path))[-1] == "PPR $42 #ECDSA"
