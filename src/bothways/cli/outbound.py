"""`bothways probe`, `rotate`, and `outbound`: what the operator does for the outbound flow."""

from typing import Annotated, Any

from cyclopts import Parameter

from bothways import files
from bothways.cli.arguments import CertificateFile, Key, TspId
from bothways.cli.asking import DEFAULT, Document, Where, asked
from bothways.cli.exit import FAILED, OK
from bothways.cli.opening import control
from bothways.cli.output import Json, Reason, finding_line, result, tell
from bothways.cli.progress import Progress
from bothways.cli.remote import text_of
from bothways.contract.document import KeyType
from bothways.errors import Conflict, NotFound, Unusable
from bothways.findings import Level
from bothways.operations import customer_credentials
from bothways.operations.hub import Hub
from bothways.operations.rotation import renew_server_certificate, rotate_client_certificate
from bothways.outbound.probe import probe_customer, probe_target
from bothways.outbound.rotation import rotate_when_asked
from bothways.outbound.trial import require_taken
from bothways.pki.encoding import CHAIN_LIMIT
from bothways.store.customer_credentials import CredentialState

Value = Annotated[str | None, Parameter(help="A value of the subject, if the customer asks for one.")]


def probe(tsp_id: TspId, *, where: Where = DEFAULT, json: Json = False) -> int:
    """Look at a customer's server from all sides, and call it through the hub's Envoy; record what was seen.

    Exits with 1 if the call failed, or if somebody is let in who must not be, or not who must.
    """

    def local(hub: Hub) -> Document:
        probe_target(hub, tsp_id)
        _require_in_force(hub)
        made = probe_customer(hub, tsp_id, say=lambda stage, said: tell(f"{stage:<8}{said}"))
        return {"customer": tsp_id} | made.document()

    with asked(where) as at:
        document = at.change(local, "POST", ("customers", tsp_id, "probes"))
        found = document["findings"]
        head = f"{document['address']}: {'ok' if document['ok'] else 'failed'}, {document['seen']}"
        text = "\n".join([head, *(f"  {each['level']:<8}{finding_line(each)}" for each in found)])
        code = at.conclude(document, text, as_json=json)
        return FAILED if any(each["level"] == Level.ERROR for each in found) else code


def rotate(
    *,
    force: Annotated[
        bool, Parameter(negative="", help="Ask no customer first: one that pins the certificate loses its calls.")
    ] = False,
    server: Annotated[
        bool, Parameter(negative="", help="The certificate of endpoint and portal instead: its key may be known.")
    ] = False,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Put a new client certificate of the hub, from its Client CA, to use towards all customers that take it.

    Each customer's server is asked first. One that refuses keeps the certificate before, as long as that lasts, and
    is asked again each hour. Exits with 1 if there is one. With --server nobody is asked: customers trust its CA.
    """
    which = "server" if server else "client"

    def local(hub: Hub) -> Document:
        if server:
            return {"serial": renew_server_certificate(hub), "asked": 0, "held": []}
        if force:
            return {"serial": rotate_client_certificate(hub), "asked": 0, "held": []}
        return rotate_when_asked(hub, lambda total: Progress(total, "customers asked").step).document()

    with asked(where) as at:
        document = at.change(local, "POST", ("rotation",), {"force": force, "certificate": which})
        lines = [f"The hub's {which} certificate is now {document['serial']}."]
        lines += [f"{each['customer']} stays with the one before: {each['reason']}" for each in document["held"]]
        code = at.conclude(document, "\n".join(lines), as_json=json)
        return FAILED if document["held"] else code


def csr(
    tsp_id: TspId,
    *,
    key: Key = KeyType.ECDSA,
    country: Value = None,
    state: Value = None,
    locality: Value = None,
    organization: Value = None,
    unit: Value = None,
    common_name: Value = None,
    again: Annotated[bool, Parameter(negative="", help="Give up the request that waits.")] = False,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Make a key for this customer alone, and print the request (CSR) that the customer's own CA signs.

    The subject is what the customer asks for; without any option, it is that of the hub's own client certificate.
    """
    given = {"C": country, "ST": state, "L": locality, "O": organization, "OU": unit, "CN": common_name}
    attributes = {name: value for name, value in given.items() if value is not None}

    def local(hub: Hub) -> Document:
        made = customer_credentials.request_credential(hub, tsp_id, attributes, key, again=again)
        return customer_credentials.credential_document(made)

    with asked(where) as at:
        body = {"subject": attributes, "key": key.value, "again": again}
        document = at.change(local, "POST", ("customers", tsp_id, "outbound-credentials"), body)
        result(document, document["request"].rstrip(), as_json=json)
        tell(f"Send it to {tsp_id}. Next, with what comes back: bothways outbound install {tsp_id} FILE")
        return OK


def install(
    tsp_id: TspId,
    file: CertificateFile,
    *,
    force: Annotated[
        bool, Parameter(negative="", help="Install it even if the customer's server does not let it in now.")
    ] = False,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Show this customer the client certificate that its CA signed: PEM, DER or PKCS #7, with its issuers.

    If the outbound flow is established, the customer's server is asked first whether it lets the certificate in.
    """
    with asked(where) as at:
        data = files.read(file, "the certificate", CHAIN_LIMIT)

        def local(hub: Hub) -> Document:
            if not force:
                require_taken(hub, tsp_id, data, str(file))
            done = customer_credentials.install_credential(hub, tsp_id, data, str(file))
            findings = [each.document() for each in done.returned.findings]
            return customer_credentials.credential_document(done.credential) | {"findings": findings}

        body = {"certificate": text_of(data), "force": force}
        document = at.change(local, "POST", ("customers", tsp_id, "outbound-credentials", "install"), body)
        for each in document["findings"]:
            tell(finding_line(each))
        text = f"{tsp_id} is shown {document['certificate']['subject']}, and nobody else is."
        code = at.conclude(document, text, as_json=json)
        tell(f"Next: bothways probe {tsp_id}")
        return code


def show(
    tsp_id: TspId,
    *,
    request: Annotated[
        bool, Parameter(negative="", help="Print the request that waits for its certificate, and nothing else.")
    ] = False,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Show which client certificate this customer is shown, and what was requested for it."""

    def local(hub: Hub) -> list[Document]:
        found = customer_credentials.show_credentials(hub, tsp_id)
        return [customer_credentials.credential_document(each) for each in found]

    with asked(where) as at:
        documents = at.every(local, ("customers", tsp_id, "outbound-credentials"))
        if request:
            waiting = [each for each in documents if each["state"] == CredentialState.REQUESTED.value]
            if not waiting:
                raise NotFound(f"no request for {tsp_id} waits. Make one: bothways outbound csr {tsp_id}")
            result(waiting[0], waiting[0]["request"].rstrip(), as_json=json)
            return OK
        own = any(each["state"] == CredentialState.ACTIVE.value for each in documents)
        head = f"{tsp_id} is shown {'a certificate of its own CA' if own else 'the client certificate of the hub'}."
        result(documents, "\n".join([head, *map(_line, documents)]), as_json=json)
        return OK


def remove(tsp_id: TspId, *, reason: Reason, where: Where = DEFAULT, json: Json = False) -> int:
    """Show this customer the hub's own client certificate again; a request that waits is given up."""

    def local(hub: Hub) -> Document:
        customer_credentials.remove_credential(hub, tsp_id, reason)
        return {"customer": tsp_id, "removed": True}

    with asked(where) as at:
        document = at.change(local, "POST", ("customers", tsp_id, "outbound-credentials", "remove"), {"reason": reason})
        return at.conclude(document, f"{tsp_id} is shown the client certificate of the hub.", as_json=json)


def _line(document: dict[str, Any]) -> str:
    certificate = document["certificate"]
    until = f", until {certificate['not_after'][:10]}, by {certificate['issuer']}" if certificate else ""
    return f"  {document['id']}  {document['state']:<10}  {document['subject']}{until}"


def _require_in_force(hub: Hub) -> None:
    """Have Envoy take what is stored: a probe of an older configuration would prove something else."""
    applied = control(hub, "POST", "/apply")
    if applied is None:
        raise Conflict(
            f"the hub does not run, and a probe goes through its Envoy. Start it: "
            f"bothways hub run --directory {hub.directory}"
        )
    if not applied["in_force"]:
        raise Unusable(
            "Envoy did not take what is stored, so a probe would prove something else. "
            f"Look at: bothways hub status --directory {hub.directory}"
        )
