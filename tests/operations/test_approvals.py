from collections.abc import Callable

from bothways.operations.approvals import approvals_document
from bothways.operations.hub import Hub
from bothways.operations.requests import approve_all, submit_request


def test_what_was_approved_and_what_was_not_stand_apart(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> None:
    number = submit_request(hub, issuer, make_csr()).id
    found = approvals_document(hub, approve_all(hub, [number, number + 1]))
    [approved], [failed] = found["approved"], found["not_approved"]
    assert (approved["request"], approved["state"], approved["findings"]) == (number, "issued", [])
    assert (failed["request"], failed["error"]) == (number + 1, "notfound")
