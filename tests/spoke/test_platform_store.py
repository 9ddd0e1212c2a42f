from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from tests.programs import brought

from bothways.contract.document import PUBLIC
from bothways.errors import Unusable
from bothways.spoke import platform_store as module
from bothways.spoke.directory import Spoke
from bothways.spoke.platform_store import platform_store, server_ca


def test_a_contract_that_names_its_server_ca_trusts_nothing_else(spoke: Spoke) -> None:
    assert server_ca(spoke.contract) == spoke.contract.trust.server_ca


def test_public_is_the_file_of_this_platform(spoke: Spoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store.pem"
    store.write_text(spoke.contract.trust.server_ca)
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    public = replace(spoke.contract, trust=replace(spoke.contract.trust, server_ca=PUBLIC))
    assert platform_store() == store
    assert server_ca(public) == store.read_text()
    store.write_text("damaged")
    with pytest.raises(Unusable, match="cannot be read"):
        server_ca(public)


def test_all_of_this_machine_can_be_read(spoke: Spoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    try:
        platform_store()
    except Unusable:
        pytest.skip(f"this machine has no public CAs ({brought('update-ca-certificates')})")
    public = replace(spoke.contract, trust=replace(spoke.contract.trust, server_ca=PUBLIC))
    assert len(x509.load_pem_x509_certificates(server_ca(public).encode())) > 50


def test_a_machine_without_one_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.setattr(module, "_PLACES", ())
    with pytest.raises(Unusable, match="ca-certificates"):
        platform_store()
