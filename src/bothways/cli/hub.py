"""`bothways hub`: init, run, status, metrics, contract."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from bothways.cli import logs
from bothways.cli.arguments import EgressPort, InboundPort, Key, PortalPort
from bothways.cli.asking import DEFAULT, Document, Where, asked
from bothways.cli.customer import at_risk, customer_table
from bothways.cli.exit import EXPIRING, FAILED, OK
from bothways.cli.node_lines import node_lines, plane_lines
from bothways.cli.opening import actor, control, control_text, hub_in
from bothways.cli.output import HERE, Directory, Json, OptionalWhy, result, tell
from bothways.contract.document import Environment, KeyType
from bothways.contract.recipe import Shell, openssl_recipe
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.dataplane.standing import hub_standing
from bothways.operations import hub as hubs
from bothways.operations.closure import reopen_endpoint
from bothways.operations.customers import list_customers
from bothways.operations.domain import require_domain
from bothways.operations.nodes import list_nodes
from bothways.operations.rollout import try_again
from bothways.operations.settings import Settings
from bothways.pki.keys import sha256
from bothways.store.customers import find

_DEFAULT = Settings()
_CA_KEYS = {"p256": KeyType.ECDSA, "rsa4096": KeyType.RSA}


def _is_domain(_kind: Any, value: str) -> None:
    require_domain(value)


def init(
    *,
    environment: Annotated[Literal["PPR", "PRD"], Parameter(help="Pre-production, or production.")],
    domain: Annotated[
        str,
        Parameter(
            help="The hub's domain; its endpoint becomes api.DOMAIN, its portal portal.DOMAIN.", validator=_is_domain
        ),
    ],
    directory: Directory = HERE,
    inbound_port: InboundPort = _DEFAULT.inbound_port,
    portal_port: PortalPort = _DEFAULT.portal_port,
    egress_port: EgressPort = _DEFAULT.egress_port,
    database: Annotated[
        str, Parameter(help="The URL of a PostgreSQL database, if it is not to be a file. See docs/postgresql.md.")
    ] = _DEFAULT.database,
    ca_key: Annotated[Literal["p256", "rsa4096"], Parameter(help="The keys of the hub's CAs.")] = "p256",
    signer: Annotated[
        str,
        Parameter(help="The PKCS#11 URI of the issuing CA's key, if it is to be in a token. See docs/signers.md."),
    ] = _DEFAULT.signer,
    passphrase_file: Annotated[
        Path | None, Parameter(help="The file with the passphrase of the keys, if it is not to be made beside them.")
    ] = None,
    danger_outbound_loopback: Annotated[
        bool, Parameter(negative="", help="Let the hub call servers on this machine. For a developer's machine only.")
    ] = False,
    danger_outbound_any_port: Annotated[
        bool,
        Parameter(
            negative="", help="Let the hub call any port, and not only the agreed ones. For a developer's machine only."
        ),
    ] = False,
    json: Json = False,
) -> int:
    """Make a hub for one environment, in a directory of its own: settings, database, CAs, certificates."""
    settings = Settings(
        inbound_port=inbound_port,
        portal_port=portal_port,
        egress_port=egress_port,
        danger_outbound_loopback=danger_outbound_loopback,
        danger_outbound_any_port=danger_outbound_any_port,
        database=database,
        signer=signer,
        passphrase_file=str(passphrase_file.absolute()) if passphrase_file else _DEFAULT.passphrase_file,
    )
    terms = hubs.new_terms(Environment(environment), domain, settings)
    issuing_key = hubs.initialise(directory, terms, settings, actor(), _CA_KEYS[ca_key])
    document = {
        "directory": str(directory),
        "endpoint": terms.endpoint,
        "portal": terms.portal,
        "issuing_key": {"name": issuing_key.name, "existed": issuing_key.existed},
    }
    result(document, f"A hub for {environment} is in {directory}: {terms.endpoint}", as_json=json)
    if issuing_key.existed:
        tell(
            f"The key {issuing_key.name} was in the token already, and is the issuing CA's now. If another hub or "
            f"environment uses it, remove {directory} and name another object."
        )
    tell(f"Next: bothways hub run --directory {directory}")
    return OK


def run(*, directory: Directory = HERE, log_format: logs.Logs = None, json: Json = False) -> int:
    """Run the hub: control plane, portal and Envoy, until Ctrl-C. With --json, prints one line when it is ready."""
    from bothways.cli.hub_process import run_hub  # noqa: PLC0415 - gRPC and Envoy's protos, which only this needs

    with hub_in(directory) as hub:
        logs.set_up(log_format or hub.settings.log_format)
        # What the clock asks of a hub that runs is no part of this command.
        return run_hub(replace(hub, request_id=""), as_json=json)


def status(*, where: Where = DEFAULT, json: Json = False) -> int:
    """Show whether the hub runs, what its Envoys serve, and all customers.

    Exits with 1 if it does not run or what is stored is not in force, with 5 if a customer's flow is to expire soon.
    """
    with asked(where) as at:
        document = at.show(lambda hub: hub_standing(hub, control(hub, "GET", "/status")), ("hub", "status"))
        running, beside = document["running"], document["envoy"]
        customers = at.every(lambda hub: [each.document() for each in list_customers(hub)], ("customers",))
        lines = [f"{document['environment']} {document['endpoint']}: {_running(running)}"]
        lines.append(_beside(beside))
        lines += [f"problem: {running['problem']}"] if running and running["problem"] else []
        lines += (elsewhere := plane_lines(running)) + node_lines(document)
        lines += [
            f"{role} certificate: until {each['not_after'][:10]}" for role, each in document["certificates"].items()
        ]
        lines += [f"ends on {each['ends_at'][:10]}: {each['text']}" for each in document["expiring"]]
        lines += [f"notice to {each['contact']} failed: {each['error']}" for each in document["notices"]["failing"]]
        lines += _failed_calls(document["failed_calls"])
        lines += ["", customer_table(customers)] if customers else []
        result(document | {"customers": customers}, "\n".join(lines), as_json=json)
        if running is None:
            goes_on = " Its Envoy goes on with what it has." if beside["pid"] else ""
            tell(f"The hub does not run.{goes_on} Start it: bothways hub run {where.option}")
            return FAILED
        # A node that is away serves what it had, revoked certificates included.
        nodes = at.every(list_nodes, ("nodes",))
        left = {each["node"] for each in nodes if any(one["used_at"] for one in each["certificates"])}
        stale = [each for each in running["nodes"] if not each["connected"] and each["node"] in left]
        if running["problem"] or elsewhere or stale or any(each["refused"] for each in running["nodes"]):
            tell(f"What is stored is not in force everywhere. {running['problem']}".rstrip())
            if running["held_back"]:
                tell(f"To have it tried again: bothways hub retry {where.option}")
            return FAILED
        return EXPIRING if any(at_risk(each) for each in customers) else OK


def reopen(*, reason: OptionalWhy = "", where: Where = DEFAULT, json: Json = False) -> int:
    """Open the endpoint that the canary shut, after what it found was mended. The canary looks again at once."""

    def local(hub: hubs.Hub) -> Document:
        ended = reopen_endpoint(hub, reason)
        return {"shut_at": ended.at.isoformat(), "reason": ended.reason}

    with asked(where) as at:
        document = at.change(local, "POST", ("hub", "reopen"), {"reason": reason})
        text = f"The endpoint is open again. It was shut: {document['reason']}"
        code = at.conclude(document, text, as_json=json)
        tell(f"The canary looks at it now. Look whether it stayed open: bothways hub status {where.option}")
        return code


def retry(*, reason: OptionalWhy = "", where: Where = DEFAULT, json: Json = False) -> int:
    """Give one node what is held back again, after what it refused it for was mended there, and not in a setting."""

    def local(hub: hubs.Hub) -> Document:
        return try_again(hub, reason).document()

    with asked(where) as at:
        document = at.change(local, "POST", ("hub", "retry"), {"reason": reason})
        text = f"Node {document['node']} was given it first, {document['why']}. It is tried again."
        code = at.conclude(document, text, as_json=json)
        tell(f"Look whether all nodes have it: bothways hub status {where.option}")
        return code


def metrics(*, where: Where = DEFAULT) -> int:
    """Print the metrics of the running hub in Prometheus's text format. Exits with 1 if it does not run."""
    with asked(where) as at:
        text = at.text(lambda hub: control_text(hub, "/metrics"), ("hub", "metrics"))
        if text is None:
            tell(f"The hub does not run. Start it: bothways hub run {where.option}")
            return FAILED
        print(text, end="", flush=True)  # noqa: T201 - byte for byte, for programs
        return OK


_Value = Annotated[str, Parameter(help="With --openssl: what the subject has there, for the customer to change.")]


def contract(
    *,
    where: Where = DEFAULT,
    openssl: Annotated[
        str | None, Parameter(help="Print the OpenSSL commands for the customer with this tspId.")
    ] = None,
    shell: Annotated[
        Shell, Parameter(help="With --openssl: where they are pasted, or the configuration file.")
    ] = Shell.BASH,
    key: Key = KeyType.ECDSA,
    country: _Value = "XX",
    state: _Value = "STATE",
    locality: _Value = "LOCALITY",
    unit: _Value = "UNIT",
    json: Json = False,
) -> int:
    """Print the contract as it is published, or the OpenSSL commands of R9 for one customer."""
    with asked(where) as at:
        if openssl is None:
            document = at.show(_contract, ("hub", "contract"))
            if json:
                result(document, "", as_json=True)
            else:
                # Byte for byte, so that the fingerprint holds for the file.
                print(document["contract"], end="", flush=True)  # noqa: T201
            tell(f"SHA-256 of this contract, for customers to compare by phone: {document['fingerprint']}")
            return OK
        tsp_id, given = openssl, {"country": country, "state": state, "locality": locality, "unit": unit}

        def local(hub: hubs.Hub) -> Document:
            with hub.read() as connection:
                customer = find(connection, tsp_id)
            subject = Subject(organization=customer.organization, **given)
            return {"commands": openssl_recipe(hub.terms, tsp_id, key, subject, shell)}

        query = given | {"shell": shell.value, "key": key.value}
        document = at.show(local, ("customers", tsp_id, "openssl"), **query)
        result(document, document["commands"], as_json=json)
        return OK


def _contract(hub: hubs.Hub) -> Document:
    text = render_contract(hubs.contract(hub))
    return {"contract": text, "fingerprint": sha256(text.encode())}


def _failed_calls(failed: dict[str, int] | None) -> list[str]:
    if failed is None:
        return ["failed calls: what is kept of them cannot be read"]
    if not any(failed.values()):
        return []
    who = f"{failed['customers']} of customers, {failed['unmatched']} of nobody known"
    return [f"failed calls within a day: {who}. Look at: bothways observation list"]


def _running(running: dict[str, Any] | None) -> str:
    if running is None:
        return "not running"
    nodes = running["nodes"]
    settled = sum(node["settled"] for node in nodes)
    return f"running, {settled} of {len(nodes)} Envoy up to date"


def _beside(envoy: dict[str, Any]) -> str:
    """Return in a line how the Envoy on this machine fares."""
    if envoy["pid"] is None:
        return "Envoy: not running"
    source = {"hub": "the hub", "nobody": "nobody yet"}.get(envoy["source"])
    if envoy["snapshot"]:
        source = f"the snapshot of {envoy['snapshot']['saved_at'][:19]}Z, for the hub does not answer"
    return (
        f"Envoy: process {envoy['pid']} since {envoy['started_at'][:19]}Z, configured by {source}; "
        f"started again {envoy['restarts']} times, taken over {envoy['hot_restarts']} times"
    )
