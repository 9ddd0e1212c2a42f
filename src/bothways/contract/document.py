"""The contract's shape: every agreed value, typed. Nothing is parsed, rendered or decided here."""

from dataclasses import dataclass
from enum import StrEnum

FORMAT = 1
"""The version of the document's format. A reader refuses one that it does not know."""


class Environment(StrEnum):
    """An environment is a deployment of its own (R5); nothing crosses from one to the other."""

    PPR = "PPR"
    PRD = "PRD"


class KeyType(StrEnum):
    """The keys that R7 allows. The value is what `--key` takes."""

    ECDSA = "ecdsa"
    RSA = "rsa"

    @property
    def marker(self) -> str:
        """The algorithm marker of the common name (R8), where the contract spells it no other way."""
        return self.value.upper()

    @property
    def wanted(self) -> str:
        """The key in words, as messages name it."""
        return {"ecdsa": "ECDSA P-256", "rsa": "RSA 4096"}[self.value]


@dataclass(frozen=True, slots=True)
class RequestTerms:
    """What a certification request must look like (R7 to R9).

    `ecdsa_marker` and `rsa_marker` are what stands for the algorithm in the common name.
    `digest` and `subject` (short names, in the order of R9) are written out for the reader; no others are known.
    """

    common_name: str = "TLSMA-{algorithm}/{tspId}/{environment}"
    keys: tuple[KeyType, ...] = (KeyType.ECDSA, KeyType.RSA)
    digest: str = "sha256"
    subject: tuple[str, ...] = ("C", "ST", "L", "O", "OU", "CN")
    ecdsa_marker: str = KeyType.ECDSA.marker
    rsa_marker: str = KeyType.RSA.marker

    def marker(self, key: KeyType) -> str:
        """Return what stands for this kind of key in the common name (R8)."""
        return {KeyType.ECDSA: self.ecdsa_marker, KeyType.RSA: self.rsa_marker}[key]

    def expected_common_name(self, key: KeyType, tsp_id: str, environment: Environment) -> str:
        """Return the one common name that this pattern allows for these values."""
        return (
            self.common_name.replace("{algorithm}", self.marker(key))
            .replace("{tspId}", tsp_id)
            .replace("{environment}", environment.value)
        )


@dataclass(frozen=True, slots=True)
class CertificateTerms:
    """What the issued client certificate looks like, in days.

    `overlap_days` is how long the one that it renews stays valid, from the first time that the new one is seen in use.
    """

    validity_days: int = 397
    overlap_days: int = 30


@dataclass(frozen=True, slots=True)
class OutboundTerms:
    """How the hub calls a customer's server (R11)."""

    ports: tuple[int, ...] = (443, 8443)
    probe_path: str = "/"


@dataclass(frozen=True, slots=True)
class TlsTerms:
    """Which versions of TLS both flows use (R11); no others are known."""

    versions: tuple[str, ...] = ("1.2", "1.3")


class Software(StrEnum):
    """What the hub runs, which decides what its certificates say and what it can be asked."""

    BOTHWAYS = "bothways"
    """This software: certificates have a URI-ID, all CAs are published, the endpoint answers `/connectivity`."""

    OTHER = "other"
    """Another: no portal of ours, no URI-ID, and CAs that are perhaps not known before the first certificate."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What hub and customers agreed on, without the trust that the hub adds when it publishes.

    `hub` is the name in the hub's client certificate, and `portal` where the contract is; either may be empty for a hub
    with other `software`.
    """

    environment: Environment
    hub: str
    endpoint: str
    portal: str
    request: RequestTerms = RequestTerms()
    certificate: CertificateTerms = CertificateTerms()
    outbound: OutboundTerms = OutboundTerms()
    tls: TlsTerms = TlsTerms()
    software: Software = Software.BOTHWAYS


PUBLIC = "public"
"""In place of the server CA: any CA that this machine's platform trusts."""


@dataclass(frozen=True, slots=True)
class Trust:
    """The hub's certificate authorities, each as PEM text with one certificate or more.

    Of a hub with other software, `issuing_ca` and `client_ca` are empty until they are known, and `server_ca` may be
    the word `public`.

    `issuing_ca` signs customers' client certificates (R6), `client_ca` the hub's own client certificates, which
    customers trust (R12), `server_ca` the certificate of the hub's endpoint. `bundle_pin` is the SPKI pin of the key
    that signs the hub's bundles, or empty if it makes none.
    """

    issuing_ca: str
    client_ca: str
    server_ca: str
    bundle_pin: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """The published agreement: the terms and the trust."""

    terms: Terms
    trust: Trust
