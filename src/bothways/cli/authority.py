"""`bothways hub authority`: add, activate, behind, list, retire."""

from typing import Annotated, Literal

from cyclopts import Parameter

from bothways.cli.arguments import AuthorityNumber
from bothways.cli.asking import DEFAULT, Document, Where, asked
from bothways.cli.exit import OK
from bothways.cli.output import Json, Why, result, table, tell
from bothways.contract.document import KeyType
from bothways.operations import authorities, server_rollover
from bothways.operations.hub import Hub

_TITLES = {"issuing": "issuing CA", "client": "Client CA", "node": "node CA", "server": "server CA"}
_SIGNS = {
    "issuing": "signs from now on",
    "client": "signs from the next rotation on",
    "node": "signs from now on",
    "server": "is announced",
}
_FORCE = Parameter(negative=(), help="Do it although customers may not trust the next server CA yet.")
_KINDS = {"p256": KeyType.ECDSA, "rsa4096": KeyType.RSA}


def add(
    *,
    role: Annotated[
        Literal["issuing", "client", "node", "server"],
        Parameter(help="Which CA: that of customers' certificates, the hub's own, remote nodes', or the endpoint's."),
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
    With `--role server`, customers take the contract, and the endpoint changes over with `activate`.
    """
    with asked(where) as at:
        document = at.change(
            lambda hub: authorities.authority_added(hub, role, _KINDS[ca_key] if ca_key else None),
            "POST",
            ("authorities",),
            {"role": role, "ca_key": ca_key},
        )
        text = f"The {_TITLES[role]} {document['id']} {_SIGNS[role]}: {document['subject']}"
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
        elif role == "server":
            _tell_of_server(document)
        else:
            tell("The contract names both: customers take it again before they install a certificate of the new one.")
        return OK


def _tell_of_server(document: Document) -> None:
    number = document["id"]
    tell("The contract names both: customers take it again, and trust both. The endpoint is as it was.")
    if document["linked"]:
        tell(
            "The CA before vouches for it, so whoever is late believes the endpoint until that one is retired. To have "
            f"the endpoint change over: bothways hub authority activate {number} --reason ..."
        )
    else:
        tell(
            "The CA before does not vouch for it: its key is not there, it has ended, or an earlier bothways made it. "
            "Whoever is late will not believe the endpoint any more from the change on. When nobody is: "
            f"bothways hub authority activate {number} --reason ..."
        )
    tell(f"Who is late: bothways hub authority behind {number}")


def activate(
    authority: AuthorityNumber,
    *,
    reason: Why,
    force: Annotated[bool, _FORCE] = False,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Have endpoint and portal show a certificate of this server CA from now on; the same leads back.

    Nobody's calls are lost: who trusts the server CA before alone finds the way by a link certificate, as long as that
    one is not retired.
    """
    with asked(where) as at:
        document = at.change(
            lambda hub: server_rollover.activate_authority(hub, authority, reason, force=force),
            "POST",
            ("authorities", authority, "activate"),
            {"reason": reason, "force": force},
        )
        text = f"The server CA {authority} signs for the endpoint, which has its certificate {document['serial']}."
        return at.conclude(document, text, as_json=json)


def behind(authority: AuthorityNumber, *, where: Where = DEFAULT, json: Json = False) -> int:
    """List who can call, and has not taken the contract since it names this server CA."""
    with asked(where) as at:
        found = at.every(lambda hub: server_rollover.every_behind(hub, authority), ("authorities", authority, "behind"))
        rows = [(each["customer"], each["organization"]) for each in found]
        result(found, table(rows, ("CUSTOMER", "ORGANIZATION")), as_json=json)
        if found:
            tell("They take it with: bothways spoke contract --from-hub; or are handed: bothways bundle export TSPID")
        return OK


def list_(*, where: Where = DEFAULT, json: Json = False) -> int:
    """List all CAs, with how many certificates of each are in force, and how many are behind the next server CA."""
    with asked(where) as at:
        found = at.every(authorities.list_authorities, ("authorities",))
        rows = [
            (
                each["id"],
                each["role"],
                each["state"],
                each["not_after"][:10],
                each["certificates"],
                "" if each["behind"] is None else each["behind"],
                each["subject"],
            )
            for each in found
        ]
        text = table(rows, ("CA", "ROLE", "STATE", "NOT AFTER", "IN FORCE", "BEHIND", "SUBJECT"))
        result(found, text, as_json=json)
        return OK


def retire(
    authority: AuthorityNumber,
    *,
    reason: Why,
    force: Annotated[bool, _FORCE] = False,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Trust a CA no more; refused while it signs, or a certificate of it is in force or shown to customers or nodes.

    A server CA is refused while customers may trust no other.
    """

    def local(hub: Hub) -> Document:
        authorities.retire_authority(hub, authority, reason, force=force)
        return {"id": authority, "state": "retired"}

    with asked(where) as at:
        document = at.change(local, "POST", ("authorities", authority, "retire"), {"reason": reason, "force": force})
        result(document, f"The CA {authority} is retired.", as_json=json)
        at.apply()
        return OK
