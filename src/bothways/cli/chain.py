"""`bothways chain`: submit, list, show, endorse, refuse, withdraw."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.exit import OK
from bothways.cli.opening import conclude, hub_in
from bothways.cli.output import HERE, Directory, Json, Reason, result, table, tell
from bothways.operations import chains
from bothways.operations.hub import Hub
from bothways.pki.encoding import CHAIN_LIMIT
from bothways.pki.tree import chain_document, chain_lines
from bothways.store.chains import StoredChain

PublicRoot = Annotated[bool, Parameter(negative="", help="Endorse it although it is a CA that every browser trusts.")]
Pins = Annotated[
    list[str] | None,
    Parameter(name="--pin", negative="", help="SPKI pin of a key that the server may have, as hex; then no other may."),
]


def submit(tsp_id: str, file: Path, *, directory: Directory = HERE, json: Json = False) -> int:
    """Submit the CA chain of a customer's server for review: PEM, DER or PKCS #7. Prints what was understood."""
    with hub_in(directory) as hub:
        stored = chains.submit_chain(hub, tsp_id, files.read(file, "the chain", CHAIN_LIMIT), str(file))
        said = f"Chain {stored.id} of {tsp_id} waits for review; fingerprint of its root {stored.fingerprint}"
        document, tree = _reviewed(hub, stored.id)
        result(document, f"{said}\n{tree}", as_json=json)
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
    """Show a chain: as it was understood, with what the rules say about it now, and in PEM."""
    with hub_in(directory) as hub:
        stored = chains.show_chain(hub, number)
        document, tree = _reviewed(hub, number)
        lines = [
            f"{key:<12} {value}" for key, value in stored.document().items() if value is not None and key != "spki_pins"
        ]
        lines += [f"{'pin':<12} {each}" for each in stored.spki_pins]
        result(document | {"pem": stored.pem}, "\n".join([*lines, tree, stored.pem]), as_json=json)
        return OK


def endorse(
    number: int, *, public_root: PublicRoot = False, pin: Pins = None, directory: Directory = HERE, json: Json = False
) -> int:
    """Endorse a chain: it vouches for this customer's server, and for no other."""
    with hub_in(directory) as hub:
        pins = tuple(each.replace(":", "").lower() for each in pin or ())
        stored = chains.endorse_chain(hub, number, public_root=public_root, pins=pins)
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


def _reviewed(hub: Hub, number: int) -> tuple[dict[str, object], str]:
    """Return the chain as JSON object and as text, with its tree, and say on stderr what the rules say."""
    stored, chain, findings = chains.review_chain(hub, number)
    for each in findings:
        tell(str(each))
    document = stored.document() | {
        "tree": chain_document(chain.certificates),
        "findings": [each.document() for each in findings],
    }
    return document, "\n".join(chain_lines(chain.certificates))


def _decided(stored: StoredChain) -> str:
    return f"Chain {stored.id} of {stored.tsp_id} is {stored.state.value}."
