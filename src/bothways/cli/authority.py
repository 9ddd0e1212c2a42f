"""`bothways hub authority`: add, list, retire."""

from typing import Annotated, Literal

from cyclopts import Parameter

from bothways.cli.exit import OK
from bothways.cli.opening import apply, hub_in
from bothways.cli.output import HERE, Directory, Json, result, table, tell
from bothways.contract.document import KeyType
from bothways.operations import authorities
from bothways.operations.hub import Hub

_KINDS = {"p256": KeyType.ECDSA, "rsa4096": KeyType.RSA}


def add(
    *,
    role: Annotated[
        Literal["issuing", "client"], Parameter(help="Which CA: the one of customers' certificates, or of the hub's.")
    ] = "issuing",
    ca_key: Annotated[
        Literal["p256", "rsa4096"] | None, Parameter(help="The key of the CA, if not as that of the one before.")
    ] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Put a new CA beside the one that signs: it signs from now on, and both are trusted.

    With `--role client`, customers are to trust both Client CAs; each is shown a certificate of the new one when its
    server takes it.
    """
    with hub_in(directory) as hub:
        kind = _KINDS[ca_key] if ca_key else None
        if role == "client":
            return _added_client_authority(hub, kind, as_json=json)
        added = authorities.add_issuing_authority(hub, kind)
        document = {"id": added.id, "subject": added.certificate.subject.rfc4514_string(), "key": added.key_name}
        result(document, f"The issuing CA {added.id} signs from now on: {document['subject']}", as_json=json)
        apply(hub)
        tell("The contract names both: customers take it again before they install a certificate of the new one.")
        return OK


def _added_client_authority(hub: Hub, kind: KeyType | None, *, as_json: bool) -> int:
    added = authorities.add_client_authority(hub, kind)
    document = {"id": added.id, "subject": added.certificate.subject.rfc4514_string(), "key": added.key_name}
    text = f"The Client CA {added.id} signs from the next rotation on: {document['subject']}"
    result(document, text, as_json=as_json)
    apply(hub)
    tell("The contract names both: customers take it again, and have their servers trust both Client CAs.")
    tell("Then, as often as you like, to change over whoever is ready and learn who is not: bothways rotate")
    return OK


def list_(*, directory: Directory = HERE, json: Json = False) -> int:
    """List all CAs of the hub, with how many certificates of each are in force."""
    with hub_in(directory) as hub:
        found = authorities.list_authorities(hub)
        rows = [
            (each["id"], each["role"], each["state"], each["not_after"][:10], each["certificates"], each["subject"])
            for each in found
        ]
        text = table(rows, ("CA", "ROLE", "STATE", "NOT AFTER", "IN FORCE", "SUBJECT"))
        result(found, text, as_json=json)
        return OK


def retire(authority: int, *, directory: Directory = HERE, json: Json = False) -> int:
    """Trust a CA no more; refused while it signs, or a certificate of it is in force or shown to customers."""
    with hub_in(directory) as hub:
        authorities.retire_authority(hub, authority)
        result({"id": authority, "state": "retired"}, f"The CA {authority} is retired.", as_json=json)
        apply(hub)
        return OK
