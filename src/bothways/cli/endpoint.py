"""`bothways endpoint`: set, show; submit, list, approve, refuse."""

from bothways.cli.exit import OK
from bothways.cli.opening import conclude, hub_in
from bothways.cli.output import HERE, Directory, Json, Reason, RowNumber, result, table, tell
from bothways.operations import endpoints
from bothways.operations.hub import Hub
from bothways.outbound.look_up import address_findings
from bothways.registry.endpoint import Endpoint
from bothways.store.submitted_endpoints import SubmittedEndpoint


def set_(tsp_id: str, url: str, *, directory: Directory = HERE, json: Json = False) -> int:
    """Record the base URL of a customer's server; it is called there once a probe has proved it."""
    with hub_in(directory) as hub:
        endpoint = endpoints.set_endpoint(hub, tsp_id, url)
        code = conclude(hub, _document(tsp_id, endpoint), f"{tsp_id} is called at {endpoint.url}", as_json=json)
        _look_up(hub, endpoint)
        tell(f"Next, once its chain is endorsed: bothways probe {tsp_id}")
        return code


def show(tsp_id: str, *, directory: Directory = HERE, json: Json = False) -> int:
    """Show where a customer's server is, and say which base URL waits for review."""
    with hub_in(directory) as hub:
        for each in endpoints.waiting_endpoints(hub, tsp_id):
            tell(f"{each.endpoint.url} waits for review: bothways endpoint approve {each.id}")
        endpoint = endpoints.show_endpoint(hub, tsp_id)
        result(_document(tsp_id, endpoint), endpoint.url, as_json=json)
        return OK


def submit(tsp_id: str, url: str, *, directory: Directory = HERE, json: Json = False) -> int:
    """Submit a base URL for review, as the customer does; if only the path is new, it is in force at once."""
    with hub_in(directory) as hub:
        submitted = endpoints.submit_endpoint(hub, tsp_id, url)
        if isinstance(submitted, Endpoint):
            document = _document(tsp_id, submitted) | {"state": "approved"}
            return conclude(hub, document, f"{tsp_id} is called at {submitted.url}", as_json=json)
        text = f"Endpoint {submitted.id} of {tsp_id} waits for review: {submitted.endpoint.url}"
        result(submitted.document(), text, as_json=json)
        _look_up(hub, submitted.endpoint)
        tell(f"Next: bothways endpoint approve {submitted.id}")
        return OK


def list_(*, directory: Directory = HERE, json: Json = False) -> int:
    """List the base URLs that wait for review."""
    with hub_in(directory) as hub:
        found = endpoints.waiting_endpoints(hub)
        rows = [(each.id, each.tsp_id, f"{each.submitted_at:%Y-%m-%d}", each.endpoint.url) for each in found]
        text = table(rows, ("ENDPOINT", "CUSTOMER", "SUBMITTED", "URL"))
        result([each.document() for each in found], text, as_json=json)
        return OK


def approve(number: RowNumber, *, directory: Directory = HERE, json: Json = False) -> int:
    """Approve a base URL that was submitted; it is called once a probe has proved it."""
    with hub_in(directory) as hub:
        approved = endpoints.approve_endpoint(hub, number)
        code = conclude(hub, approved.document(), _decided(approved), as_json=json)
        tell(f"Next, once its chain is endorsed: bothways probe {approved.tsp_id}")
        return code


def refuse(number: RowNumber, *, reason: Reason, directory: Directory = HERE, json: Json = False) -> int:
    """Refuse a base URL that was submitted; where the customer is called stays as it is."""
    with hub_in(directory) as hub:
        refused = endpoints.refuse_endpoint(hub, number, reason)
        result(refused.document(), _decided(refused), as_json=json)
        return OK


def _look_up(hub: Hub, endpoint: Endpoint) -> None:
    """Say on stderr what a look at the host's addresses finds; where calls go to loopback on purpose, nothing."""
    if not hub.settings.danger_outbound_loopback:
        for each in address_findings(endpoint.host):
            tell(str(each))


def _decided(submitted: SubmittedEndpoint) -> str:
    return f"Endpoint {submitted.id} of {submitted.tsp_id}, {submitted.endpoint.url}, is {submitted.state.value}."


def _document(tsp_id: str, endpoint: Endpoint) -> dict[str, object]:
    return {
        "customer": tsp_id,
        "url": endpoint.url,
        "host": endpoint.host,
        "port": endpoint.port,
        "path": endpoint.path,
    }
