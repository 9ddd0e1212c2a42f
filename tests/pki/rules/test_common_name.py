from collections.abc import Callable

import pytest

from bothways.contract.document import Environment, Terms
from bothways.pki.request import parse_request
from bothways.pki.rules import Applicant, request_findings

MakeCsr = Callable[..., bytes]
TERMS = Terms(Environment.PPR, "hub.example", "https://api.hub.example", "https://portal.hub.example")
APPLICANT = Applicant("12345678", TERMS, "First Bank")
CN = "TLSMA-ECDSA/12345678/PPR"
AGREED = [("CN", CN, "UTF8String")]

# Names of customers are as long as they are; that the library warns of them is no news to the rules.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")


def judged(csr: bytes, applicant: Applicant = APPLICANT) -> list[str]:
    return [each.id for each in request_findings(parse_request(csr), applicant, "tls.csr")]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("TLSMA-RSA/12345678/PPR", "the marker is RSA, but the key is ECDSA"),
        ("TLSMA-ECDSA/12345678/PRD", "it is for PRD, and this is PPR"),
        ("TLSMA-ECDSA/87654321/PPR", "the tspId is 87654321, and this customer's is 12345678"),
        (
            "TLSMA-ECDSA/١٢٣٤٥٦٧٨/PPR",
            "it has U+0661 ARABIC-INDIC DIGIT ONE, U+0662 ARABIC-INDIC DIGIT TWO, U+0663 ARABIC-INDIC DIGIT THREE",
        ),
        ("tlsma-ecdsa/12345678/ppr", "capital and small letters differ"),
        ("TLSMA-ECDSA/123456789/PPR", "the tspId is 123456789, and this customer's is 12345678"),
        ("TLSMA-ECDSA\\/12345678\\/PPR", "it does not follow the agreed pattern"),
        ("TLSMA-ECDSA/12345678/PPR,O=Evil", "it does not follow the agreed pattern"),
        ("O=Evil/CN=TLSMA-ECDSA/12345678/PPR", "it does not follow the agreed pattern"),
    ],
)
def test_csr_cn_01_refuses_every_other_name_and_says_why(make_csr: MakeCsr, name: str, why: str) -> None:
    (finding,) = request_findings(parse_request(make_csr(CN=name)), APPLICANT, "tls.csr")
    assert (finding.id, finding.message) == ("CSR-CN-01", f"the common name is {name!r}, wanted is {CN!r}: {why}")


@pytest.mark.parametrize("name", [f"{CN}\n", f"{CN}\0", f" {CN}", f"{CN}\0.evil.example", CN + "x" * 64])
def test_csr_cn_01_takes_nothing_before_or_after_the_name(strange_csr: MakeCsr, name: str) -> None:
    assert set(judged(strange_csr([("CN", name, "UTF8String")]))) == {"CSR-CN-01"}
