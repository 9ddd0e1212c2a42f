"""`bothways customer`: add, list, show, suspend, resume, remove, enrolment-password."""

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter, validators

from bothways.cli.exit import EXPIRING, OK
from bothways.cli.observation import observation_lines
from bothways.cli.opening import conclude, hub_in
from bothways.cli.output import HERE, Directory, Json, result, table, tell
from bothways.connectivity.assess import FlowAssessment, State
from bothways.operations import customers, enrolment
from bothways.operations.customers import CustomerView
from bothways.operations.endpoints import list_probes
from bothways.operations.observations import SHOWN, list_observations
from bothways.registry.customer import CustomerKind
from bothways.store.endpoints import StoredProbe


def add(tsp_id: str, *, kind: CustomerKind, organization: str, directory: Directory = HERE, json: Json = False) -> int:
    """Register a customer under its tspId."""
    with hub_in(directory) as hub:
        customers.add_customer(hub, tsp_id, kind, organization)
        view = customers.show_customer(hub, tsp_id)
        result(view.document(), f"{kind.value} {tsp_id} ({organization}) is registered.", as_json=json)
        tell(f"Next, the commands that the customer needs: bothways hub contract --openssl {tsp_id}")
        return OK


def list_(*, directory: Directory = HERE, json: Json = False) -> int:
    """List all customers with the state of their flows."""
    with hub_in(directory) as hub:
        views = customers.list_customers(hub)
        result([view.document() for view in views], customer_table(views), as_json=json)
        return OK


def show(tsp_id: str, *, directory: Directory = HERE, json: Json = False) -> int:
    """Show one customer: each flow with its checklist, the last probe of its server, and why its last calls failed.

    Exits with 5 if a flow is at risk: it is to expire soon, the next rotation breaks it, or strangers are let in.
    """
    with hub_in(directory) as hub:
        view = customers.show_customer(hub, tsp_id)
        head = f"{view.customer.kind.value} {tsp_id} ({view.customer.organization})"
        failed, probes = list_observations(hub, tsp_id, limit=SHOWN), list_probes(hub, tsp_id)[:1]
        lines = [head, *_checklist(view.assessment.inbound), *_checklist(view.assessment.outbound)]
        lines += [line for probe in probes for line in _probed(probe)]
        lines += ["", "last failed calls:", *observation_lines(failed)] if failed else []
        document = view.document() | {
            "probe": probes[0].document() if probes else None,
            "observations": [each.document() for each in failed],
        }
        result(document, "\n".join(lines), as_json=json)
        return EXPIRING if at_risk(view) else OK


def suspend(tsp_id: str, *, directory: Directory = HERE, json: Json = False) -> int:
    """Suspend a customer: nothing gets through in either direction until it is resumed."""
    return _suspended(tsp_id, directory, json, suspended=True)


def resume(tsp_id: str, *, directory: Directory = HERE, json: Json = False) -> int:
    """Resume a suspended customer."""
    return _suspended(tsp_id, directory, json, suspended=False)


def remove(tsp_id: str, *, directory: Directory = HERE, json: Json = False) -> int:
    """Remove a customer for good: certificates revoked, chains, services and endpoint withdrawn."""
    with hub_in(directory) as hub:
        customers.remove_customer(hub, tsp_id)
        return conclude(hub, {"customer": tsp_id, "removed": True}, f"{tsp_id} is removed.", as_json=json)


def customer_table(views: Sequence[CustomerView]) -> str:
    """Return customers with the state of their flows, as a table."""
    rows = [
        (
            view.customer.tsp_id,
            view.customer.kind.value,
            view.customer.organization,
            view.assessment.inbound.state.value,
            view.assessment.outbound.state.value,
        )
        for view in views
    ]
    return table(rows, ("CUSTOMER", "KIND", "ORGANIZATION", "INBOUND", "OUTBOUND"))


def at_risk(view: CustomerView) -> bool:
    """Tell whether a flow of the customer is at risk: to expire soon, or by what the last probe found."""
    return State.AT_RISK in {view.assessment.inbound.state, view.assessment.outbound.state}


def enrolment_password(
    tsp_id: str,
    *,
    days: Annotated[int, Parameter(help="How long it can be used.", validator=validators.Number(gte=1, lte=90))] = 7,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Make a one-time password with which the customer's software enrolls (EST). It is shown once, and not stored."""
    with hub_in(directory) as hub:
        password = enrolment.enrolment_password(hub, tsp_id, days)
        url = f"{hub.terms.portal}/.well-known/est"
        result({"customer": tsp_id, "password": password, "days": days, "est": url}, password, as_json=json)
        tell(f"Give it to {tsp_id} alone. It works once, within {days} days, at {url}/simpleenroll (user {tsp_id}).")
        return OK


def _suspended(tsp_id: str, directory: Directory, json: Json, *, suspended: bool) -> int:
    with hub_in(directory) as hub:
        customers.suspend_customer(hub, tsp_id, suspended=suspended)
        text = f"{tsp_id} is {'suspended' if suspended else 'resumed'}."
        return conclude(hub, {"customer": tsp_id, "suspended": suspended}, text, as_json=json)


def _probed(probe: StoredProbe) -> list[str]:
    found = probe.report.get("findings", [])
    head = f"probe of {probe.fact.address} at {probe.fact.at:%Y-%m-%d %H:%M} UTC: {len(found)} findings"
    return [head, *(f"  {each['level']:<8}{each['id']}: {each['message']}. {each['hint']}" for each in found)]


def _checklist(flow: FlowAssessment) -> list[str]:
    steps = [f"  [{'x' if step.done else ' '}] {step.name:<12} {step.said}" for step in flow.steps]
    return [f"{flow.flow.value}: {flow.state.value} ({flow.reason})", *steps]
