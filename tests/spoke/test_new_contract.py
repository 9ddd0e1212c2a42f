"""A newer contract in a spoke that is there: what it changes is said, whose it is not is refused, and back it goes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from bothways.contract.document import PUBLIC, Contract, Environment, KeyType, Software
from bothways.contract.render import render_contract
from bothways.demo.customer_ca import make_server_files
from bothways.errors import Refused, Unusable
from bothways.pki.chain import fingerprint
from bothways.pki.keys import sha256
from bothways.spoke.directory import Spoke, open_spoke
from bothways.spoke.new_contract import changes, is_in_force, published, put_back, replace_contract


def text(contract: Contract) -> bytes:
    return render_contract(contract).encode()


@pytest.fixture
def next_ca(tmp_path: Path) -> str:
    (tmp_path / "ca").mkdir()
    return make_server_files(tmp_path / "ca", "Next", "hub.example").chain.read_text()


def with_client_ca(spoke: Spoke, pem: str) -> Contract:
    trust = spoke.contract.trust
    return replace(spoke.contract, trust=replace(trust, client_ca=trust.client_ca + pem))


def with_terms(spoke: Spoke, **values: object) -> Contract:
    return replace(spoke.contract, terms=replace(spoke.contract.terms, **values))  # type: ignore[arg-type]


def test_a_second_client_ca_is_trusted_and_told_with_its_fingerprint(ready_spoke: Spoke, next_ca: str) -> None:
    before = ready_spoke.contract_file.read_bytes()
    pair = ready_spoke.key_file.read_bytes(), ready_spoke.certificate_file.read_bytes()
    latest = with_client_ca(ready_spoke, next_ca)
    seen = replace_contract(ready_spoke, text(latest), "new", dry_run=True)
    assert ready_spoke.contract_file.read_bytes() == before
    assert seen.previous is None
    done = replace_contract(ready_spoke, text(latest), "new")
    assert done.changes == seen.changes
    [change] = done.changes
    assert change.setting == "trust.client_ca"
    for each in x509.load_pem_x509_certificates(next_ca.encode()):
        assert fingerprint(each) in change.after
        assert fingerprint(each) not in change.before
    assert "reload what reads client-ca.crt" in change.meaning
    opened = open_spoke(ready_spoke.directory)
    assert opened.contract == latest
    assert (opened.directory / "client-ca.crt").read_text() == latest.trust.client_ca
    assert done.previous is not None
    assert done.previous.read_bytes() == before
    assert (opened.key_file.read_bytes(), opened.certificate_file.read_bytes()) == pair
    # The same again is nothing new, and the one before stays what it was.
    again = replace_contract(opened, text(latest), "new")
    assert again.changes == ()
    assert done.previous.read_bytes() == before


def test_the_contract_before_is_put_back_and_taken_forth(ready_spoke: Spoke, next_ca: str) -> None:
    with pytest.raises(Unusable, match="no contract that was in force before"):
        put_back(ready_spoke)
    latest = with_client_ca(ready_spoke, next_ca)
    replace_contract(ready_spoke, text(latest), "new")
    put_back(open_spoke(ready_spoke.directory))
    back = open_spoke(ready_spoke.directory)
    assert back.contract == ready_spoke.contract
    assert (back.directory / "client-ca.crt").read_text() == ready_spoke.contract.trust.client_ca
    put_back(back)
    assert open_spoke(ready_spoke.directory).contract == latest


def test_a_contract_of_another_hub_or_environment_is_refused_and_nothing_changes(ready_spoke: Spoke) -> None:
    before = ready_spoke.contract_file.read_bytes()
    wrong = with_terms(ready_spoke, environment=Environment.PRD, hub="other.example", software=Software.OTHER)
    with pytest.raises(Refused) as raised:
        replace_contract(ready_spoke, text(wrong), "new")
    assert [each.id for each in raised.value.findings] == ["CONTRACT-ENVIRONMENT", "CONTRACT-HUB", "CONTRACT-HUB"]
    with pytest.raises(Refused, match="CONTRACT-TOML"):
        replace_contract(ready_spoke, b"\xff", "new")
    assert ready_spoke.contract_file.read_bytes() == before
    assert not (ready_spoke.directory / "previous-contract.toml").exists()


def test_what_changes_says_what_it_means_for_key_and_certificate(ready_spoke: Spoke, next_ca: str) -> None:
    terms = ready_spoke.contract.terms
    request = replace(terms.request, keys=(KeyType.RSA,), common_name="X-{algorithm}/{tspId}/{environment}")
    latest = with_terms(ready_spoke, endpoint="https://api.elsewhere.example", request=request)
    latest = replace(latest, trust=replace(latest.trust, issuing_ca=next_ca, bundle_pin="0" * 64))
    found = {each.setting: each for each in changes(ready_spoke, latest)}
    assert [*found] == ["hub.endpoint", "request.common_name", "request.keys", "trust.issuing_ca", "trust.bundle_pin"]
    assert found["hub.endpoint"].after == "https://api.elsewhere.example"
    assert found["request.keys"].document() | {"meaning": ""} == {
        "setting": "request.keys",
        "before": "ecdsa, rsa",
        "after": "rsa",
        "meaning": "",
    }
    assert "bothways spoke renew --key rsa" in found["request.keys"].meaning
    assert "bothways spoke renew --force" in found["trust.issuing_ca"].meaning


def test_what_was_learned_of_another_hub_stays_where_its_contract_is_silent(spoke: Spoke) -> None:
    other = with_terms(spoke, software=Software.OTHER)
    spoke.contract_file.write_bytes(text(other))
    known = open_spoke(spoke.directory)
    silent = replace(other, trust=replace(other.trust, issuing_ca="", client_ca="", server_ca=PUBLIC))
    [change] = replace_contract(known, text(silent), "new").changes
    assert (change.setting, change.after) == ("trust.server_ca", "the CAs that this machine's platform trusts")
    opened = open_spoke(spoke.directory)
    assert opened.contract.trust == replace(other.trust, server_ca=PUBLIC)
    assert (spoke.directory / "ca.crt").is_symlink()
    put_back(opened)
    assert (spoke.directory / "ca.crt").read_text() == other.trust.server_ca


def test_which_contract_is_in_force_is_known_by_its_bytes_or_by_what_it_says(spoke: Spoke) -> None:
    as_published = sha256(text(spoke.contract))
    assert is_in_force(spoke, as_published)
    assert not is_in_force(spoke, "0" * 64)
    # As an editor, or another version of this software, would have written the same.
    spoke.contract_file.write_bytes(b"# ours\n" + text(spoke.contract))
    assert is_in_force(spoke, as_published)
    assert is_in_force(spoke, sha256(b"# ours\n" + text(spoke.contract)))
    assert replace_contract(spoke, text(spoke.contract), "new").changes == ()
    assert spoke.contract_file.read_bytes() == text(spoke.contract)


@pytest.mark.parametrize("answer", [None, [], {}, {"contract": None}, {"contract": {"fingerprint": "x"}}])
def test_an_answer_without_a_fingerprint_tells_of_no_contract(answer: object) -> None:
    assert published(answer) == ""
    assert published({"contract": {"fingerprint": "a" * 64}}) == "a" * 64


def test_a_kill_at_any_time_leaves_a_spoke_with_one_of_the_two(
    ready_spoke: Spoke, next_ca: str, killed_at: Callable[[int, Callable[[], object]], bool]
) -> None:
    latest = with_client_ca(ready_spoke, next_ca)
    place = 1
    while killed_at(place, lambda: replace_contract(open_spoke(ready_spoke.directory), text(latest), "new")):
        place += 1
        assert open_spoke(ready_spoke.directory).contract in {ready_spoke.contract, latest}
    assert open_spoke(ready_spoke.directory).contract == latest
    assert (ready_spoke.directory / "client-ca.crt").read_text() == latest.trust.client_ca
    assert place > 3
