"""`bothways endpoint`: set, show; submit, list, approve, refuse."""

from bothways.cli.arguments import BaseUrl, ReviewNumber, TspId
from bothways.cli.asking import DEFAULT, Document, Where, asked
from bothways.cli.exit import OK
from bothways.cli.output import Json, Reason, day, finding_line, result, table, tell
from bothways.operations import endpoints
from bothways.outbound.look_up import endpoint_seen


def set_(tsp_id: TspId, url: BaseUrl, *, where: Where = DEFAULT, json: Json = False) -> int:
    """Record the base URL of a customer's server; it is called there once a probe has proved it.

    Where it takes two people, as in production, another host or port waits until a second person approves it.
    """
    with asked(where) as at:
        document = at.replace(
            lambda hub: endpoint_seen(hub, tsp_id, endpoints.set_endpoint(hub, tsp_id, url)),
            ("customers", tsp_id, "endpoint"),
            {"url": url},
        )
        findings = document.pop("findings")
        del document["state"]
        code = at.conclude(document, f"{tsp_id} is called at {document['url']}", as_json=json)
        _tell(findings)
        tell(f"Next, once its chain is endorsed: bothways probe {tsp_id}")
        return code


def show(tsp_id: TspId, *, where: Where = DEFAULT, json: Json = False) -> int:
    """Show where a customer's server is, and say which base URL waits for review."""
    with asked(where) as at:
        waiting = at.every(
            lambda hub: [each.document() for each in endpoints.waiting_endpoints(hub, tsp_id)],
            ("endpoints",),
            customer=tsp_id,
        )
        for each in waiting:
            tell(f"{each['url']} waits for review: bothways endpoint approve {each['id']}")
        document = at.show(
            lambda hub: endpoints.show_endpoint(hub, tsp_id).document(tsp_id), ("customers", tsp_id, "endpoint")
        )
        result(document, document["url"], as_json=json)
        return OK


def submit(tsp_id: TspId, url: BaseUrl, *, where: Where = DEFAULT, json: Json = False) -> int:
    """Submit a base URL for review, as the customer does; if only the path is new, it is in force at once."""
    with asked(where) as at:
        document = at.change(
            lambda hub: endpoint_seen(hub, tsp_id, endpoints.submit_endpoint(hub, tsp_id, url)),
            "POST",
            ("endpoints",),
            {"customer": tsp_id, "url": url},
        )
        findings = document.pop("findings")
        if document["state"] == "approved":
            return at.conclude(document, f"{tsp_id} is called at {document['url']}", as_json=json)
        text = f"Endpoint {document['id']} of {tsp_id} waits for review: {document['url']}"
        result(document, text, as_json=json)
        _tell(findings)
        tell(f"Next: bothways endpoint approve {document['id']}")
        return OK


def list_(*, where: Where = DEFAULT, json: Json = False) -> int:
    """List the base URLs that wait for review."""
    with asked(where) as at:
        found = at.every(lambda hub: [each.document() for each in endpoints.waiting_endpoints(hub)], ("endpoints",))
        rows = [(each["id"], each["customer"], day(each["submitted_at"]), each["url"]) for each in found]
        result(found, table(rows, ("ENDPOINT", "CUSTOMER", "SUBMITTED", "URL")), as_json=json)
        return OK


def approve(number: ReviewNumber, *, where: Where = DEFAULT, json: Json = False) -> int:
    """Approve a base URL that was submitted; it is called once a probe has proved it.

    Where it takes two people, as in production, the first proposes, and the second confirms by approving it too.
    """
    with asked(where) as at:
        document = at.change(
            lambda hub: endpoints.approve_endpoint(hub, number).document(), "POST", ("endpoints", number, "approve")
        )
        code = at.conclude(document, _decided(document), as_json=json)
        tell(f"Next, once its chain is endorsed: bothways probe {document['customer']}")
        return code


def refuse(number: ReviewNumber, *, reason: Reason, where: Where = DEFAULT, json: Json = False) -> int:
    """Refuse a base URL that was submitted; where the customer is called stays as it is."""
    with asked(where) as at:
        document = at.change(
            lambda hub: endpoints.refuse_endpoint(hub, number, reason).document(),
            "POST",
            ("endpoints", number, "refuse"),
            {"reason": reason},
        )
        result(document, _decided(document), as_json=json)
        return OK


def _tell(findings: list[Document]) -> None:
    for each in findings:
        tell(finding_line(each))


def _decided(document: Document) -> str:
    return f"Endpoint {document['id']} of {document['customer']}, {document['url']}, is {document['state']}."
