"""`bothways hub authority`: add, list, retire."""

from typing import Annotated, Literal

from cyclopts import Parameter

from bothways.cli.exit import OK
from bothways.cli.opening import apply, hub_in
from bothways.cli.output import HERE, Directory, Json, result, table, tell
from bothways.contract.document import KeyType
from bothways.operations import authorities

_KINDS = {"p256": KeyType.ECDSA, "rsa4096": KeyType.RSA}


def add(
    *,
    ca_key: Annotated[
        Literal["p256", "rsa4096"] | None, Parameter(help="The key of the CA, if not as that of the one before.")
    ] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Put a new issuing CA beside the one that signs: it signs from now on, and both are trusted."""
    with hub_in(directory) as hub:
        added = authorities.add_issuing_authority(hub, _KINDS[ca_key] if ca_key else None)
        document = {"id": added.id, "subject": added.certificate.subject.rfc4514_string(), "key": added.key_name}
        result(document, f"The issuing CA {added.id} signs from now on: {document['subject']}", as_json=json)
        apply(hub)
        tell("The contract names both: customers take it again before they install a certificate of the new one.")
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
    """Trust an issuing CA no more; refused while it signs, or a certificate of it is in force."""
    with hub_in(directory) as hub:
        authorities.retire_authority(hub, authority)
        result({"id": authority, "state": "retired"}, f"The CA {authority} is retired.", as_json=json)
        apply(hub)
        return OK
