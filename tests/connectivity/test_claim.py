from collections.abc import Callable

import pytest

from bothways.connectivity.claim import Claim, claim_of
from bothways.contract.document import Environment, RequestTerms
from bothways.pki.presented import Presented

Present = Callable[..., Presented]
TERMS = RequestTerms()


def test_the_uri_id_says_it_before_the_common_name(present: Present) -> None:
    presented = present("TLSMA-RSA/1/PPR", ("urn:bothways:PRD:12345678:1a",))
    assert claim_of(presented, TERMS) == Claim("12345678", Environment.PRD)


def test_several_uri_ids_are_none_and_the_common_name_says_it(present: Present) -> None:
    presented = present("TLSMA-RSA/1/PPR", ("urn:bothways:PPR:2:1a", "urn:bothways:PPR:3:1a"))
    assert claim_of(presented, TERMS) == Claim("1", Environment.PPR)


@pytest.mark.parametrize(
    ("pattern", "common_name", "wanted"),
    [
        (TERMS.common_name, "TLSMA-ECDSA/12345678/PRD", Claim("12345678", Environment.PRD)),
        ("{environment}.{tspId}+{algorithm}", "PPR.12345678+RSA", Claim("12345678", Environment.PPR)),
        ("{environment}.{tspId}+{algorithm}", "PPRx12345678+RSA", None),
        (TERMS.common_name, "TLSMA-ECDSA/12345678/DEV", None),
        (TERMS.common_name, "TLSMA-ECDSA/١٢٣/PPR", None),
        (TERMS.common_name, "TLSMA-ECDSA/1/PPR\n", None),
        (TERMS.common_name, "api.bank.example", None),
    ],
)
def test_the_common_name_says_it_as_the_contract_has_it(
    present: Present, pattern: str, common_name: str, wanted: Claim | None
) -> None:
    assert claim_of(present(common_name), RequestTerms(common_name=pattern)) == wanted
