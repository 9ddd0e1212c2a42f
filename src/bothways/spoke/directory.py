"""A spoke's directory, one per environment: which files stand in it, how it is made and opened, and who may write."""

import contextlib
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import tomli_w

from bothways import files
from bothways.contract.document import PUBLIC, Contract
from bothways.contract.parse import parse_contract
from bothways.contract.reader import read_toml
from bothways.errors import Conflict, Refused, Unusable
from bothways.findings import Finding
from bothways.registry.customer import customer_findings
from bothways.spoke.fetch import CONTRACT_LIMIT, fetched
from bothways.spoke.platform_store import platform_store
from bothways.spoke.preset import Settled

KEY, REQUEST, CERTIFICATE = "tls.key", "tls.csr", "tls.crt"
"""The names of a pair's files, wherever the pair stands."""

OPENSSL_CONF = "openssl.cnf"
"""Beside a pair whose key lies in a token: how OpenSSL reaches it."""

BUNDLE = "bundle.toml"
"""Which bundle of the hub was taken in last."""

SERVER_CA, CLIENT_CA = "ca.crt", "client-ca.crt"
"""Whom the contract trusts, as files for other programs: the hub's endpoint, and its calls."""

_CONTRACT, _SETTINGS, _RENEWAL = "contract.toml", "spoke.toml", "renewal"
_OURS = KEY, REQUEST, CERTIFICATE, "current", "previous", SERVER_CA, CLIENT_CA, _CONTRACT, _SETTINGS, BUNDLE


@dataclass(frozen=True, slots=True)
class Spoke:
    """An opened spoke directory: the contract it keeps to, and whose it is."""

    directory: Path
    contract: Contract
    tsp_id: str
    server_certificate: Path | None = None
    """The certificate of the customer's server, as `spoke listen` used it last."""
    confirmed: tuple[str, ...] = ()
    """What the user confirmed of a preset, each as `setting = value`."""

    @property
    def key_file(self) -> Path:
        """The private key in use, mode 0600."""
        return self.directory / KEY

    @property
    def request_file(self) -> Path:
        """The first certification request."""
        return self.directory / REQUEST

    @property
    def openssl_conf(self) -> Path:
        """OpenSSL's configuration for the pair in use, if its key lies in a token."""
        return self.directory / "current" / OPENSSL_CONF

    @property
    def certificate_file(self) -> Path:
        """The certificate in use, end entity first, then its issuer."""
        return self.directory / CERTIFICATE

    @property
    def contract_file(self) -> Path:
        """The contract, as the hub published it."""
        return self.directory / _CONTRACT

    @property
    def renewal(self) -> Path:
        """Where a new key and its request wait for their certificate while the old pair is in use."""
        return self.directory / _RENEWAL

    @property
    def pending(self) -> Path:
        """Where the next request has its key, or the one under way: beside the pair in use, or in its place."""
        return self.renewal if stands(self.certificate_file) else self.directory


def init_spoke(
    directory: Path, source: str, tsp_id: str, fingerprint: str | None = None, settled: Settled | None = None
) -> Spoke:
    """Make a spoke in `directory` from the contract at `source`, a file or an https address, or from a settled preset.

    `fingerprint` is the SHA-256 of the contract that the hub's representative read out. It is needed where the hub's
    certificate is not from a public CA: then it is what proves the contract, and not the connection.
    Files that stand in the directory are never overwritten; those of an interrupted run are kept if they are the same.
    Raises `Conflict` if a spoke is there, `Unreachable` or `Refused` if the contract cannot be had or trusted.
    """
    _absent(directory)
    _check_customer(tsp_id)
    if settled is None:
        return make_spoke(directory, read_contract(source, fingerprint), source, tsp_id)
    require_fingerprint(settled.contract, source, fingerprint)
    return make_spoke(directory, settled.contract, source, tsp_id, settled.confirmed)


def read_contract(source: str, fingerprint: str | None = None) -> bytes:
    """Return the contract at a file or an https address, byte for byte; `fingerprint` as in `init_spoke`.

    Raises `Unreachable` or `Unusable` if it cannot be had, `Refused` if its fingerprint is another.
    """
    if "://" in source:
        data = fetched(source, verified=fingerprint is None)
    else:
        data = files.read(Path(source), "the contract", CONTRACT_LIMIT)
    require_fingerprint(data, source, fingerprint)
    return data


def require_fingerprint(data: bytes, source: str, fingerprint: str | None) -> None:
    """Raise `Refused` unless the contract has this SHA-256, if one was read out."""
    found = hashlib.sha256(data).hexdigest()
    if fingerprint is not None and fingerprint.lower().replace(":", "") != found:
        message = f"the contract's fingerprint is {found}, wanted {fingerprint}"
        raise Refused((Finding("CONTRACT-PIN", message, "Ask the hub's representative for both.", "R12", source),))


def make_spoke(directory: Path, data: bytes, source: str, tsp_id: str, confirmed: tuple[str, ...] = ()) -> Spoke:
    """Make a spoke in `directory` from the bytes of a contract that was verified; otherwise as `init_spoke`."""
    _absent(directory)
    _check_customer(tsp_id)
    contract = contract_in(data, source)
    files.make_directory(directory)
    with alone(directory):
        _absent(directory)
        _write_same(directory / _SETTINGS, _settings_text(tsp_id, confirmed))
        _write_server_ca(directory / SERVER_CA, contract)
        if contract.trust.client_ca:
            _write_same(directory / CLIENT_CA, contract.trust.client_ca.encode())
        # The contract comes last: its presence is what makes the directory a spoke.
        files.write_new(directory / _CONTRACT, data)
    return Spoke(directory, contract, tsp_id, confirmed=confirmed)


def contract_in(data: bytes, subject: str) -> Contract:
    """Return the contract that the bytes of a file hold. Raises `Refused`; `subject` names it in findings."""
    return parse_contract(_text(data, subject), subject)


def write_authorities(directory: Path, contract: Contract) -> None:
    """Write whom a new contract trusts into the files for other programs. The caller holds the directory (`alone`)."""
    server = directory / SERVER_CA
    if contract.trust.server_ca == PUBLIC:
        # In one step, as all files are: a link beside it, and renamed.
        beside = directory / f".{SERVER_CA}.{secrets.token_hex(4)}"
        beside.symlink_to(platform_store())
        beside.replace(server)
    else:
        files.replace(server, contract.trust.server_ca.encode())
    if contract.trust.client_ca:
        files.replace(directory / CLIENT_CA, contract.trust.client_ca.encode())


def open_spoke(directory: Path) -> Spoke:
    """Open the spoke in `directory`. Raises `Unusable` if there is none, `Refused` if one of its files is damaged."""
    path = directory / _CONTRACT
    try:
        path.stat()
    except NotADirectoryError as error:
        raise Unusable(f"{directory} is a file. Name the directory of a spoke: --directory") from error
    except FileNotFoundError as error:
        raise Unusable(
            f"{directory} holds no spoke. Make one: "
            f"bothways spoke init --contract FILE_OR_URL --customer TSPID --directory {directory}"
        ) from error
    except (OSError, ValueError):
        # Reading says why the directory cannot be looked into.
        pass
    contract = contract_in(files.read(path, "the contract", CONTRACT_LIMIT), str(path))
    tsp_id, server, confirmed = _settings(directory / _SETTINGS)
    return Spoke(directory, contract, tsp_id, Path(server) if server else None, confirmed)


def remember_server(spoke: Spoke, certificate: Path) -> None:
    """Write down where the server's certificate is, for `spoke status`. Raises `Unusable` or `Conflict`."""
    if spoke.server_certificate == certificate.absolute():
        return
    settings = _settings_text(spoke.tsp_id, spoke.confirmed, os.fsdecode(certificate.absolute()))
    with alone(spoke.directory):
        files.replace(spoke.directory / _SETTINGS, settings)


def stands(path: Path) -> bool:
    """Tell whether anything stands at the path, a dangling link too. What cannot be looked at counts as absent."""
    # Unlike Path.exists, this raises nothing; the step that needs the file says what is wrong with the path.
    return os.path.lexists(path)


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Let one command at a time write to the directory, and take away what a killed one left half-written.

    Raises `Conflict` if another command is writing, `Unusable` if the directory cannot be had.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except (OSError, ValueError) as error:
        raise Unusable(f"{directory} cannot be opened: {error}. Check the path and its mode.") from error
    try:
        _lock(descriptor, directory)
        for name in _OURS:
            # As files are named that are written and not yet in place (see `files`).
            left_names = f".{name}.{'?' * 8}"
            for left in (*directory.glob(left_names), *(directory / _RENEWAL).glob(left_names)):
                with contextlib.suppress(OSError):
                    left.unlink()
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Conflict(
            f"another bothways spoke command is writing to {directory}. Try again when it has ended."
        ) from error
    except OSError as error:
        raise Unusable(f"{directory} cannot be locked: {error.strerror}. Use a local file system.") from error


def _absent(directory: Path) -> None:
    if stands(directory / _CONTRACT):
        raise Conflict(
            f"{directory} already holds a spoke, which is left as it is. Look at it: "
            f"bothways spoke status --directory {directory}; or name another directory."
        )


def _write_same(path: Path, content: bytes) -> None:
    if not stands(path):
        files.write_new(path, content)
    elif files.read(path, path.name) != content:
        raise Conflict(
            f"{path} stands there already with another content, and is never overwritten. "
            "Name an empty directory, or move the file away."
        )


def _write_server_ca(path: Path, contract: Contract) -> None:
    if contract.trust.server_ca != PUBLIC:
        _write_same(path, contract.trust.server_ca.encode())
    elif not stands(path):
        # The platform's own file, which its updates keep; a copy would grow old.
        path.symlink_to(platform_store())


def _settings_text(tsp_id: str, confirmed: tuple[str, ...], server: str = "") -> bytes:
    settings: dict[str, object] = {"customer": tsp_id}
    settings |= {"server_certificate": server} if server else {}
    settings |= {"confirmed": list(confirmed)} if confirmed else {}
    return tomli_w.dumps(settings).encode("utf-8", "replace")


def _settings(path: Path) -> tuple[str, str, tuple[str, ...]]:
    """Return the customer, the file with the server's certificate or an empty text, and what was confirmed."""
    hint = f"Write it again, with one line: customer = 'TSPID' (in {path})."
    try:
        reader = read_toml(_text(files.read(path, "the spoke's settings"), str(path)), str(path))
        tsp_id, server = reader.text("customer"), reader.text("server_certificate", "")
        confirmed = tuple(str(each) for each in reader.value("confirmed", list, []))
        reader.finish()
        _check_customer(tsp_id)
    except Refused as error:
        raise Refused(tuple(replace(each, hint=hint, subject=str(path)) for each in error.findings)) from error
    return tsp_id, server, confirmed


def _check_customer(tsp_id: str) -> None:
    # The organization is said later, in the request.
    if mistakes := customer_findings(tsp_id, "unsaid"):
        raise Refused(mistakes)


def _text(data: bytes, subject: str) -> str:
    try:
        # Some editors begin a file with a byte order mark.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"this is not UTF-8 text: {error.reason} at byte {error.start}"
        hint = "Take the file again from the hub, byte for byte."
        raise Refused((Finding("CONTRACT-TOML", message, hint, "TOML 1.0.0", subject),)) from error
