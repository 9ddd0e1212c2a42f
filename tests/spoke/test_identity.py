from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bothways import files
from bothways.contract.render import render_contract
from bothways.demo.customer_ca import ServerFiles, make_server_files
from bothways.errors import Unusable
from bothways.pki.chain import certificate_der
from bothways.spoke.directory import Spoke
from bothways.spoke.identity import Identity, reloading_identity
from bothways.spoke.reload import Reloading


@dataclass
class Watched:
    """A reloading identity, its files, and what it told."""

    made: ServerFiles
    told: list[str] = field(default_factory=list)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(make_server_files(tmp_path, "First Bank", "callbacks.localhost"))


@pytest.fixture
def identity(spoke: Spoke, watched: Watched) -> Reloading[Identity]:
    return reloading_identity(spoke, watched.made.certificate, watched.made.key, watched.told.append)


def test_while_nothing_changes_it_is_the_same_and_nothing_is_told(
    identity: Reloading[Identity], watched: Watched, spoke: Spoke
) -> None:
    first = identity.now()
    assert identity.now() is first
    assert watched.told == []
    assert first.terms == spoke.contract.terms
    trusted = first.context.get_ca_certs(binary_form=True)
    assert trusted == [certificate_der(each) for each in first.trusted]
    assert trusted == [
        certificate_der(each) for each in x509.load_pem_x509_certificates(spoke.contract.trust.client_ca.encode())
    ]


def test_a_certificate_without_its_key_is_not_used_until_the_key_is_there(
    identity: Reloading[Identity], watched: Watched, tmp_path: Path
) -> None:
    first = identity.now()
    (tmp_path / "new").mkdir()
    new = make_server_files(tmp_path / "new", "First Bank", "callbacks.localhost")
    files.replace(watched.made.certificate, new.certificate.read_bytes())
    assert identity.now() is first
    assert identity.now() is first
    assert len(watched.told) == 1
    assert "cannot be used, so it goes on as before" in watched.told[0]
    files.replace(watched.made.key, new.key.read_bytes(), files.PRIVATE)
    assert identity.now().certificate != first.certificate
    assert "are in use" in watched.told[1]


def test_files_that_vanish_keep_nothing_from_being_served(identity: Reloading[Identity], watched: Watched) -> None:
    first = identity.now()
    watched.made.certificate.unlink()
    assert identity.now() is first
    assert "the certificate cannot be read" in watched.told[0]


def test_another_client_ca_in_the_contract_is_trusted_alone(
    identity: Reloading[Identity], spoke: Spoke, make_ca: Callable[..., tuple[object, x509.Certificate]]
) -> None:
    identity.now()
    new = make_ca("new Client CA")[1]
    text = render_contract(spoke.contract).replace(
        spoke.contract.trust.client_ca, new.public_bytes(Encoding.PEM).decode()
    )
    files.replace(spoke.directory / "contract.toml", text.encode())
    assert identity.now().trusted == (new,)
    assert identity.now().context.get_ca_certs(binary_form=True) == [certificate_der(new)]


def test_files_that_cannot_be_used_from_the_start_are_refused(spoke: Spoke, watched: Watched) -> None:
    with pytest.raises(Unusable, match="cannot be read"):
        reloading_identity(spoke, Path("/nonexistent"), watched.made.key, watched.told.append)
