"""`bothways chain`: submit, list, show, endorse, refuse, withdraw."""

from pathlib import Path

from bothways import files
from bothways.cli.exit import OK
from bothways.cli.opening import conclude, hub_in
from bothways.cli.output import HERE, Directory, Json, Reason, result, table, tell
from bothways.operations import chains
from bothways.pki.encoding import CHAIN_LIMIT
from bothways.store.chains import StoredChain


def submit(tsp_id: str, file: Path, *, directory: Directory = HERE, json: Json = False) -> int:
    """Submit the CA chain of a customer's server for review."""
    with hub_in(directory) as hub:
        stored = chains.submit_chain(hub, tsp_id, files.read(file, "the chain", CHAIN_LIMIT), str(file))
        text = f"Chain {stored.id} of {tsp_id} waits for review; fingerprint of its root {stored.fingerprint}"
        result(stored.document(), text, as_json=json)
        tell(f"Next, after comparing the fingerprint with the customer: bothways chain endorse {stored.id}")
        return OK


def list_(*, customer: str | None = None, directory: Directory = HERE, json: Json = False) -> int:
    """List chains, of all customers or of one."""
    with hub_in(directory) as hub:
        found = chains.list_chains(hub, customer)
        rows = [
            (each.id, each.tsp_id, each.state.value, f"{each.not_after:%Y-%m-%d}", each.fingerprint[:16])
            for each in found
        ]
        text = table(rows, ("CHAIN", "CUSTOMER", "STATE", "NOT AFTER", "FINGERPRINT"))
        result([each.document() for each in found], text, as_json=json)
        return OK


def show(number: int, *, directory: Directory = HERE, json: Json = False) -> int:
    """Show a chain, and print its certificates in PEM."""
    with hub_in(directory) as hub:
        stored = chains.show_chain(hub, number)
        lines = [f"{key:<12} {value}" for key, value in stored.document().items() if value is not None]
        result(stored.document() | {"pem": stored.pem}, "\n".join([*lines, stored.pem]), as_json=json)
        return OK


def endorse(number: int, *, directory: Directory = HERE, json: Json = False) -> int:
    """Endorse a chain: it vouches for this customer's server, and for no other."""
    with hub_in(directory) as hub:
        stored = chains.endorse_chain(hub, number)
        code = conclude(hub, stored.document(), _decided(stored), as_json=json)
        tell(f"Next: bothways probe {stored.tsp_id}")
        return code


def refuse(number: int, *, reason: Reason, directory: Directory = HERE, json: Json = False) -> int:
    """Refuse a chain."""
    with hub_in(directory) as hub:
        stored = chains.refuse_chain(hub, number, reason)
        result(stored.document(), _decided(stored), as_json=json)
        return OK


def withdraw(number: int, *, reason: Reason, directory: Directory = HERE, json: Json = False) -> int:
    """Withdraw an endorsement: the chain vouches for nothing any more."""
    with hub_in(directory) as hub:
        stored = chains.withdraw_chain(hub, number, reason)
        return conclude(hub, stored.document(), _decided(stored), as_json=json)


def _decided(stored: StoredChain) -> str:
    return f"Chain {stored.id} of {stored.tsp_id} is {stored.state.value}."
