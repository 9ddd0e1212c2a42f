from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bothways import files
from bothways.contract.document import KeyType
from bothways.contract.subject import Subject
from bothways.demo.customer_ca import make_server_files
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke, open_spoke, remember_server
from bothways.spoke.install import install_certificate
from bothways.spoke.status import SpokeStatus, spoke_status


def now() -> datetime:
    return datetime.now(UTC)


def ids(status: SpokeStatus) -> list[str]:
    return [each.id for each in status.findings]


def test_a_new_spoke_needs_a_key_and_a_request(spoke: Spoke) -> None:
    found = spoke_status(spoke, now())
    assert (found.key, found.certificate, found.request, ids(found)) == (None, None, None, [])
    assert (found.broken, found.expiring) == (True, False)
    assert found.command
    assert found.command.startswith("bothways spoke csr --country CC ")


def test_after_the_request_the_certificate_is_to_be_installed(spoke: Spoke, subject: Subject) -> None:
    make_request(spoke, KeyType.RSA, subject)
    found = spoke_status(spoke, now())
    assert found.key == "RSA with 4096 bits and exponent 65537"
    assert found.request == spoke.request_file
    assert found.command == f"bothways spoke install CERT --directory {spoke.directory}"
    spoke.request_file.unlink()
    assert spoke_status(spoke, now()).step == "Make the request for the key that is there."


def test_with_a_certificate_the_hub_is_to_be_called(ready_spoke: Spoke) -> None:
    found = spoke_status(ready_spoke, now())
    assert (found.broken, found.expiring, ids(found)) == (False, False, [])
    assert found.certificate
    assert found.certificate.chain_complete
    assert found.certificate.days_left in {396, 397}
    assert found.command == f"bothways spoke check --directory {ready_spoke.directory}"
    document = found.document()
    assert document["certificate"]["fingerprint"] == found.certificate.fingerprint
    assert document["environment"] == "PPR"
    assert document["next"]["command"] == found.command


@pytest.mark.parametrize(
    ("left", "found"),
    [
        (timedelta(days=30), []),
        (timedelta(days=30, seconds=-1), ["SPOKE-EXPIRING"]),
        (timedelta(), ["SPOKE-EXPIRING"]),
        (timedelta(seconds=-1), ["INSTALL-06"]),
    ],
)
def test_the_last_30_days_are_told(ready_spoke: Spoke, left: timedelta, found: list[str]) -> None:
    own = spoke_status(ready_spoke, now()).certificate
    assert own
    status = spoke_status(ready_spoke, own.not_after - left)
    assert ids(status) == found
    assert (status.expiring, status.broken) == (bool(found), False)
    assert status.command
    assert {"SPOKE-EXPIRING": "renew", "INSTALL-06": "csr"}.get("".join(found), "check") in status.command


def test_a_renewal_under_way_is_told(ready_spoke: Spoke, subject: Subject, renewed: Callable[[Spoke], bytes]) -> None:
    make_request(ready_spoke, KeyType.ECDSA, subject)
    found = spoke_status(ready_spoke, now())
    assert found.request == ready_spoke.renewal / "tls.csr"
    assert found.command
    assert found.command.startswith("bothways spoke install CERT")
    install_certificate(ready_spoke, renewed(ready_spoke))
    found = spoke_status(ready_spoke, now())
    assert (found.request, found.previous) == (None, ready_spoke.directory / "previous")


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("tls.key", b"damaged", ["SPOKE-KEY"]),
        ("tls.crt", b"damaged", ["CSR-FILE-04"]),
        ("tls.crt", b"0\x82\x00", ["INSTALL-01"]),
    ],
)
def test_damage_is_told_with_the_rest(ready_spoke: Spoke, name: str, content: bytes, found: list[str]) -> None:
    files.replace(ready_spoke.directory / name, content, files.PRIVATE)
    status = spoke_status(ready_spoke, now())
    assert ids(status) == found
    assert status.broken
    assert status.document()["endpoint"] == ready_spoke.contract.terms.endpoint


def test_the_certificate_of_another_customer_is_no_good(ready_spoke: Spoke) -> None:
    status = spoke_status(replace(ready_spoke, tsp_id="87654321"), now())
    assert (ids(status), status.broken) == (["INSTALL-04"], True)


@pytest.mark.parametrize(
    ("days", "found"), [(365, []), (29, ["SPOKE-EXPIRING"]), (-1, ["INSTALL-06"])], ids=["good", "soon", "expired"]
)
def test_the_certificate_that_listen_used_is_told_too(
    ready_spoke: Spoke, tmp_path: Path, days: int, found: list[str]
) -> None:
    made = make_server_files(tmp_path, "First Bank", "callbacks.localhost", days)
    remember_server(ready_spoke, made.certificate)
    status = spoke_status(open_spoke(ready_spoke.directory), now())
    assert status.server
    assert (ids(status), status.expiring, status.broken) == (found, bool(found), False)
    assert (status.server.file, status.server.chain_complete) == (made.certificate, None)
    assert (status.command is None) is bool(found)


def test_a_server_chain_in_the_wrong_order_is_told(ready_spoke: Spoke, tmp_path: Path) -> None:
    made = make_server_files(tmp_path, "First Bank", "callbacks.localhost")
    files.replace(made.certificate, made.certificate.read_bytes() + ready_spoke.certificate_file.read_bytes())
    remember_server(ready_spoke, made.certificate)
    status = spoke_status(open_spoke(ready_spoke.directory), now())
    assert (ids(status), status.broken) == (["SPOKE-CHAIN"], True)
    assert status.server
    assert status.server.chain_complete is False
    made.certificate.unlink()
    assert ids(spoke_status(open_spoke(ready_spoke.directory), now())) == ["SPOKE-FILE"]
