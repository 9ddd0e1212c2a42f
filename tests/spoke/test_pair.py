import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from bothways import files
from bothways.contract.document import KeyType
from bothways.contract.subject import Subject
from bothways.errors import Conflict, Unusable
from bothways.pki.keys import spki_pin
from bothways.pki.request import parse_request
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke, init_spoke
from bothways.spoke.install import install_certificate
from bothways.spoke.pair import held_keys, previous, put_back, read_key
from bothways.spoke.status import spoke_status

Certified = Callable[[Spoke], bytes]
KilledAt = Callable[[int, Callable[[], object]], bool]


def is_pair(directory: Path) -> bool:
    """Tell whether the key and the certificate in a directory belong together."""
    certificate = x509.load_pem_x509_certificates((directory / "tls.crt").read_bytes())[0]
    return spki_pin(certificate.public_key()) == read_key(directory / "tls.key").spki_pin


def test_the_key_and_the_certificate_are_links_to_one_pair(ready_spoke: Spoke) -> None:
    directory = ready_spoke.directory
    assert (directory / "tls.key").readlink() == Path("current/tls.key")
    assert (directory / "tls.crt").readlink() == Path("current/tls.crt")
    assert (directory / "tls.key").stat().st_mode & 0o777 == 0o600
    assert (directory / "current").stat().st_mode & 0o777 == 0o700
    assert is_pair(directory)
    assert previous(ready_spoke) is None


def test_the_links_hold_where_the_directory_is_moved(ready_spoke: Spoke, tmp_path: Path) -> None:
    ready_spoke.directory.rename(tmp_path / "moved")
    assert is_pair(tmp_path / "moved")


def test_a_renewal_keeps_the_pair_before_and_no_older_one(
    ready_spoke: Spoke, subject: Subject, renewed: Certified
) -> None:
    seen = [(ready_spoke.key_file.read_bytes(), ready_spoke.certificate_file.read_bytes())]
    for _ in range(2):
        make_request(ready_spoke, KeyType.ECDSA, subject)
        install_certificate(ready_spoke, renewed(ready_spoke))
        before = previous(ready_spoke)
        assert before
        assert ((before / "tls.key").read_bytes(), (before / "tls.crt").read_bytes()) == seen[-1]
        assert is_pair(ready_spoke.directory)
        seen.append((ready_spoke.key_file.read_bytes(), ready_spoke.certificate_file.read_bytes()))
    assert len(set(seen)) == 3
    assert len(list((ready_spoke.directory / "pairs").iterdir())) == 2
    assert not ready_spoke.renewal.exists()


def test_a_pair_in_plain_files_becomes_the_previous_pair(
    ready_spoke: Spoke, subject: Subject, renewed: Certified
) -> None:
    for path in (ready_spoke.key_file, ready_spoke.certificate_file):
        files.replace(path, path.read_bytes(), files.PRIVATE)
    pair = ready_spoke.key_file.read_bytes(), ready_spoke.certificate_file.read_bytes()
    make_request(ready_spoke, KeyType.ECDSA, subject)
    install_certificate(ready_spoke, renewed(ready_spoke))
    before = previous(ready_spoke)
    assert before
    assert ((before / "tls.key").read_bytes(), (before / "tls.crt").read_bytes()) == pair
    assert is_pair(ready_spoke.directory)


def test_a_key_that_was_put_in_by_hand_is_used_and_the_pair_before_is_kept(
    ready_spoke: Spoke, contract_file: Path, certified: Certified, tmp_path: Path
) -> None:
    other = init_spoke(tmp_path / "other", str(contract_file), ready_spoke.tsp_id)
    chain, old = certified(other), ready_spoke.certificate_file.read_bytes()
    other.key_file.replace(ready_spoke.key_file)
    install_certificate(ready_spoke, chain)
    assert ready_spoke.certificate_file.read_bytes() == chain
    assert is_pair(ready_spoke.directory)
    before = previous(ready_spoke)
    assert before
    assert (before / "tls.crt").read_bytes() == old


def killed_copies(spoke: Spoke, killed_at: KilledAt, action: Callable[[Spoke], object]) -> Iterator[Spoke]:
    """Yield copies of the spoke in which the action was killed: at its first change of a file, at its second..."""
    for place in itertools.count(1):
        copied = spoke.directory.with_name(f"copy-{place}")
        shutil.copytree(spoke.directory, copied, symlinks=True)
        copy = replace(spoke, directory=copied)
        killed = killed_at(place, lambda copy=copy: action(copy))  # type: ignore[misc]
        yield copy
        if not killed:
            assert place > 5
            return


@pytest.mark.parametrize("plain", [False, True], ids=["links", "plain files"])
def test_kill_9_anywhere_in_a_renewal_leaves_a_pair_and_the_next_run_ends_it(
    ready_spoke: Spoke, subject: Subject, renewed: Certified, killed_at: KilledAt, *, plain: bool
) -> None:
    if plain:
        for path in (ready_spoke.key_file, ready_spoke.certificate_file):
            files.replace(path, path.read_bytes(), files.PRIVATE)
    old = ready_spoke.certificate_file.read_bytes()
    make_request(ready_spoke, KeyType.ECDSA, subject)
    chain = renewed(ready_spoke)
    for copy in killed_copies(ready_spoke, killed_at, lambda spoke: install_certificate(spoke, chain)):
        assert is_pair(copy.directory)
        assert copy.certificate_file.read_bytes() in {old, chain}
        install_certificate(copy, chain)
        assert copy.certificate_file.read_bytes() == chain
        assert is_pair(copy.directory)
        before = previous(copy)
        assert before
        assert (before / "tls.crt").read_bytes() == old
        assert is_pair(before)
        assert not copy.renewal.exists()


def test_kill_9_anywhere_in_a_first_installation_never_shows_a_certificate_without_its_key(
    spoke: Spoke, certified: Certified, killed_at: KilledAt
) -> None:
    chain, key = certified(spoke), spoke.key_file.read_bytes()
    for copy in killed_copies(spoke, killed_at, lambda spoke: install_certificate(spoke, chain)):
        assert copy.key_file.read_bytes() == key
        assert not copy.certificate_file.exists() or is_pair(copy.directory)
        install_certificate(copy, chain)
        assert copy.certificate_file.read_bytes() == chain
        assert copy.key_file.is_symlink()
        assert not copy.request_file.exists()
        assert (copy.directory / "current" / "tls.csr").read_bytes() == spoke.request_file.read_bytes()
        assert not [path.name for path in copy.directory.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("renewing", [False, True], ids=["first", "renewal"])
def test_kill_9_anywhere_in_a_request_leaves_no_request_without_its_key(
    spoke: Spoke, subject: Subject, certified: Certified, killed_at: KilledAt, *, renewing: bool
) -> None:
    if renewing:
        install_certificate(spoke, certified(spoke))
    for copy in killed_copies(spoke, killed_at, lambda spoke: make_request(spoke, KeyType.ECDSA, subject)):
        key, request = copy.pending / "tls.key", copy.pending / "tls.csr"
        made = key.read_bytes() if key.exists() else None
        with suppress(Conflict):
            make_request(copy, KeyType.ECDSA, subject)
        assert made in {None, key.read_bytes()}
        assert parse_request(request.read_bytes()).spki_pin == read_key(key).spki_pin
        assert not [path.name for path in copy.pending.iterdir() if path.name.startswith(".")]
        assert not renewing or is_pair(copy.directory)


def test_both_keys_are_held_while_a_renewal_is_under_way(ready_spoke: Spoke, subject: Subject) -> None:
    make_request(ready_spoke, KeyType.RSA, subject)
    assert [each.path for each in held_keys(ready_spoke)] == [ready_spoke.renewal / "tls.key", ready_spoke.key_file]


def test_a_key_that_others_can_read_is_not_used(ready_spoke: Spoke) -> None:
    ready_spoke.key_file.chmod(0o644)
    with pytest.raises(Unusable, match="chmod 600"):
        read_key(ready_spoke.key_file)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("echo this is no key", "no private key in PEM"),
        ("openssl genpkey -algorithm ED25519", "neither an RSA nor an ECDSA key"),
        ("openssl genpkey -algorithm X25519", "cannot sign"),
        (
            "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:x",
            "is encrypted, and nobody",
        ),
    ],
    ids=["not a key", "Ed25519", "X25519", "encrypted"],
)
def test_another_key_than_the_agreed_ones_is_not_used(tmp_path: Path, command: str, said: str) -> None:
    made = subprocess.run(command.split(), capture_output=True, check=True, timeout=30)
    files.write_new(tmp_path / "tls.key", made.stdout, files.PRIVATE)
    with pytest.raises(Unusable, match=said):
        read_key(tmp_path / "tls.key")


def test_a_missing_key_is_said() -> None:
    with pytest.raises(Unusable, match="there is no such file"):
        read_key(Path("/nonexistent/tls.key"))


def test_what_cannot_be_written_is_said_and_the_pair_in_use_stays(
    ready_spoke: Spoke, subject: Subject, renewed: Certified
) -> None:
    make_request(ready_spoke, KeyType.ECDSA, subject)
    chain, old = renewed(ready_spoke), ready_spoke.certificate_file.read_bytes()
    (ready_spoke.directory / "previous").mkdir()
    with pytest.raises(Unusable, match="cannot be written"):
        install_certificate(ready_spoke, chain)
    assert ready_spoke.certificate_file.read_bytes() == old
    assert is_pair(ready_spoke.directory)
    os.rmdir(ready_spoke.directory / "previous")  # noqa: PTH106 - as it was made
    install_certificate(ready_spoke, chain)
    assert ready_spoke.certificate_file.read_bytes() == chain


def test_a_pair_that_is_put_back_is_whole_and_the_other_becomes_the_one_before(
    ready_spoke: Spoke, certified: Callable[[Spoke], bytes]
) -> None:
    def pair() -> tuple[bytes, bytes]:
        return ready_spoke.key_file.read_bytes(), ready_spoke.certificate_file.read_bytes()

    with pytest.raises(Unusable, match="none to put back"):
        put_back(ready_spoke)
    first = pair()
    install_certificate(ready_spoke, certified(ready_spoke))
    second = pair()
    put_back(ready_spoke)
    assert pair() == first
    put_back(ready_spoke)
    assert pair() == second


def test_a_kill_while_a_pair_is_put_back_leaves_a_whole_pair(
    ready_spoke: Spoke, certified: Callable[[Spoke], bytes], killed_at: Callable[[int, Callable[[], object]], bool]
) -> None:
    install_certificate(ready_spoke, certified(ready_spoke))
    place = 1
    while killed_at(place, lambda: put_back(ready_spoke)):
        place += 1
        status = spoke_status(ready_spoke, datetime.now(UTC))
        assert not status.broken
        assert status.previous is not None
    assert place > 2
