"""The page of the hub's settings: names and defaults from what the hub itself writes, and what each of them is."""

import tomllib

from bothways.operations.settings import Settings, render_settings
from bothways.reference import MADE

MEANINGS = {
    "listen.inbound_address": "the IP address at which Envoy takes customers' calls",
    "listen.inbound_port": "its port: 443 in production, behind a redirect or with the right to bind it",
    "listen.egress_address": (
        "the IP address at which Envoy takes the hub's own calls to customers, in plain HTTP from the inside"
    ),
    "listen.egress_port": "its port",
    "listen.portal_address": "the IP address of the portal, the API, EST and these pages",
    "listen.portal_port": "its port",
    "listen.metrics_address": "the IP address at which Prometheus scrapes, in plain HTTP: an address of the inside",
    "listen.metrics_port": "its port; 0 for nowhere",
    "listen.nodes_address": "the IP address at which remote Envoys reach the control plane",
    "listen.nodes_port": "the port of the control plane for them (gRPC over mutual TLS); 0 lets none in",
    "listen.nodes_connectivity_port": (
        "the port at which they forward `/connectivity` (HTTP over mutual TLS); 0 with the one above"
    ),
    "nodes.staged": "whether one node tries what is new before all others get it",
    "nodes.first": "the name of that node; empty for the Envoy beside the hub",
    "files.passphrase": "the file of the passphrase that encrypts keys and snapshots, from the hub's directory",
    "database.url": "the URL of a PostgreSQL database; empty for `hub.db` in the hub's directory (SQLite)",
    "files.envoy": "the path of another Envoy than the one that came with the package; empty for that one",
    "envoy.lifetime": (
        "how long the Envoy on this machine lives: `detached`, `service` or `hub` ([running a hub](operation.md))"
    ),
    "log.format": "how `hub run` and `hub envoy` write their log: `text`, or `json`, one object a line",
    "outbound.danger_outbound_loopback": (
        "whether customers' servers may be at loopback addresses: for a developer's machine alone"
    ),
    "outbound.danger_outbound_any_port": (
        "whether they may be at other ports than the contract's: for a developer's machine alone"
    ),
    "outbound.idle_days": "days after which Envoy lets go a customer whom nobody called; 0: never",
    "outbound.scheduled_probes": "whether the hub probes customers' servers by itself, when they are named and daily",
    "keys.signer": "the PKCS#11 URI of the issuing CA's key; empty for a file ([signers](signers.md))",
    "keys.used_elsewhere": (
        "a file with the pins of keys that the other environment's hub knows: they are refused here (R5)"
    ),
    "certificates.crl_url": (
        "the folder that certificates name for the revocation list of their CA, as `ID.crl`; empty for none"
    ),
    "certificates.danger_enrolment_without_review": "whether what comes by EST is issued before a person has seen it",
    "review.two_people": (
        "where one person alone approves nothing: `production` (PRD), `always`, or `danger-never` "
        "([the portal](portal.md))"
    ),
    "smtp.host": "the mail server for notices; empty for no mail",
    "smtp.port": "its port",
    "smtp.sender": "the address that notices come from",
    "smtp.username": "the name to sign in with; empty for none",
    "smtp.password_file": "the file of its password",
    "smtp.ca_file": "the CAs that vouch for the mail server, in PEM; empty for the system's",
    "smtp.danger_smtp_plain": "whether mail may be sent without STARTTLS, password included",
    "canary.addresses": (
        "further listeners, `IP:PORT`, at which the hub knocks as a stranger: those of Envoys elsewhere"
    ),
    "sign_in.local_accounts": "whether people sign in with password and code, or passkey",
    "sign_in.oidc_issuer": "the https address of the OpenID provider whose people may sign in; empty for none",
    "sign_in.oidc_client_id": "the client that the hub is at that provider",
    "sign_in.oidc_secret_file": "the file of that client's secret",
    "sign_in.oidc_ca_file": "the CAs that vouch for the provider, in PEM; empty for the public ones",
    "traces.collector": "where [traces](traces.md) go: `http://HOST:PORT` or `https://HOST:PORT`; empty for nowhere",
    "traces.ca_file": "the CAs that vouch for the collector, in PEM",
    "traces.percent": "of the requests that belong to no trace, how many of a hundred begin one",
    "traces.join_customers": "whether customers are believed when they say to which trace a request belongs",
}
"""What each setting is, by its name in `hub.toml`."""

ENVIRONMENT = {
    "BOTHWAYS_HUB": (
        "the https address of the portal of a hub elsewhere, in place of `--directory` ([the API](api.md"
        "#the-command-line-elsewhere))"
    ),
    "BOTHWAYS_TOKEN_FILE": "the file of the token for it, in place of `--token-file`",
    "BOTHWAYS_TOKEN": "the token itself, where there can be no file",
    "BOTHWAYS_CA": "the CAs that vouch for that portal, in PEM, in place of `--ca`",
    "BOTHWAYS_KEY_PASSPHRASE_FILE": (
        "the file of the passphrase under which the spoke's key is encrypted ([keys](keys.md))"
    ),
    "BOTHWAYS_KEY_PASSPHRASE": "that passphrase itself, where there can be no file",
    "BOTHWAYS_P12_PASSWORD": "the password for `spoke export --p12`",
    "BOTHWAYS_DIRECTORY": "not read, but set: the spoke's directory, for the command of `spoke renew --hook`",
    "BOTHWAYS_TRACEBACK": "`1`: where an error came from that nobody foresaw, in place of a sentence",
    "NO_COLOR": "no colours, whatever the terminal can do",
    "XDG_CONFIG_HOME": "where presets of your own are: `bothways/presets` in it, or else in `~/.config`",
}
"""What each variable of the environment is. A hub's settings are in none of them."""


def hub_settings() -> dict[str, object]:
    """Return every setting of `hub.toml` with its default."""
    written = tomllib.loads(render_settings(Settings()))
    return {f"{part}.{name}": value for part, values in written.items() for name, value in values.items()}


def settings_page() -> str:
    """Return the page. Raises `KeyError` for a setting without a meaning."""
    lines = [
        f"# Settings\n\nWhat stands in a hub's `hub.toml`, and what programs read from their environment. {MADE}\n",
        (
            "A hub reads its settings once, when it starts, and names all mistakes at once; a setting that nobody "
            "knows is one too. The reasons of the defaults are in [defaults](defaults.md); what hub and customers "
            "agree on is in [the contract](contract.md).\n"
        ),
        "## `hub.toml`\n",
        "| setting | default | meaning |",
        "| --- | --- | --- |",
    ]
    for name, value in hub_settings().items():
        lines.append(f"| `{name}` | {_shown(value)} | {MEANINGS[name]} |")
    lines += ["", "## Environment variables", "", "| variable | meaning |", "| --- | --- |"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in ENVIRONMENT.items()]
    return "\n".join(lines) + "\n"


def _shown(value: object) -> str:
    if value is True or value is False:
        return "`true`" if value else "`false`"
    return f"`{value}`" if value not in ("", []) else "none"
