"""A bundle goes out with its fingerprint, its answer comes back and waits for review; the instructions print."""

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.web.pages.conftest import Visit, Visitor

from bothways.bundle import seal
from bothways.bundle.seal import About, Bundle, Kind, make_bundle, open_bundle
from bothways.operations.bundles import export_bundle
from bothways.operations.chains import list_chains
from bothways.operations.endpoints import waiting_endpoints
from bothways.operations.hub import Hub
from bothways.operations.requests import list_requests
from bothways.pki.chain import certificate_pem
from bothways.pki.statement import sign_statement
from bothways.registry.access import Role


@pytest.fixture
def answer(make_csr: Callable[..., bytes], make_ca: Callable[..., Any]) -> Callable[[About], bytes]:
    """Return a function that answers a bundle as a customer does, with request, chain and address."""
    key = ec.generate_private_key(ec.SECP256R1())
    members = {
        seal.REQUEST: make_csr(key),
        seal.SERVER_CHAIN: certificate_pem(make_ca("Shop Root")[1]).encode(),
        seal.ENDPOINT: b"https://shop.example.com/hub\n",
    }

    def answered(about: About) -> bytes:
        about = replace(about, made_at=datetime.now(UTC))
        return make_bundle(Kind.CUSTOMER, about, members, key.public_key(), lambda said: sign_statement(key, said))

    return answered


def handed_out(page: str) -> Bundle:
    [link] = re.findall(r'href="data:application/zip;base64,([A-Za-z0-9+/=]+)" download="hub-\d+-PPR.zip"', page)
    return open_bundle(base64.b64decode(link), Kind.HUB, "bundle")


def test_a_bundle_goes_out_and_its_answer_waits_for_review(
    operator: Visitor, issuer: str, answer: Callable[[About], bytes]
) -> None:
    at = f"/customers/{issuer}/files"
    page = operator.post(f"{at}/export")
    assert len(page.content) < 150 * 1024
    made = handed_out(page.text)
    pairs = ":".join(re.findall("..", made.fingerprint)).upper()
    assert pairs in re.sub("<wbr>", "", page.text)
    assert "not yet" in operator.get(at).text
    data = answer(made.about)
    taken = operator.post(f"{at}/import", files={"file": ("answer.zip", data)})
    assert taken.status_code == 200
    for link in ("/reviews/requests/1", "/reviews/chains/1", "/reviews/endpoints/1"):
        assert f'href="{link}"' in taken.text
        assert operator.get(link).status_code == 200
    fingerprint = open_bundle(data, Kind.CUSTOMER, "bundle").fingerprint
    assert ":".join(re.findall("..", fingerprint)).upper() in re.sub("<wbr>", "", taken.text)
    assert "not yet" not in operator.get(at).text
    again = operator.post(f"{at}/import", files={"file": ("answer.zip", data)})
    assert (again.status_code, "answered already" in again.text) == (409, True)


def test_what_is_no_answer_of_this_customer_is_refused_with_findings(
    hub: Hub, operator: Visitor, issuer: str, other: str, answer: Callable[[About], bytes]
) -> None:
    theirs = open_bundle(export_bundle(hub, issuer, {}).data, Kind.HUB, "bundle")
    for data, wanted in ((b"no zip", "BUNDLE-01"), (b"", "BUNDLE-01"), (answer(theirs.about), "BUNDLE-04")):
        page = operator.post(f"/customers/{other}/files/import", files={"file": ("answer.zip", data)})
        assert (page.status_code, wanted in page.text) == (422, True)
    assert [*list_requests(hub), *list_chains(hub), *waiting_endpoints(hub)] == []


def test_the_instructions_are_those_of_the_bundle_under_a_strict_policy(
    bank: Visitor, operator: Visitor, issuer: str
) -> None:
    page = bank.get(f"/customers/{issuer}/files/instructions.html")
    policy = page.headers["content-security-policy"]
    assert ("frame-ancestors 'none'" in policy, "unsafe" in policy) == (True, False)
    with_time = re.compile(r"Made on [^.]*\.")
    sent = handed_out(operator.post(f"/customers/{issuer}/files/export").text).text(seal.INSTRUCTIONS)
    assert with_time.sub("", page.text) == with_time.sub("", sent)


def test_a_customer_and_a_reviewer_exchange_nothing(visit: Visit, bank: Visitor, issuer: str, other: str) -> None:
    for visitor in (bank, visit(Role.REVIEWER)):
        assert visitor.get(f"/customers/{issuer}/files").status_code == 200
        assert visitor.post(f"/customers/{issuer}/files/export").status_code == 403
        assert visitor.post(f"/customers/{issuer}/files/import", files={"file": ("a.zip", b"x")}).status_code == 403
    for path in ("files", "files/instructions.html"):
        assert bank.get(f"/customers/{other}/{path}").status_code == 404
    assert bank.post(f"/customers/{other}/files/export").status_code == 404
