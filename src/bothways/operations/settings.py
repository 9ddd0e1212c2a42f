"""The settings of one hub deployment, `hub.toml`: where it listens, where its passphrase is. Parsed once, frozen."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import tomli_w

from bothways import files
from bothways.contract.reader import read_toml
from bothways.operations import settings_values as values
from bothways.xds.state import Address

FILE = "hub.toml"

_DAYS_MOST = 365


class EnvoyLifetime(StrEnum):
    """How long the Envoy on the hub's machine lives.

    `HUB`: as long as the hub, however that ends, so that nothing is left behind. `DETACHED`: until the hub ends in good
    order; a hub that is killed finds it serving when it comes back. `SERVICE`: as long as `bothways hub envoy`, which
    the service manager starts and ends; the hub does neither.
    """

    HUB = "hub"
    DETACHED = "detached"
    SERVICE = "service"


class LogFormat(StrEnum):
    """How the log is written: for people, or one JSON object a line for programs."""

    TEXT = "text"
    JSON = "json"


class TwoPeople(StrEnum):
    """Where it takes two different people to sign a request, endorse a chain, or change the host of an endpoint."""

    PRODUCTION = "production"
    ALWAYS = "always"
    DANGER_NEVER = "danger-never"


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses and ports to bind, files, and the dangerous knobs, which are off.

    `metrics_port` is where Prometheus scrapes, 0 for nowhere. `nodes_port` and `nodes_connectivity_port` are where
    remote nodes reach the control plane; with 0 none can. `database` is the URL of a PostgreSQL database, empty for a
    file beside the settings. `envoy` is the path of another Envoy than the wheel's.
    `log_format` is how `hub run` and `hub envoy` write their log.
    `signer` is the PKCS#11 URI of the issuing CA's key, empty if
    that is in a file as the others are. `crl_url` is the
    folder where customers' certificates say that the CRL of their CA is, as `ID.crl`, if anywhere.
    `used_elsewhere` is a file of SPKI pins, one a line, of keys that the hub of the other environment knows (R5).
    `danger_enrolment_without_review` issues to what comes by EST before a person has seen it.
    `two_people` says where one person alone approves nothing.
    `smtp_` names the mail server of the notices, none if the host is empty; `danger_smtp_plain` does without STARTTLS.
    `canary_addresses` are listeners at which the canary knocks besides the hub's own: those of Envoys elsewhere.
    `nodes_staged` has one node try what is new before all others get it; `nodes_first` is that node's name, if not the
    hub's own Envoy.
    `scheduled_probes` has the hub probe customers' servers by itself, at their registration and daily.
    `idle_days` is after how many days Envoy lets go a customer whom nobody called; with 0, never.
    `local_accounts` lets people sign in with password and code, or passkey. `oidc_issuer` is the https address of the
    OpenID provider whose people may sign in, none if it is empty, with the client that the hub is there and the file of
    its secret; `oidc_ca_file` are CAs that vouch for it, if not the public ones.
    `trace_collector` is where traces are sent, `http://HOST:PORT` or `https://HOST:PORT` of OTLP over gRPC, empty for
    nowhere; `trace_ca_file` are the CAs that vouch for it. `trace_percent` of the requests that belong to no trace
    begin one; customers' own are joined only with `trace_join_customers`.
    The `danger_outbound_` settings let the hub call customers at loopback addresses, or at any port: for a developer's
    machine, never for a hub with customers.
    """

    inbound_address: str = "127.0.0.1"
    inbound_port: int = 8443
    egress_address: str = "127.0.0.1"
    egress_port: int = 15001
    portal_address: str = "127.0.0.1"
    portal_port: int = 8444
    metrics_address: str = "127.0.0.1"
    metrics_port: int = 0
    nodes_address: str = "127.0.0.1"
    nodes_port: int = 0
    nodes_connectivity_port: int = 0
    nodes_staged: bool = True
    nodes_first: str = ""
    database: str = ""
    passphrase_file: str = "passphrase"  # noqa: S105 - the name of a file
    envoy: str = ""
    envoy_lifetime: EnvoyLifetime = EnvoyLifetime.DETACHED
    log_format: LogFormat = LogFormat.TEXT
    danger_outbound_loopback: bool = False
    danger_outbound_any_port: bool = False
    scheduled_probes: bool = True
    idle_days: int = 7
    signer: str = ""
    crl_url: str = ""
    danger_enrolment_without_review: bool = False
    used_elsewhere: str = ""
    two_people: TwoPeople = TwoPeople.PRODUCTION
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_sender: str = ""
    smtp_username: str = ""
    smtp_password_file: str = ""
    smtp_ca_file: str = ""
    danger_smtp_plain: bool = False
    canary_addresses: tuple[Address, ...] = ()
    local_accounts: bool = True
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_secret_file: str = ""
    oidc_ca_file: str = ""
    trace_collector: str = ""
    trace_ca_file: str = ""
    trace_percent: int = 1
    trace_join_customers: bool = False


def read_settings(directory: Path) -> Settings:
    """Return the settings in `directory`. Raises `Refused` with all mistakes, `Unusable` if there are none."""
    path = directory / FILE
    reader = read_toml(files.read(path, "the hub's settings").decode(errors="replace"), str(path))
    default = Settings()

    def port(key: str, value: int, least: int = 1) -> int:
        return reader.integer(key, value, least, 65535)

    settings = Settings(
        inbound_address=values.ip_address(reader, "listen.inbound_address", default.inbound_address),
        inbound_port=port("listen.inbound_port", default.inbound_port),
        egress_address=values.ip_address(reader, "listen.egress_address", default.egress_address),
        egress_port=port("listen.egress_port", default.egress_port),
        portal_address=values.ip_address(reader, "listen.portal_address", default.portal_address),
        portal_port=port("listen.portal_port", default.portal_port),
        metrics_address=values.ip_address(reader, "listen.metrics_address", default.metrics_address),
        metrics_port=port("listen.metrics_port", default.metrics_port, 0),
        nodes_address=values.ip_address(reader, "listen.nodes_address", default.nodes_address),
        nodes_port=port("listen.nodes_port", default.nodes_port, 0),
        nodes_connectivity_port=port("listen.nodes_connectivity_port", default.nodes_connectivity_port, 0),
        nodes_staged=reader.value("nodes.staged", bool, default.nodes_staged),
        nodes_first=reader.text("nodes.first", default.nodes_first),
        database=values.database_url(reader, "database.url", default.database),
        passphrase_file=reader.text("files.passphrase", default.passphrase_file),
        envoy=reader.text("files.envoy", default.envoy),
        envoy_lifetime=EnvoyLifetime(reader.choice("envoy.lifetime", [*EnvoyLifetime], default.envoy_lifetime)),
        log_format=LogFormat(reader.choice("log.format", [*LogFormat], default.log_format)),
        danger_outbound_loopback=reader.flag("outbound.danger_outbound_loopback"),
        danger_outbound_any_port=reader.flag("outbound.danger_outbound_any_port"),
        scheduled_probes=reader.value("outbound.scheduled_probes", bool, default.scheduled_probes),
        idle_days=reader.integer("outbound.idle_days", default.idle_days, 0, _DAYS_MOST),
        signer=reader.text("keys.signer", default.signer),
        crl_url=reader.text("certificates.crl_url", default.crl_url),
        used_elsewhere=reader.text("keys.used_elsewhere", default.used_elsewhere),
        danger_enrolment_without_review=reader.flag("certificates.danger_enrolment_without_review"),
        two_people=TwoPeople(reader.choice("review.two_people", [*TwoPeople], default.two_people)),
        smtp_host=reader.text("smtp.host", default.smtp_host),
        smtp_port=port("smtp.port", default.smtp_port),
        smtp_sender=reader.text("smtp.sender", default.smtp_sender),
        smtp_username=reader.text("smtp.username", default.smtp_username),
        smtp_password_file=reader.text("smtp.password_file", default.smtp_password_file),
        smtp_ca_file=reader.text("smtp.ca_file", default.smtp_ca_file),
        danger_smtp_plain=reader.flag("smtp.danger_smtp_plain"),
        canary_addresses=tuple(
            values.listener(reader, "canary.addresses", each) for each in reader.value("canary.addresses", list, [])
        ),
        local_accounts=reader.value("sign_in.local_accounts", bool, default.local_accounts),
        oidc_issuer=reader.text("sign_in.oidc_issuer", default.oidc_issuer),
        oidc_client_id=reader.text("sign_in.oidc_client_id", default.oidc_client_id),
        oidc_secret_file=reader.text("sign_in.oidc_secret_file", default.oidc_secret_file),
        oidc_ca_file=reader.text("sign_in.oidc_ca_file", default.oidc_ca_file),
        trace_collector=values.collector(reader, "traces.collector", default.trace_collector),
        trace_ca_file=reader.text("traces.ca_file", default.trace_ca_file),
        trace_percent=reader.integer("traces.percent", default.trace_percent, 0, 100),
        trace_join_customers=reader.flag("traces.join_customers"),
    )
    if settings.trace_collector.startswith("https://") and not settings.trace_ca_file:
        wanted = "Name the file with the CA of the collector's certificate."
        reader.find("CONTRACT-MISSING", "traces.ca_file", "the value is missing", wanted)
    if settings.oidc_issuer and not settings.oidc_issuer.startswith("https://"):
        wrong = f"found {settings.oidc_issuer!r}, wanted an address that begins with https://"
        reader.find("CONTRACT-URL", "sign_in.oidc_issuer", wrong, "Give the issuer as the OpenID provider spells it.")
    if settings.oidc_issuer and not (settings.oidc_client_id and settings.oidc_secret_file):
        wanted = "Give the client's id, and the file of its secret, that the OpenID provider gave."
        reader.find(
            "CONTRACT-MISSING", "sign_in.oidc_client_id", "the client at the OpenID provider is missing", wanted
        )
    if settings.smtp_host and not settings.smtp_sender:
        reader.find("CONTRACT-MISSING", "smtp.sender", "the value is missing", "Say who sends, like pki@hub.example.")
    if (settings.nodes_port == 0) != (settings.nodes_connectivity_port == 0):
        reader.find(
            "CONTRACT-MISSING",
            "listen.nodes_connectivity_port",
            "one of listen.nodes_port and listen.nodes_connectivity_port is set, and the other is not",
            "Remote nodes need both; without remote nodes, set both to 0.",
        )
    reader.finish()
    return settings


def render_settings(settings: Settings) -> str:
    """Return the settings as TOML text; `read_settings` reads them back."""
    document: dict[str, dict[str, Any]] = {
        "listen": {
            "inbound_address": settings.inbound_address,
            "inbound_port": settings.inbound_port,
            "egress_address": settings.egress_address,
            "egress_port": settings.egress_port,
            "portal_address": settings.portal_address,
            "portal_port": settings.portal_port,
            "metrics_address": settings.metrics_address,
            "metrics_port": settings.metrics_port,
            "nodes_address": settings.nodes_address,
            "nodes_port": settings.nodes_port,
            "nodes_connectivity_port": settings.nodes_connectivity_port,
        },
        "nodes": {"staged": settings.nodes_staged, "first": settings.nodes_first},
        "database": {"url": settings.database},
        "files": {"passphrase": settings.passphrase_file, "envoy": settings.envoy},
        "envoy": {"lifetime": settings.envoy_lifetime.value},
        "log": {"format": settings.log_format.value},
        "outbound": {
            "danger_outbound_loopback": settings.danger_outbound_loopback,
            "danger_outbound_any_port": settings.danger_outbound_any_port,
            "scheduled_probes": settings.scheduled_probes,
            "idle_days": settings.idle_days,
        },
        "keys": {"signer": settings.signer, "used_elsewhere": settings.used_elsewhere},
        "certificates": {
            "crl_url": settings.crl_url,
            "danger_enrolment_without_review": settings.danger_enrolment_without_review,
        },
        "review": {"two_people": settings.two_people.value},
        "smtp": {
            "host": settings.smtp_host,
            "port": settings.smtp_port,
            "sender": settings.smtp_sender,
            "username": settings.smtp_username,
            "password_file": settings.smtp_password_file,
            "ca_file": settings.smtp_ca_file,
            "danger_smtp_plain": settings.danger_smtp_plain,
        },
        "canary": {"addresses": [str(each) for each in settings.canary_addresses]},
        "sign_in": {
            "local_accounts": settings.local_accounts,
            "oidc_issuer": settings.oidc_issuer,
            "oidc_client_id": settings.oidc_client_id,
            "oidc_secret_file": settings.oidc_secret_file,
            "oidc_ca_file": settings.oidc_ca_file,
        },
        "traces": {
            "collector": settings.trace_collector,
            "ca_file": settings.trace_ca_file,
            "percent": settings.trace_percent,
            "join_customers": settings.trace_join_customers,
        },
    }
    return tomli_w.dumps(document)
