"""`bothways endpoint`: set, show."""

from bothways.cli.exit import OK
from bothways.cli.opening import conclude, hub_in
from bothways.cli.output import HERE, Directory, Json, result, tell
from bothways.operations import endpoints
from bothways.registry.endpoint import Endpoint


def set_(tsp_id: str, url: str, *, directory: Directory = HERE, json: Json = False) -> int:
    """Record the base URL of a customer's server."""
    with hub_in(directory) as hub:
        endpoint = endpoints.set_endpoint(hub, tsp_id, url)
        code = conclude(hub, _document(tsp_id, endpoint), f"{tsp_id} is called at {endpoint.url}", as_json=json)
        tell(f"Next, once its chain is endorsed: bothways probe {tsp_id}")
        return code


def show(tsp_id: str, *, directory: Directory = HERE, json: Json = False) -> int:
    """Show where a customer's server is."""
    with hub_in(directory) as hub:
        endpoint = endpoints.show_endpoint(hub, tsp_id)
        result(_document(tsp_id, endpoint), endpoint.url, as_json=json)
        return OK


def _document(tsp_id: str, endpoint: Endpoint) -> dict[str, object]:
    return {
        "customer": tsp_id,
        "url": endpoint.url,
        "host": endpoint.host,
        "port": endpoint.port,
        "path": endpoint.path,
    }
