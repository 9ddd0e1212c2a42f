"""What is handed in is checked first, with every repair at once, and submitted as it was checked."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.web.pages.conftest import Visit, Visitor

from bothways.operations.certificates import show_certificate
from bothways.operations.hub import Hub
from bothways.operations.keys import list_banned_keys
from bothways.operations.requests import approve_request, list_requests, submit_request
from bothways.registry.access import Role

Csr = Callable[..., bytes]


def test_a_request_is_checked_and_then_submitted(hub: Hub, bank: Visitor, issuer: str, make_csr: Csr) -> None:
    csr = make_csr()
    page = bank.post(f"/customers/{issuer}/requests/check", csr=csr.decode())
    assert "Every rule is kept" in page.text
    assert list_requests(hub) == ()
    [checked] = re.findall(r'name="csr" value="([^"]+)"', page.text)
    answer = bank.post(f"/customers/{issuer}/requests", csr=unescape(checked))
    assert answer.headers["location"] == f"/customers/{issuer}/requests?done=submitted"
    assert [each.request.pem.encode() for each in list_requests(hub)] == [csr]


def test_a_file_is_taken_as_it_is(bank: Visitor, issuer: str, make_csr: Csr) -> None:
    files = {"file": ("tls.csr", b"\xef\xbb\xbf" + make_csr())}
    page = bank.post(f"/customers/{issuer}/requests/check", csr="", files=files)
    assert "a byte order mark was removed" in page.text
    assert "can be submitted" in page.text


def test_the_name_of_a_file_is_nobodys_business(
    hub: Hub, bank: Visitor, issuer: str, make_csr: Csr, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(hub.directory.rglob("*"))
    for name in ("../../../named.csr", "/etc/named.csr", "a\x00named", "<script>named</script>", "named" * 100):
        page = bank.post(f"/customers/{issuer}/requests/check", csr="", files={"file": (name, make_csr())})
        assert (page.status_code, "named" in page.text) == (200, False), name[:20]
    assert (sorted(hub.directory.rglob("*")), list(tmp_path.iterdir())) == (before, [])


def test_what_a_browser_makes_of_line_ends_is_nothing_to_look_at(bank: Visitor, issuer: str, make_csr: Csr) -> None:
    page = bank.post(f"/customers/{issuer}/requests/check", csr=make_csr().decode().replace("\n", "\r\n"))
    assert "Every rule is kept" in page.text


def test_everything_that_is_wrong_stands_there_with_its_repair(
    hub: Hub, bank: Visitor, issuer: str, make_csr: Csr
) -> None:
    csr = make_csr(ec.generate_private_key(ec.SECP384R1()), OU=None).decode()
    answer = bank.post(f"/customers/{issuer}/requests/check", csr=csr)
    assert answer.status_code == 422
    assert {"CSR-KEY-01", "CSR-SUBJECT-01"} <= set(re.findall(r"CSR-[A-Z]+-\d\d", answer.text))
    assert csr.splitlines()[1] in answer.text
    assert bank.post(f"/customers/{issuer}/requests", csr=csr).status_code == 422
    assert list_requests(hub) == ()


@pytest.mark.parametrize(("place", "field"), [("requests/check", "csr"), ("requests", "csr"), ("trust/chain", "chain")])
def test_a_private_key_is_banned_and_not_shown_again(
    hub: Hub, bank: Visitor, issuer: str, place: str, field: str
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    answer = bank.post(f"/customers/{issuer}/{place}", **{field: pem})
    assert answer.status_code == 422
    assert pem.splitlines()[1] not in answer.text
    assert len(list_banned_keys(hub)) == 1


def test_nothing_is_handed_in_for_another_customer(
    hub: Hub, bank: Visitor, issuer: str, other: str, make_csr: Csr
) -> None:
    for path in (
        "requests",
        "requests/check",
        "trust/chain",
        "endpoint",
        "endpoint/probe",
        "services/tokens",
        "suspend",
        "chains/1/withdraw",
    ):
        assert bank.post(f"/customers/{other}/{path}", csr=make_csr().decode()).status_code == 404
    assert list_requests(hub) == ()
    assert issuer


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR])
def test_who_only_looks_hands_nothing_in(visit: Visit, issuer: str, make_csr: Csr, role: Role) -> None:
    visitor = visit(role)
    assert visitor.post(f"/customers/{issuer}/requests", csr=make_csr().decode()).status_code == 403
    assert "submits none" in visitor.get(f"/customers/{issuer}/requests").text


def test_a_certificate_is_revoked_with_its_reason(hub: Hub, bank: Visitor, issuer: str, make_csr: Csr) -> None:
    serial = approve_request(hub, submit_request(hub, issuer, make_csr()).id).serial
    answer = bank.post(f"/customers/{issuer}/certificates/{serial}/revoke", reason="superseded")
    assert answer.headers["location"] == f"/customers/{issuer}/certificates?done=in-force"
    record = show_certificate(hub, serial)
    assert (record.revoked_reason, record.revoked_at is not None) == ("superseded", True)
    assert bank.post(f"/customers/{issuer}/certificates/{serial}/revoke", reason="superseded").status_code == 409
