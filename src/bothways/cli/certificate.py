"""`bothways certificate`: list, show, revoke, crl."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.exit import OK
from bothways.cli.opening import apply, hub_in
from bothways.cli.output import HERE, Directory, Json, result, table, tell
from bothways.errors import BothwaysError
from bothways.operations import certificates
from bothways.operations.revocation import current_list, list_document, list_pem, lists_due, publish_list
from bothways.pki.revocation import RevocationReason


def _spelled(name: str) -> str:
    """Return a reason as RFC 5280 spells it."""
    return RevocationReason[name].value if name in RevocationReason.__members__ else name


def list_(*, customer: str | None = None, directory: Directory = HERE, json: Json = False) -> int:
    """List certificates, of all customers or of one."""
    with hub_in(directory) as hub:
        found, now = certificates.list_certificates(hub, customer), hub.now()
        rows = [(each.serial, each.tsp_id, each.state(now), f"{each.not_after:%Y-%m-%d}") for each in found]
        text = table(rows, ("SERIAL", "CUSTOMER", "STATE", "NOT AFTER"))
        result([each.document(now) for each in found], text, as_json=json)
        return OK


def show(serial: str, *, directory: Directory = HERE, json: Json = False) -> int:
    """Print a certificate with its issuer in PEM, end entity first."""
    with hub_in(directory) as hub:
        record = certificates.show_certificate(hub, serial)
        chain = certificates.certificate_chain(hub, record)
        result(record.document(hub.now()) | {"chain": chain}, chain, as_json=json)
        return OK


def revoke(
    serial: str,
    *,
    reason: Annotated[
        RevocationReason,
        Parameter(name_transform=_spelled, help="The reason, as RFC 5280 section 5.3.1 spells it."),
    ] = RevocationReason.UNSPECIFIED,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Revoke a certificate: the next request with it is refused, on open connections too."""
    with hub_in(directory) as hub:
        record = certificates.revoke_certificate(hub, serial, reason)
        result(record.document(hub.now()), f"Certificate {serial} of {record.tsp_id} is revoked.", as_json=json)
        apply(hub)
        return OK


def crl(
    *,
    authority: Annotated[int | None, Parameter(help="The CA, if it is not the one that signs now.")] = None,
    out: Annotated[Path | None, Parameter(help="Write the list to this file, in DER.")] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Print the revocation list (CRL) of an issuing CA in PEM, after bringing it up to date."""
    with hub_in(directory) as hub:
        for each, due in lists_due(hub):
            try:
                if due <= hub.now():
                    publish_list(hub, each)
            except BothwaysError as error:
                # The one before is still a list: better than none, and the hub itself tries again.
                tell(f"the revocation list of the CA {each.id} is not published: {error}")
        found = current_list(hub, authority)
        text = list_pem(found)
        if out is not None:
            files.replace(out, found.der)
        document = list_document(found)
        said = text if out is None else f"The revocation list {found.number} of the CA {found.authority_id} is in {out}"
        result(document, said, as_json=json)
        return OK
