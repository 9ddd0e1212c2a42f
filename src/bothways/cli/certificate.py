"""`bothways certificate`: list, show, revoke, crl."""

from pathlib import Path
from typing import Annotated

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cyclopts import Parameter

from bothways import files
from bothways.cli.arguments import OfCustomer, Serial
from bothways.cli.asking import DEFAULT, Document, Where, asked
from bothways.cli.exit import OK
from bothways.cli.output import Json, day, result, table, tell
from bothways.errors import BothwaysError
from bothways.operations import certificates
from bothways.operations.hub import Hub
from bothways.operations.revocation import current_list, list_document, lists_due, publish_list
from bothways.pki.revocation import RevocationReason


def _spelled(name: str) -> str:
    """Return a reason as RFC 5280 spells it."""
    return RevocationReason[name].value if name in RevocationReason.__members__ else name


def list_(*, customer: OfCustomer = None, where: Where = DEFAULT, json: Json = False) -> int:
    """List certificates, of all customers or of one."""

    def local(hub: Hub) -> list[Document]:
        now = hub.now()
        return [each.document(now) for each in certificates.list_certificates(hub, customer)]

    with asked(where) as at:
        found = at.every(local, ("certificates",), customer=customer)
        rows = [(each["serial"], each["customer"], each["state"], day(each["not_after"])) for each in found]
        result(found, table(rows, ("SERIAL", "CUSTOMER", "STATE", "NOT AFTER")), as_json=json)
        return OK


def show(serial: Serial, *, where: Where = DEFAULT, json: Json = False) -> int:
    """Print a certificate with its issuer in PEM, end entity first."""

    def local(hub: Hub) -> Document:
        record = certificates.show_certificate(hub, serial)
        return record.document(hub.now()) | {"chain": certificates.certificate_chain(hub, record)}

    with asked(where) as at:
        document = at.show(local, ("certificates", serial))
        result(document, document["chain"] or "", as_json=json)
        return OK


def revoke(
    serial: Serial,
    *,
    reason: Annotated[
        RevocationReason,
        Parameter(name_transform=_spelled, help="The reason, as RFC 5280 section 5.3.1 spells it."),
    ] = RevocationReason.UNSPECIFIED,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Revoke a certificate: the next request with it is refused, on open connections too."""

    def local(hub: Hub) -> Document:
        return certificates.revoke_certificate(hub, serial, reason).document(hub.now())

    with asked(where) as at:
        document = at.change(local, "POST", ("certificates", serial, "revoke"), {"reason": reason.value})
        result(document, f"Certificate {serial} of {document['customer']} is revoked.", as_json=json)
        at.apply()
        return OK


def crl(
    *,
    authority: Annotated[
        int | None, Parameter(help="The number of the CA, if it is not the one that signs now.")
    ] = None,
    out: Annotated[Path | None, Parameter(help="Write the list to this file, in DER.")] = None,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Print the revocation list (CRL) of an issuing CA in PEM, after bringing it up to date.

    A hub that runs keeps its lists up to date by itself.
    """

    def local(hub: Hub) -> Document:
        for each, due in lists_due(hub):
            try:
                if due <= hub.now():
                    publish_list(hub, each)
            except BothwaysError as error:
                # The one before is still a list: better than none, and the hub itself tries again.
                tell(f"the revocation list of the CA {each.id} is not published: {error}")
        return list_document(current_list(hub, authority))

    with asked(where) as at:
        query = {} if authority is None else {"authority": authority}
        document = at.show(local, ("revocation-lists",), **query)
        text = document["crl"]
        if out is not None:
            files.replace(out, x509.load_pem_x509_crl(text.encode()).public_bytes(Encoding.DER))
        name = f"The revocation list {document['number']} of the CA {document['authority']}"
        said = text if out is None else f"{name} is in {out}"
        result(document, said, as_json=json)
        return OK
