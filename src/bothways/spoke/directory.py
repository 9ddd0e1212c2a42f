"""A spoke's directory, one per environment: which files stand in it, and how it is made from a contract."""

import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path

import httpx2
import tomli_w

from bothways import files
from bothways.contract.document import Contract
from bothways.contract.parse import parse_contract
from bothways.contract.reader import read_toml
from bothways.errors import Conflict, Refused, Unreachable, Unusable
from bothways.findings import Finding
from bothways.registry.customer import customer_findings
from bothways.spoke.localhost import LocalhostTransport

_FETCH_TIMEOUT = 10.0
_CONTRACT_LIMIT = 256 * 1024


@dataclass(frozen=True, slots=True)
class Spoke:
    """An opened spoke directory: the contract it keeps to, and whose it is."""

    directory: Path
    contract: Contract
    tsp_id: str

    @property
    def key_file(self) -> Path:
        """The private key, mode 0600."""
        return self.directory / "tls.key"

    @property
    def request_file(self) -> Path:
        """The certification request."""
        return self.directory / "tls.csr"

    @property
    def certificate_file(self) -> Path:
        """The certificate, end entity first, then its issuer."""
        return self.directory / "tls.crt"


def init_spoke(directory: Path, source: str, tsp_id: str, fingerprint: str | None = None) -> Spoke:
    """Make a spoke in `directory` from the contract at `source`, a file or an https address.

    `fingerprint` is the SHA-256 of the contract that the hub's representative read out. It is needed where the hub's
    certificate is not from a public CA: then it is what proves the contract, and not the connection.
    Raises `Conflict` if a spoke is there, `Unreachable` or `Refused` if the contract cannot be had or trusted.
    """
    if (directory / "contract.toml").exists():
        raise Conflict(f"{directory} already holds a spoke. Go on with it, or name another directory.")
    # The organization is said later, in the request.
    if mistakes := customer_findings(tsp_id, "unsaid"):
        raise Refused(mistakes)
    text = (
        _fetched(source, fingerprint) if "://" in source else files.read(Path(source), "the contract", _CONTRACT_LIMIT)
    )
    found = hashlib.sha256(text).hexdigest()
    if fingerprint is not None and fingerprint.lower().replace(":", "") != found:
        message = f"the contract's fingerprint is {found}, wanted {fingerprint}"
        raise Refused((Finding("CONTRACT-PIN", message, "Ask the hub's representative for both.", "R12", source),))
    contract = parse_contract(text.decode(errors="replace"), source)
    files.make_directory(directory)
    files.replace(directory / "spoke.toml", tomli_w.dumps({"customer": tsp_id}).encode())
    files.replace(directory / "ca.crt", contract.trust.server_ca.encode())
    files.replace(directory / "client-ca.crt", contract.trust.client_ca.encode())
    # The contract comes last: its presence is what makes the directory a spoke.
    files.write_new(directory / "contract.toml", text)
    return Spoke(directory, contract, tsp_id)


def open_spoke(directory: Path) -> Spoke:
    """Open the spoke in `directory`. Raises `Unusable` if there is none."""
    path = directory / "contract.toml"
    if not path.is_file():
        raise Unusable(
            f"{directory} holds no spoke. Make one: "
            f"bothways spoke init --contract FILE_OR_URL --customer TSPID --directory {directory}"
        )
    contract = parse_contract(files.read(path, "the contract").decode(errors="replace"), str(path))
    reader = read_toml(files.read(directory / "spoke.toml", "the spoke's settings").decode(), "spoke.toml")
    tsp_id = reader.text("customer")
    reader.finish()
    return Spoke(directory, contract, tsp_id)


def _fetched(url: str, fingerprint: str | None) -> bytes:
    if not url.startswith("https://"):
        raise Unusable(f"{url} is not an https address. Give one, or the path of a file.")
    context = ssl.create_default_context()
    if fingerprint is not None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        with httpx2.Client(transport=LocalhostTransport(context), timeout=_FETCH_TIMEOUT, trust_env=False) as client:
            answer = client.get(url)
            answer.raise_for_status()
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        hint = (
            " If the hub's certificate is not from a public CA, give --fingerprint."
            if "CERTIFICATE" in str(error)
            else ""
        )
        raise Unreachable(f"the contract cannot be fetched from {url}: {error}.{hint}") from error
    return answer.content[:_CONTRACT_LIMIT]
