"""What a hub does about a customer's server: its address, the chain that vouches for it, the certificate it is shown.

As in `lifecycle`, each operation can be done again at any time, and says what was acknowledged. Beside the hub lies the
CA of a bank, which signs what the hub asks it to.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import Connection, select
from tests.crash.lifecycle import TSP_ID
from tests.crash.notes import ACKNOWLEDGED, note
from tests.outbound.signing import returned_by

from bothways.errors import NotFound
from bothways.operations.chains import endorse_chain, list_chains, submit_chain, withdraw_chain
from bothways.operations.customer_credentials import (
    install_credential,
    remove_credential,
    request_credential,
    show_credentials,
)
from bothways.operations.endpoints import (
    approve_endpoint,
    refuse_endpoint,
    set_endpoint,
    show_endpoint,
    submit_endpoint,
    waiting_endpoints,
)
from bothways.operations.hub import Hub
from bothways.store import schema
from bothways.store.chains import ChainState
from bothways.store.customer_credentials import CredentialState
from bothways.store.schema_credentials import customer_credential
from bothways.store.schema_outbound import chain, submitted_endpoint
from bothways.store.submitted_endpoints import EndpointState, SubmittedEndpoint

FIRST, SECOND, THIRD = (f"https://{name}.bank.example" for name in ("one", "two", "three"))
CA_FILE, CA_KEY_FILE = "bank-ca.crt", "bank-ca.key"


def move(hub: Hub) -> None:
    """Call the server at one host, then at another that the customer named; give it another path; refuse a third."""
    if url_of(hub) is None:
        set_endpoint(hub, TSP_ID, FIRST)
    if url_of(hub) == FIRST:
        waiting = submit_endpoint(hub, TSP_ID, SECOND)
        assert isinstance(waiting, SubmittedEndpoint)
        note(hub.directory, ACKNOWLEDGED, f"named {waiting.id}")
        approve_endpoint(hub, waiting.id)
        note(hub.directory, ACKNOWLEDGED, f"moved {waiting.id}")
    submit_endpoint(hub, TSP_ID, f"{SECOND}/hub")
    assert url_of(hub) == f"{SECOND}/hub"
    if not waiting_endpoints(hub):
        submit_endpoint(hub, TSP_ID, f"{THIRD}/early")
    # Another takes the place of what waits.
    last = submit_endpoint(hub, TSP_ID, THIRD)
    assert isinstance(last, SubmittedEndpoint)
    refuse_endpoint(hub, last.id, "nobody knows of it")
    note(hub.directory, ACKNOWLEDGED, f"refused-endpoint {last.id}")


def vouch(hub: Hub) -> None:
    """Submit a chain and endorse it, unless that was done; then withdraw it."""
    number = submit_chain(hub, TSP_ID, (hub.directory / CA_FILE).read_bytes()).id
    note(hub.directory, ACKNOWLEDGED, f"chain {number}")
    if list_chains(hub)[-1].state is ChainState.SUBMITTED:
        endorse_chain(hub, number)
    note(hub.directory, ACKNOWLEDGED, f"endorsed {number}")
    withdraw_chain(hub, number, "it was replaced")
    note(hub.directory, ACKNOWLEDGED, f"withdrawn-chain {number}")


def own(hub: Hub) -> None:
    """Show the customer two certificates of its own CA, one after the other, and go back to the hub's."""
    ca = load_pem_private_key((hub.directory / CA_KEY_FILE).read_bytes(), None)
    certificate = x509.load_pem_x509_certificate((hub.directory / CA_FILE).read_bytes())
    for _ in range(2):
        # Whoever had no answer gives up what may wait.
        request = request_credential(hub, TSP_ID, {"CN": "hub-at-bank"}, again=True)
        note(hub.directory, ACKNOWLEDGED, f"requested {request.id}")
        install_credential(hub, TSP_ID, returned_by((ca, certificate), request))
        note(hub.directory, ACKNOWLEDGED, f"installed {request.id}")
    remove_credential(hub, TSP_ID, "the bank trusts the Client CA")
    note(hub.directory, ACKNOWLEDGED, f"removed {request.id}")


def url_of(hub: Hub) -> str | None:
    """Return where the server is called."""
    try:
        return show_endpoint(hub, TSP_ID).url
    except NotFound:
        return None


def check_outbound(hub: Hub, connection: Connection) -> None:
    """One line of the audit for each change of what is stored, one thing in force at a time, and no key lost."""
    columns = (schema.audit.c.action, schema.audit.c.subject, schema.audit.c.detail)
    told = [
        (row.action, row.subject, json.loads(row.detail))
        for row in connection.execute(select(*columns).order_by(schema.audit.c.sequence))
    ]
    kinds = ("endpoint.", "chain.", "outbound.")
    lines = Counter(
        f"{action} {detail.get('number', subject)}"
        for action, subject, detail in told
        if action.startswith(kinds) and action not in {"endpoint.set", "endpoint.path"}
    )
    assert lines == Counter(changes(connection)), "the audit has one line for each change of a server"
    said = [detail["url"] for action, subject, detail in told if subject == TSP_ID and action.startswith("endpoint.")]
    assert url_of(hub) == (said[-1] if said else None), "the server is called elsewhere than the audit says"
    credentials = show_credentials(hub, TSP_ID)
    for state in (CredentialState.REQUESTED, CredentialState.ACTIVE):
        assert sum(each.state is state for each in credentials) <= 1, f"two credentials are {state.value}"
    assert len(waiting_endpoints(hub, TSP_ID)) <= 1, "two servers wait for review"


def changes(connection: Connection) -> Iterator[str]:
    """Yield the lines that the audit must have, for what is stored of customers' servers."""
    verbs = {EndpointState.APPROVED: "approve", EndpointState.REFUSED: "refuse", EndpointState.REPLACED: "replace"}
    for row in connection.execute(select(submitted_endpoint)):
        yield f"endpoint.submit {row.id}"
        if row.state in verbs:
            yield f"endpoint.{verbs[row.state]} {row.id}"
    for row in connection.execute(select(chain)):
        yield f"chain.submit {row.id}"
        if row.state in {ChainState.ENDORSED, ChainState.WITHDRAWN}:
            yield f"chain.endorse {row.id}"
        if row.state in {ChainState.REFUSED, ChainState.WITHDRAWN}:
            yield f"chain.{'refuse' if row.state == ChainState.REFUSED else 'withdraw'} {row.id}"
    for row in connection.execute(select(customer_credential)):
        yield f"outbound.csr {row.id}"
        if row.installed_at:
            yield f"outbound.install {row.id}"
        if row.state == CredentialState.REMOVED and row.reason != "another request was made":
            yield f"outbound.remove {row.id}"


def outbound_facts(connection: Connection) -> dict[str, set[int]]:
    """Return what may have been acknowledged of customers' servers, by word."""
    named = {row.id: row.state for row in connection.execute(select(submitted_endpoint))}
    chains = {row.id: row.state for row in connection.execute(select(chain))}
    credentials = {row.id: row for row in connection.execute(select(customer_credential))}
    return {
        "named": set(named),
        "moved": {number for number, state in named.items() if state == EndpointState.APPROVED},
        "refused-endpoint": {number for number, state in named.items() if state == EndpointState.REFUSED},
        "chain": set(chains),
        "endorsed": {each for each, state in chains.items() if state in {ChainState.ENDORSED, ChainState.WITHDRAWN}},
        "withdrawn-chain": {each for each, state in chains.items() if state == ChainState.WITHDRAWN},
        "requested": set(credentials),
        "installed": {number for number, row in credentials.items() if row.installed_at},
        "removed": {number for number, row in credentials.items() if row.state == CredentialState.REMOVED},
    }


OPERATIONS: dict[str, Callable[[Hub], None]] = {each.__name__: each for each in (move, vouch, own)}
