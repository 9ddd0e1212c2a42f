"""`bothways chain`: submit, list, show, endorse, refuse, withdraw."""

from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.arguments import ChainFile, ChainNumber, OfCustomer, TspId
from bothways.cli.asking import DEFAULT, Document, Where, asked
from bothways.cli.exit import OK
from bothways.cli.output import Json, Reason, day, finding_line, proposed_lines, result, table, tell
from bothways.cli.remote import text_of
from bothways.operations import chains
from bothways.pki.encoding import CHAIN_LIMIT
from bothways.pki.tree import chain_lines

PublicRoot = Annotated[bool, Parameter(negative="", help="Endorse it although it is a CA that every browser trusts.")]
Pins = Annotated[
    list[str] | None,
    Parameter(name="--pin", negative="", help="SPKI pin of a key that the server may have, as hex; then no other may."),
]


def submit(tsp_id: TspId, file: ChainFile, *, where: Where = DEFAULT, json: Json = False) -> int:
    """Submit the CA chain of a customer's server for review: PEM, DER or PKCS #7. Prints what was understood."""
    with asked(where) as at:
        data = files.read(file, "the chain", CHAIN_LIMIT)
        document = at.change(
            lambda hub: chains.chain_review(hub, chains.submit_chain(hub, tsp_id, data, str(file)).id),
            "POST",
            ("chains",),
            {"customer": tsp_id, "chain": text_of(data)},
        )
        document.pop("pem")
        said = f"Chain {document['id']} of {tsp_id} waits for review; fingerprint of its root {document['fingerprint']}"
        _tell_findings(document)
        result(document, "\n".join([said, *chain_lines(document["tree"])]), as_json=json)
        tell(f"Next, after comparing the fingerprint with the customer: bothways chain endorse {document['id']}")
        return OK


def list_(*, customer: OfCustomer = None, where: Where = DEFAULT, json: Json = False) -> int:
    """List chains, of all customers or of one."""
    with asked(where) as at:
        found = at.every(
            lambda hub: [each.document() for each in chains.list_chains(hub, customer)], ("chains",), customer=customer
        )
        rows = [
            (each["id"], each["customer"], each["state"], day(each["not_after"]), each["fingerprint"][:16])
            for each in found
        ]
        result(found, table(rows, ("CHAIN", "CUSTOMER", "STATE", "NOT AFTER", "FINGERPRINT")), as_json=json)
        return OK


def show(number: ChainNumber, *, where: Where = DEFAULT, json: Json = False) -> int:
    """Show a chain: as it was understood, with what the rules say about it now, and in PEM."""
    with asked(where) as at:
        document = at.show(lambda hub: chains.chain_review(hub, number), ("chains", number))
        apart = {"tree", "findings", "pem", "spki_pins", "proposed"}
        lines = [f"{key:<12} {value}" for key, value in document.items() if value is not None and key not in apart]
        lines += [f"{'pin':<12} {each}" for each in document["spki_pins"]]
        lines += proposed_lines(document)
        _tell_findings(document)
        result(document, "\n".join([*lines, *chain_lines(document["tree"]), document["pem"]]), as_json=json)
        return OK


def endorse(
    number: ChainNumber,
    *,
    public_root: PublicRoot = False,
    pin: Pins = None,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Endorse a chain: it vouches for this customer's server, and for no other.

    Where it takes two people, as in production, the first proposes, and the second confirms by endorsing it in the same
    way.
    """
    pins = tuple(each.replace(":", "").lower() for each in pin or ())
    with asked(where) as at:
        document = at.change(
            lambda hub: chains.endorse_chain(hub, number, public_root=public_root, pins=pins).document(),
            "POST",
            ("chains", number, "endorse"),
            {"public_root": public_root, "pins": list(pins)},
        )
        code = at.conclude(document, _decided(document), as_json=json)
        tell(f"Next: bothways probe {document['customer']}")
        return code


def refuse(number: ChainNumber, *, reason: Reason, where: Where = DEFAULT, json: Json = False) -> int:
    """Refuse a chain."""
    with asked(where) as at:
        document = at.change(
            lambda hub: chains.refuse_chain(hub, number, reason).document(),
            "POST",
            ("chains", number, "refuse"),
            {"reason": reason},
        )
        result(document, _decided(document), as_json=json)
        return OK


def withdraw(number: ChainNumber, *, reason: Reason, where: Where = DEFAULT, json: Json = False) -> int:
    """Withdraw an endorsement: the chain vouches for nothing any more."""
    with asked(where) as at:
        document = at.change(
            lambda hub: chains.withdraw_chain(hub, number, reason).document(),
            "POST",
            ("chains", number, "withdraw"),
            {"reason": reason},
        )
        return at.conclude(document, _decided(document), as_json=json)


def _tell_findings(document: Document) -> None:
    for each in document["findings"]:
        tell(finding_line(each))


def _decided(document: Document) -> str:
    return f"Chain {document['id']} of {document['customer']} is {document['state']}."
