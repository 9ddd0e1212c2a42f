"""`bothways customer`: add, list, show, suspend, resume, remove, enrolment-password."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from cyclopts import Parameter, validators

from bothways.cli.arguments import TspId
from bothways.cli.asking import DEFAULT, Document, Where, asked
from bothways.cli.exit import EXPIRING, OK
from bothways.cli.observation import observation_lines
from bothways.cli.output import Json, OptionalWhy, Why, minute, result, table, tell
from bothways.connectivity.assess import State
from bothways.operations import customers, enrolment
from bothways.operations.endpoints import list_probes
from bothways.operations.hub import Hub
from bothways.operations.observations import SHOWN, list_observations
from bothways.registry.customer import CustomerKind


def add(
    tsp_id: TspId,
    *,
    kind: Annotated[CustomerKind, Parameter(help="What the customer is to the hub.")],
    organization: Annotated[str, Parameter(help="The name of the organization, for people to read.")],
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Register a customer under its tspId."""

    def local(hub: Hub) -> Document:
        customers.add_customer(hub, tsp_id, kind, organization)
        return customers.show_customer(hub, tsp_id).document()

    with asked(where) as at:
        body = {"customer": tsp_id, "kind": kind.value, "organization": organization}
        document = at.change(local, "POST", ("customers",), body)
        result(document, f"{kind.value} {tsp_id} ({organization}) is registered.", as_json=json)
        if kind is CustomerKind.MERCHANT:
            tell(f"Next, what is sent to the merchant: bothways bundle export {tsp_id}")
        else:
            tell(f"Next, the commands that the customer needs: bothways hub contract --openssl {tsp_id}")
        return OK


def list_(*, where: Where = DEFAULT, json: Json = False) -> int:
    """List all customers with the state of their flows."""
    with asked(where) as at:
        found = at.every(lambda hub: [each.document() for each in customers.list_customers(hub)], ("customers",))
        result(found, customer_table(found), as_json=json)
        return OK


def show(tsp_id: TspId, *, where: Where = DEFAULT, json: Json = False) -> int:
    """Show one customer: each flow with its checklist, the last probe of its server, and why its last calls failed.

    Exits with 5 if a flow is at risk: it is to expire soon, the next rotation breaks it, or strangers are let in.
    """
    place = ("customers", tsp_id)
    with asked(where) as at:
        shown = at.show(lambda hub: customers.show_customer(hub, tsp_id).document(), place)
        failed = at.every(
            lambda hub: [each.document() for each in list_observations(hub, tsp_id, limit=SHOWN)],
            (*place, "observations"),
            SHOWN,
        )
        probes = at.every(
            lambda hub: [each.document() for each in list_probes(hub, tsp_id)[:1]], (*place, "probes"), most=1
        )
        lines = [f"{shown['kind']} {tsp_id} ({shown['organization']})"]
        lines += [*_checklist(shown["inbound"]), *_checklist(shown["outbound"])]
        lines += [line for probe in probes for line in _probed(probe)]
        lines += ["", "last failed calls:", *observation_lines(failed)] if failed else []
        document = shown | {"probe": probes[0] if probes else None, "observations": failed}
        result(document, "\n".join(lines), as_json=json)
        return EXPIRING if at_risk(shown) else OK


def suspend(tsp_id: TspId, *, reason: Why, where: Where = DEFAULT, json: Json = False) -> int:
    """Suspend a customer: nothing gets through in either direction until it is resumed."""

    def local(hub: Hub) -> Document:
        customers.suspend_customer(hub, tsp_id, reason)
        return {}

    with asked(where) as at:
        at.change(local, "POST", ("customers", tsp_id, "suspend"), {"reason": reason})
        return at.conclude({"customer": tsp_id, "suspended": True}, f"{tsp_id} is suspended.", as_json=json)


def resume(tsp_id: TspId, *, reason: OptionalWhy = "", where: Where = DEFAULT, json: Json = False) -> int:
    """Resume a suspended customer."""

    def local(hub: Hub) -> Document:
        customers.resume_customer(hub, tsp_id, reason)
        return {}

    with asked(where) as at:
        at.change(local, "POST", ("customers", tsp_id, "resume"), {"reason": reason})
        return at.conclude({"customer": tsp_id, "suspended": False}, f"{tsp_id} is resumed.", as_json=json)


def remove(tsp_id: TspId, *, reason: Why, where: Where = DEFAULT, json: Json = False) -> int:
    """Remove a customer for good: certificates revoked, chains, services and endpoint withdrawn."""

    def local(hub: Hub) -> Document:
        customers.remove_customer(hub, tsp_id, reason)
        return {"customer": tsp_id, "removed": True}

    with asked(where) as at:
        document = at.change(local, "DELETE", ("customers", tsp_id), reason=reason)
        return at.conclude(document, f"{tsp_id} is removed.", as_json=json)


def customer_table(found: Sequence[Mapping[str, Any]]) -> str:
    """Return customers with the state of their flows, as a table."""
    rows = [
        (each["customer"], each["kind"], each["organization"], each["inbound"]["state"], each["outbound"]["state"])
        for each in found
    ]
    return table(rows, ("CUSTOMER", "KIND", "ORGANIZATION", "INBOUND", "OUTBOUND"))


def at_risk(shown: Mapping[str, Any]) -> bool:
    """Tell whether a flow of the customer is at risk: to expire soon, or by what the last probe found."""
    return State.AT_RISK in {shown["inbound"]["state"], shown["outbound"]["state"]}


def enrolment_password(
    tsp_id: TspId,
    *,
    days: Annotated[
        int, Parameter(help="For how many days it can be used.", validator=validators.Number(gte=1, lte=90))
    ] = 7,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Make a one-time password with which the customer's software enrolls (EST). It is shown once, and not stored."""

    def local(hub: Hub) -> Document:
        password = enrolment.enrolment_password(hub, tsp_id, days)
        return {"customer": tsp_id, "password": password, "days": days, "est": f"{hub.terms.portal}/.well-known/est"}

    with asked(where) as at:
        document = at.change(local, "POST", ("customers", tsp_id, "enrolment-password"), {"days": days})
        result(document, document["password"], as_json=json)
        place = f"{document['est']}/simpleenroll (user {tsp_id})"
        tell(f"Give it to {tsp_id} alone. It works once, within {days} days, at {place}.")
        return OK


def _probed(probe: Mapping[str, Any]) -> list[str]:
    found = probe.get("findings", [])
    head = f"probe of {probe['address']} at {minute(probe['at'])} UTC: {len(found)} findings"
    return [head, *(f"  {each['level']:<8}{each['id']}: {each['message']}. {each['hint']}" for each in found)]


def _checklist(flow: Mapping[str, Any]) -> list[str]:
    steps = [f"  [{'x' if step['done'] else ' '}] {step['name']:<12} {step['said']}" for step in flow["steps"]]
    return [f"{flow['flow']}: {flow['state']} ({flow['reason']})", *steps]
