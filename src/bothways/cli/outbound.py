"""`bothways probe` and `bothways rotate`: what the operator does for the outbound flow."""

from bothways.cli.exit import FAILED
from bothways.cli.opening import conclude, control, hub_in
from bothways.cli.output import HERE, Directory, Json, tell
from bothways.errors import Conflict, Unusable
from bothways.findings import errors
from bothways.operations.hub import Hub
from bothways.operations.rotation import rotate_client_certificate
from bothways.outbound.probe import probe_customer, probe_target


def probe(tsp_id: str, *, directory: Directory = HERE, json: Json = False) -> int:
    """Look at a customer's server from all sides, and call it through the hub's Envoy; record what was seen.

    Exits with 1 if the call failed, or if somebody is let in who must not be, or not who must.
    """
    with hub_in(directory) as hub:
        probe_target(hub, tsp_id)
        _require_in_force(hub)
        made = probe_customer(hub, tsp_id, say=lambda stage, said: tell(f"{stage:<8}{said}"))
        fact = made.fact
        head = f"{fact.address}: {'ok' if fact.ok else 'failed'}, {fact.seen}"
        text = "\n".join([head, *(f"  {each.level.value:<8}{each}" for each in made.findings)])
        code = conclude(hub, {"customer": tsp_id} | made.document(), text, as_json=json)
        return FAILED if errors(made.findings) else code


def rotate(*, directory: Directory = HERE, json: Json = False) -> int:
    """Put a new client certificate of the hub, from the same Client CA, to use towards all customers."""
    with hub_in(directory) as hub:
        serial = rotate_client_certificate(hub)
        return conclude(hub, {"serial": serial}, f"The hub's client certificate is now {serial}.", as_json=json)


def _require_in_force(hub: Hub) -> None:
    """Have Envoy take what is stored: a probe of an older configuration would prove something else."""
    applied = control(hub, "POST", "/apply")
    if applied is None:
        raise Conflict(
            f"the hub does not run, and a probe goes through its Envoy. Start it: "
            f"bothways hub run --directory {hub.directory}"
        )
    if not applied["in_force"]:
        raise Unusable(
            "Envoy did not take what is stored, so a probe would prove something else. "
            f"Look at: bothways hub status --directory {hub.directory}"
        )
