from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bothways.contract.document import Contract, Software
from bothways.errors import Refused, Unusable
from bothways.pki.chain import certificate_pem
from bothways.spoke.authorities import add_client_ca, require_authorities, with_issuing_ca
from bothways.spoke.directory import Spoke, open_spoke


def other(contract: Contract, **trust: str) -> Contract:
    """The contract as that of a hub with other software."""
    terms = replace(contract.terms, software=Software.OTHER)
    return replace(contract, terms=terms, trust=replace(contract.trust, **trust))


def test_a_hub_of_ours_says_alone_whom_to_trust(spoke: Spoke, make_ca: Callable[..., Any]) -> None:
    before = spoke.contract_file.read_bytes()
    with pytest.raises(Unusable, match="publishes its CAs"):
        add_client_ca(spoke, [make_ca("Somebody")[1]])
    assert spoke.contract_file.read_bytes() == before


def test_a_client_ca_is_added_beside_those_that_are_known_each_once(spoke: Spoke, make_ca: Callable[..., Any]) -> None:
    first, second = (make_ca(name)[1] for name in ("First", "Second"))
    changed = replace(spoke, contract=other(spoke.contract, client_ca=""))
    for found in ([first], [second, first]):
        changed = add_client_ca(changed, found)
    wanted = certificate_pem(first) + certificate_pem(second)
    assert open_spoke(spoke.directory).contract.trust.client_ca == wanted
    assert (spoke.directory / "client-ca.crt").read_text() == wanted


def test_a_single_certificate_of_the_hub_is_no_ca(spoke: Spoke, make_ca: Callable[..., Any]) -> None:
    own = make_ca("hub", make_ca("CA"), ca=False)[1]
    with pytest.raises(Refused, match="SPOKE-PIN"):
        add_client_ca(replace(spoke, contract=other(spoke.contract)), [own])
    with pytest.raises(Refused, match="INSTALL-08"):
        require_authorities([own], "file", "INSTALL-08")


def test_an_issuing_ca_comes_beside_those_before(spoke: Spoke, make_ca: Callable[..., Any]) -> None:
    new = make_ca("New")[1]
    before = spoke.contract.trust.issuing_ca
    assert with_issuing_ca(other(spoke.contract), [new]).trust.issuing_ca == before + certificate_pem(new)
