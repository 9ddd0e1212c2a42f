"""What the hub's own things look like in the API: people, tokens, the audit, CAs, nodes, and how the hub stands."""

from bothways.contract.document import Environment
from bothways.registry.access import Action, Role
from bothways.store.authorities import Role as AuthorityRole
from bothways.web.api.shapes import (
    COUNT,
    DIGEST,
    MOMENT,
    NUMBER,
    SERIAL,
    TEXT,
    TRUTH,
    URL,
    list_of,
    map_of,
    named,
    one_of,
    or_null,
    said,
    shape,
)

OWN_THINGS = {
    "Person": shape(
        id=NUMBER,
        email=TEXT,
        name=TEXT,
        role=one_of(Role),
        customer=or_null(TEXT),
        os_user=or_null(TEXT),
        state={"enum": ["active", "proposed", "disabled"]},
        added_at=MOMENT,
        disabled_at=or_null(MOMENT),
        proposed_by=said(or_null(TEXT), "Who put them on record, while a second person has to confirm it."),
        sign_in_proposed_by=said(or_null(TEXT), "Who made their invitation, while a second person has to confirm it."),
    ),
    "Token": shape(
        id=NUMBER,
        name=TEXT,
        role=one_of(Role),
        customer=or_null(TEXT),
        person=said(TEXT, "Who made it, and stands behind it."),
        scopes=or_null(list_of(one_of(Action))),
        state={"enum": ["valid", "expired", "revoked", "person-disabled"]},
        created_at=MOMENT,
        expires_at=MOMENT,
        used_at=or_null(MOMENT),
    ),
    "Invitation": shape(link=said(URL, "Shown once."), expires_at=MOMENT),
    "SecondCode": shape(code=said(or_null(TEXT), "What opens the first person's link; shown once.")),
    "AuditLine": shape(
        sequence=NUMBER,
        at=MOMENT,
        actor=TEXT,
        action=TEXT,
        subject=TEXT,
        request_id=TEXT,
        detail=map_of({}),
        previous=DIGEST,
        hash=DIGEST,
    ),
    "AuditState": shape(
        whole=TRUTH,
        lines=COUNT,
        head=said(TEXT, "NUMBER:SHA256 of the last line."),
        signed_head=or_null(shape(lines=COUNT, hash=DIGEST, at=MOMENT, spki_pin=DIGEST)),
        findings=list_of(named("Finding")),
    ),
    "SignedHead": shape(
        head=said(TEXT, "What was signed, as text."),
        signature=said(TEXT, "In base64."),
        key=said(TEXT, "Its public key."),
    ),
    "Closure": shape(shut_at=MOMENT, reason=TEXT),
    "Authority": shape(
        id=NUMBER,
        role=one_of(AuthorityRole),
        subject=TEXT,
        key=TEXT,
        state={"enum": ["signing", "trusted", "retired"]},
        not_after=MOMENT,
        retired_at=or_null(MOMENT),
        certificates=said(COUNT, "How many of it are in force."),
        linked=said(TRUTH, "Whether the server CA before vouches for it, by a link certificate."),
        behind=said(
            or_null(COUNT), "How many customers may not trust the next server CA yet; null for all others, and after."
        ),
    ),
    "Node": shape(
        node=TEXT,
        state={"enum": ["current", "withdrawn"]},
        inbound=TEXT,
        egress=TEXT,
        reached_at=said(or_null(TEXT), "Where the control plane reaches its endpoint, if not where it binds."),
        added_at=MOMENT,
        withdrawn_at=or_null(MOMENT),
        certificates=list_of(
            shape(
                serial=SERIAL,
                authority=said(NUMBER, "The node CA that signed it."),
                fingerprint=DIGEST,
                made_at=MOMENT,
                used_at=or_null(MOMENT),
                not_after=MOMENT,
            )
        ),
    ),
    "NodeStatus": shape(
        node=TEXT,
        connected=TRUTH,
        control_plane=said(TEXT, "The one that it is connected to; empty if it is to none."),
        peer=said(TEXT, "The address that it comes from."),
        authority=said(
            or_null(NUMBER),
            "The node CA that signed the newest certificate that it has shown; null if it has shown none.",
        ),
        since=said(or_null(MOMENT), "Since when it is, or is not, connected; null if nobody has seen it."),
        version=said(TEXT, "The last version of which it has confirmed a part."),
        answered_at=said(or_null(MOMENT), "When it last confirmed or refused something."),
        settled=said(TRUTH, "Whether it has confirmed all that is published."),
        behind_since=or_null(MOMENT),
        lag_seconds=said(or_null({"type": "number"}), "For how long it lacks something; null if nobody knows."),
        refused=said(map_of(TEXT), "What it refuses in Envoy's words, by type."),
        customers=said(COUNT, "How many customers' servers it has loaded."),
        canary=said(
            or_null(
                shape(
                    outcome={"enum": ["refused", "unreachable", "answered", "shut"]}, address=TEXT, said=TEXT, at=MOMENT
                )
            ),
            "What the canary saw last; null if nobody looks.",
        ),
    ),
    "Status": shape(
        environment=one_of(Environment),
        endpoint=URL,
        portal=URL,
        running=said(or_null(map_of({})), "What the running hub says of itself; null if it does not run."),
        nodes=said(list_of(named("NodeStatus")), "How each node stands, whichever control plane it is connected to."),
        envoy=said(map_of({}), "What the process beside the hub's Envoy says."),
        certificates=named("OwnCertificates"),
        revocation_lists=list_of(
            shape(
                authority=NUMBER,
                number=or_null(NUMBER),
                this_update=or_null(MOMENT),
                next_update=or_null(MOMENT),
                in_envoy=TRUTH,
            )
        ),
        expiring=list_of(
            shape(kind=TEXT, subject=TEXT, customer=or_null(TEXT), ends_at=MOMENT, days={"type": "integer"}, text=TEXT)
        ),
        notices=shape(waiting=COUNT, failing=list_of(shape(contact=TEXT, attempts=NUMBER, error=TEXT))),
        failed_calls=or_null(shape(customers=COUNT, unmatched=COUNT)),
    ),
}
"""Their schemas, by name."""
