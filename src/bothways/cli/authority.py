"""`bothways hub authority`: add, list, retire."""

from typing import Annotated, Literal

from cyclopts import Parameter

from bothways.cli.asking import DEFAULT, Document, Where, asked
from bothways.cli.exit import OK
from bothways.cli.output import Json, Why, result, table, tell
from bothways.contract.document import KeyType
from bothways.operations import authorities
from bothways.operations.hub import Hub

_TITLES = {"issuing": "issuing CA", "client": "Client CA", "node": "node CA"}
_KINDS = {"p256": KeyType.ECDSA, "rsa4096": KeyType.RSA}


def add(
    *,
    role: Annotated[
        Literal["issuing", "client", "node"],
        Parameter(help="Which CA: the one of customers' certificates, of the hub's, or of remote nodes'."),
    ] = "issuing",
    ca_key: Annotated[
        Literal["p256", "rsa4096"] | None, Parameter(help="The key of the CA, if not as that of the one before.")
    ] = None,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Put a new CA beside the one that signs: it signs from now on, and both are trusted.

    With `--role client`, customers are to trust both Client CAs; each is shown a certificate of the new one when its
    server takes it. With `--role node`, nodes renew under the new one, and the control plane follows when all have.
    """
    with asked(where) as at:
        document = at.change(
            lambda hub: authorities.authority_added(hub, role, _KINDS[ca_key] if ca_key else None),
            "POST",
            ("authorities",),
            {"role": role, "ca_key": ca_key},
        )
        signs = f"{document['id']} signs from {'the next rotation' if role == 'client' else 'now'} on"
        text = f"The {_TITLES[role]} {signs}: {document['subject']}"
        result(document, text, as_json=json)
        at.apply()
        if role == "client":
            tell("The contract names both: customers take it again, and have their servers trust both Client CAs.")
            tell("Then, as often as you like, to change over whoever is ready and learn who is not: bothways rotate")
        elif role == "node":
            tell(
                "Nodes with an agent renew within an hour, or at once after a reload (SIGHUP). For each without: "
                "bothways hub envoy-bootstrap --node NAME. Who is still under which CA: bothways hub node list"
            )
        else:
            tell("The contract names both: customers take it again before they install a certificate of the new one.")
        return OK


def list_(*, where: Where = DEFAULT, json: Json = False) -> int:
    """List all CAs of the hub, with how many certificates of each are in force."""
    with asked(where) as at:
        found = at.every(authorities.list_authorities, ("authorities",))
        rows = [
            (each["id"], each["role"], each["state"], each["not_after"][:10], each["certificates"], each["subject"])
            for each in found
        ]
        text = table(rows, ("CA", "ROLE", "STATE", "NOT AFTER", "IN FORCE", "SUBJECT"))
        result(found, text, as_json=json)
        return OK


def retire(authority: int, *, reason: Why, where: Where = DEFAULT, json: Json = False) -> int:
    """Trust a CA no more; refused while it signs, or a certificate of it is in force or shown to customers or nodes."""

    def local(hub: Hub) -> Document:
        authorities.retire_authority(hub, authority, reason)
        return {"id": authority, "state": "retired"}

    with asked(where) as at:
        document = at.change(local, "POST", ("authorities", authority, "retire"), {"reason": reason})
        result(document, f"The CA {authority} is retired.", as_json=json)
        at.apply()
        return OK
