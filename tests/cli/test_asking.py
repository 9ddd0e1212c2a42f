"""The same commands, asked of a hub in a directory and of the same hub over TLS, with a token."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import httpx2
import pytest
from tests.conftest import running
from tests.web.conforming import wrong_with

from bothways.cli.asking import AUTHORITIES, HUB, TOKEN, TOKEN_FILE, Where
from bothways.demo.customer_ca import make_server_files
from bothways.errors import Unusable
from bothways.operations.hub import Hub, contract
from bothways.operations.tokens import create_token
from bothways.registry.access import Role

Run = Callable[..., "CompletedProcess[str]"]
OTHER = "87654321"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (HUB, TOKEN, TOKEN_FILE, AUTHORITIES):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def options(hub: Hub, tmp_path: Path) -> Callable[..., list[object]]:
    """Return the options with which the hub is asked over TLS, with a token of a role."""
    authority = tmp_path / "portal-ca.crt"
    authority.write_text(contract(hub).trust.server_ca)

    def write(role: Role = Role.OPERATOR, tsp_id: str | None = None) -> list[object]:
        file = tmp_path / f"{role.value}.token"
        file.write_text(create_token(hub, role.value, role, tsp_id)[1] + "\n")
        file.chmod(0o600)
        return ["--hub", hub.terms.portal, "--token-file", file, "--ca", authority]

    return write


@pytest.fixture
def elsewhere(
    hub: Hub, bothways: Run, options: Callable[..., list[object]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Return a runner of commands that asks the running hub over TLS; it returns their one JSON document.

    What the hub answers has to be as the document of its API says.
    """
    given, request = options(), httpx2.Client.request

    def looked_at(self: httpx2.Client, method: str, url: str, **more: Any) -> httpx2.Response:
        answer = request(self, method, url, **more)
        assert wrong_with(answer, method, answer.request.url.path) == []
        return answer

    monkeypatch.setattr(httpx2.Client, "request", looked_at)

    def run(*arguments: object, code: int = 0) -> Any:
        done = bothways(*arguments, *given, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    with running(hub):
        yield run


def test_an_operator_elsewhere_gets_from_nothing_to_a_granted_service(
    elsewhere: Callable[..., Any],
    document: Callable[..., Any],
    bothways: Run,
    options: Callable[..., list[object]],
    make_csr: Callable[..., bytes],
    tmp_path: Path,
) -> None:
    added = elsewhere("customer", "add", "12345678", "--kind", "issuer", "--organization", "First Bank")
    assert document("customer", "show", "12345678") == added | {"probe": None, "observations": []}
    (tmp_path / "tls.csr").write_bytes(make_csr())
    number = elsewhere("request", "submit", "12345678", tmp_path / "tls.csr")["id"]
    assert elsewhere("request", "show", number)["findings"] == []
    approved = elsewhere("request", "approve", number, "--out", tmp_path / "tls.crt")
    assert approved["chain"] == (tmp_path / "tls.crt").read_text()
    chain = make_server_files(tmp_path, "First Bank", "localhost").chain
    submitted = elsewhere("chain", "submit", "12345678", chain)
    assert elsewhere("chain", "endorse", submitted["id"])["in_force"] is True
    assert elsewhere("endpoint", "set", "12345678", "https://localhost:9")["in_force"] is True
    # The one that is there now is what is replaced.
    assert elsewhere("endpoint", "set", "12345678", "https://localhost:10")["port"] == 10
    elsewhere("service", "add", "tokens", "--prefix", "/tokens", "--upstream", "http://127.0.0.1:9")
    assert elsewhere("service", "grant", "tokens", "12345678")["granted"] is True
    probed = elsewhere("probe", "12345678", code=1)
    assert (probed["ok"], probed["in_force"]) == (False, True)
    assert elsewhere("customer", "suspend", "12345678", "--reason", "tested") == {
        "customer": "12345678",
        "suspended": True,
        "in_force": True,
    }
    assert elsewhere("customer", "resume", "12345678")["suspended"] is False
    for command in (
        ("customer", "list"),
        ("customer", "show", "12345678"),
        ("request", "list"),
        ("request", "show", number),
        ("request", "keys"),
        ("certificate", "list", "--customer", "12345678"),
        ("certificate", "show", approved["serial"]),
        ("certificate", "crl"),
        ("chain", "list"),
        ("chain", "show", submitted["id"]),
        ("endpoint", "show", "12345678"),
        ("endpoint", "list"),
        ("service", "list"),
        ("observation", "list"),
        ("observation", "list", "--unmatched"),
        ("outbound", "show", "12345678"),
        ("key", "list"),
        ("person", "list"),
        ("token", "list"),
        ("hub", "contract"),
        ("hub", "contract", "--openssl", "12345678"),
        ("hub", "authority", "list"),
        ("hub", "node", "list"),
        ("hub", "contact", "list"),
    ):
        assert elsewhere(*command) == document(*command), command
    # What people read is made of the same documents.
    given = [*options(Role.AUDITOR)]
    done = bothways("customer", "list", *given)
    assert (done.returncode, "12345678  issuer  First Bank" in done.stdout) == (0, True)
    assert elsewhere("certificate", "revoke", approved["serial"], "--reason", "superseded")["state"] == "superseded"
    assert elsewhere("customer", "remove", "12345678", "--reason", "tested")["removed"] is True


def test_the_audit_is_kept_elsewhere_and_compared(
    elsewhere: Callable[..., Any], bothways: Run, options: Callable[..., list[object]], issuer: str, tmp_path: Path
) -> None:
    auditor = options(Role.AUDITOR)
    exported = bothways("audit", "export", *auditor)
    assert exported.returncode == 0, exported.stderr
    (tmp_path / "audit.jsonl").write_text(exported.stdout)
    assert [json.loads(line)["sequence"] for line in exported.stdout.splitlines()[:-1]][:3] == [1, 2, 3]
    assert bothways("audit", "head", tmp_path / "head.json", *auditor).returncode == 0
    elsewhere("customer", "suspend", issuer, "--reason", "tested")
    known = ("--export", tmp_path / "audit.jsonl", "--head", tmp_path / "head.json")
    assert elsewhere("audit", "verify", *known)["whole"] is True
    forged = exported.stdout.replace('"hash": "', '"hash": "0', 1)
    (tmp_path / "audit.jsonl").write_text(forged)
    found = elsewhere("audit", "verify", *known, code=1)
    assert [each["id"] for each in found["findings"]] == ["AUDIT-03"]
    refused = bothways("audit", "head", tmp_path / "b", "--anew", "--reason", "why", *auditor)
    assert (refused.returncode, "hub's own machine" in refused.stderr) == (2, True)


def test_many_requests_are_approved_elsewhere(
    elsewhere: Callable[..., Any], issuer: str, make_csr: Callable[..., bytes], tmp_path: Path
) -> None:
    for number in range(2):
        (tmp_path / f"{number}.csr").write_bytes(make_csr())
        elsewhere("request", "submit", issuer, tmp_path / f"{number}.csr")
    done = elsewhere("request", "approve", "--all", "--out", tmp_path)
    assert [each["request"] for each in done["approved"]] == [1, 2]
    assert all((tmp_path / f"{each['serial']}.crt").is_file() for each in done["approved"])
    again = elsewhere("request", "approve", 1, 2, code=1)
    assert [each["error"] for each in again["not_approved"]] == ["conflict", "conflict"]


def test_bundles_contacts_people_and_cas_are_made_elsewhere(
    elsewhere: Callable[..., Any], document: Callable[..., Any], issuer: str, tmp_path: Path
) -> None:
    made = elsewhere("bundle", "export", issuer, "--out", tmp_path / "hub.zip")
    assert (made["customer"], (tmp_path / "hub.zip").read_bytes()[:2]) == (issuer, b"PK")
    assert elsewhere("bundle", "import", tmp_path / "hub.zip", code=1)["findings"]
    contact = elsewhere("customer", "contact", "add", issuer, "--webhook", "https://bank.example/hooks")
    assert contact["secret"].startswith("whsec_")
    assert "sending" not in contact
    assert elsewhere("customer", "contact", "remove", issuer, contact["id"], "--reason", "tested")["removed"] is True
    person = elsewhere("person", "add", "ann@hub.example", "--name", "Ann", "--role", "auditor")
    assert "/invitation/" in elsewhere("person", "invite", person["id"])["link"]
    assert elsewhere("person", "disable", person["id"], "--reason", "tested")["state"] == "disabled"
    token = elsewhere("token", "add", "ci", "--role", "auditor", "--days", 3)
    assert elsewhere("token", "revoke", token["id"], "--reason", "tested")["state"] == "revoked"
    assert elsewhere("hub", "authority", "add")["id"] > 1
    assert elsewhere("rotate")["held"] == []
    assert elsewhere("rotate", "--server")["held"] == []
    assert elsewhere("outbound", "csr", issuer)["state"] == "requested"
    assert elsewhere("outbound", "remove", issuer, "--reason", "not wanted")["removed"] is True
    assert elsewhere("customer", "enrolment-password", issuer)["days"] == 7
    pin = elsewhere("key", "ban", "ab" * 32, "--reason", "it was lost")
    assert (pin["banned"], pin["new"], pin["in_force"]) == (["ab" * 32], ["ab" * 32], True)
    assert document("hub", "status")["running"] is not None
    assert elsewhere("hub", "status")["environment"] == "PPR"


def test_what_the_hub_refuses_keeps_its_words_and_its_exit_code(
    elsewhere: Callable[..., Any],
    bothways: Run,
    options: Callable[..., list[object]],
    issuer: str,
    tmp_path: Path,
) -> None:
    refused = elsewhere("customer", "add", "12 34", "--kind", "merchant", "--organization", " ", code=1)
    assert [each["id"] for each in refused["findings"]] == ["CUSTOMER-01", "CUSTOMER-02"]
    assert elsewhere("customer", "show", OTHER, code=2) == {
        "error": "notfound",
        "detail": f"there is no customer {OTHER}. Look at: bothways customer list",
    }
    again = elsewhere("customer", "add", issuer, "--kind", "issuer", "--organization", "Second Bank", code=2)
    assert again["error"] == "conflict"
    member = options(Role.CUSTOMER_MEMBER, issuer)
    assert bothways("customer", "show", issuer, *member).returncode == 0
    assert bothways("customer", "suspend", issuer, "--reason", "tested", *member).returncode == 4
    assert bothways("customer", "show", OTHER, *member).returncode == 2
    (tmp_path / "wrong.token").write_text("bothways_ppr_wrong")
    (tmp_path / "wrong.token").chmod(0o600)
    wrong = [*member[:2], "--token-file", tmp_path / "wrong.token", *member[4:]]
    assert bothways("customer", "list", *wrong).returncode == 4
    # Without the CA that vouches for the portal, the token is not sent.
    distrusted = bothways("customer", "list", *member[:4])
    assert (distrusted.returncode, "--ca FILE" in distrusted.stderr) == (3, True)
    # A private key that was taken for a request stays here.
    (tmp_path / "tls.key").write_text((tmp_path / "portal-ca.crt").read_text().replace("CERTIFICATE", "PRIVATE KEY"))
    kept = elsewhere("request", "submit", issuer, tmp_path / "tls.key", code=1)
    assert [each["subject"] for each in kept["findings"]] == [str(tmp_path / "tls.key")]


def test_the_environment_names_the_hub_unless_a_directory_is_named(
    hub: Hub, bothways: Run, options: Callable[..., list[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, portal, _, token, _, authority = options()
    for name, value in ((HUB, portal), (TOKEN_FILE, token), (AUTHORITIES, authority)):
        monkeypatch.setenv(name, str(value))
    # Nothing listens there.
    assert bothways("customer", "list").returncode == 3
    assert bothways("customer", "list", "--directory", hub.directory).returncode == 0
    both = bothways("customer", "list", "--directory", hub.directory, "--hub", portal)
    assert (both.returncode, "Name the one that is meant" in both.stderr) == (2, True)
    assert Where(Path("x")).option == "--directory x"
    assert Where().option == f"--hub {portal}"


def test_without_a_token_nothing_is_asked(bothways: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    done = bothways("customer", "list", "--hub", "https://portal.hub.example")
    assert (done.returncode, done.stdout) == (2, "")
    assert "bothways token add NAME --role operator" in done.stderr
    monkeypatch.setenv(TOKEN, "two words")
    with pytest.raises(Unusable, match="holds no token"):
        Where().token()
    monkeypatch.setenv(TOKEN, "bothways_ppr_x")
    assert Where().token() == "bothways_ppr_x"
    assert os.environ[TOKEN] not in " ".join(done.args)


@pytest.mark.parametrize("command", [("hub", "backup", "b"), ("hub", "init"), ("hub", "run"), ("spoke", "status")])
def test_what_no_hub_elsewhere_does_says_why(bothways: Run, command: tuple[str, ...]) -> None:
    done = bothways(*command, "--hub", "https://portal.hub.example")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"bothways {' '.join(command[:2])} takes no --hub: ")
