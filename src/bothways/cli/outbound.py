"""`bothways probe` and `bothways rotate`: what the operator does for the outbound flow."""

from bothways.cli.exit import FAILED, OK
from bothways.cli.opening import apply, hub_in
from bothways.cli.output import HERE, Directory, Json, result
from bothways.operations.rotation import rotate_client_certificate
from bothways.outbound.probe import probe_customer


def probe(tsp_id: str, *, directory: Directory = HERE, json: Json = False) -> int:
    """Call a customer's server through the hub's Envoy, and record what was seen. Exits with 1 if it failed."""
    with hub_in(directory) as hub:
        fact = probe_customer(hub, tsp_id)
        document = {"customer": tsp_id, "address": fact.address, "ok": fact.ok, "seen": fact.seen}
        result(document, f"{fact.address}: {'ok' if fact.ok else 'failed'}, {fact.seen}", as_json=json)
        apply(hub)
        return OK if fact.ok else FAILED


def rotate(*, directory: Directory = HERE, json: Json = False) -> int:
    """Put a new client certificate of the hub, from the same Client CA, to use towards all customers."""
    with hub_in(directory) as hub:
        serial = rotate_client_certificate(hub)
        result({"serial": serial}, f"The hub's client certificate is now {serial}.", as_json=json)
        apply(hub)
        return OK
