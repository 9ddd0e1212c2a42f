import json
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete
from tests.conftest import unguarded

from bothways.errors import Refused, Unusable
from bothways.operations.audit_head import HEAD_FILE, read_head, sign_head, stored_head
from bothways.operations.hub import Hub
from bothways.operations.upkeep import upkeep
from bothways.pki.statement import public_pem
from bothways.store import audit, schema, statement_keys
from bothways.store.statement_keys import Purpose


def content(hub: Hub) -> bytes:
    return (hub.directory / HEAD_FILE).read_bytes()


def cut_off_the_end(hub: Hub) -> None:
    with hub.write() as transaction:
        unguarded(transaction.connection)
        last = audit.last(transaction.connection)[0]
        transaction.connection.execute(delete(schema.audit).where(schema.audit.c.sequence == last))


def test_a_new_hub_has_a_signed_head_for_its_user_alone(hub: Hub) -> None:
    head = read_head(content(hub), HEAD_FILE)
    with hub.read() as connection:
        assert (head.lines, head.hash) == audit.last(connection)
        assert head.spki_pin == statement_keys.find(connection, Purpose.AUDIT).spki_pin
    assert (head.environment, head.hub) == ("PPR", "ppr.hub.localhost")
    assert stat.S_IMODE((hub.directory / HEAD_FILE).stat().st_mode) == 0o600


def test_it_is_signed_when_there_are_new_lines_and_not_again(hub: Hub, issuer: str) -> None:
    assert issuer
    assert sign_head(hub)
    assert not sign_head(hub)
    assert read_head(content(hub), HEAD_FILE).lines == 2


def test_the_upkeep_signs_it(hub: Hub, issuer: str) -> None:
    assert issuer
    assert upkeep(hub).problems == ()
    with hub.read() as connection:
        assert read_head(content(hub), HEAD_FILE).lines == audit.last(connection)[0]


def test_nothing_is_signed_over_lines_that_were_cut_off_and_the_upkeep_tells(hub: Hub, issuer: str) -> None:
    assert issuer
    sign_head(hub)
    before = content(hub)
    cut_off_the_end(hub)
    with pytest.raises(Unusable, match="is not in the audit any more"):
        sign_head(hub)
    assert [each for each in upkeep(hub).problems if "is not in the audit any more" in each]
    assert content(hub) == before


def test_nothing_is_signed_where_the_head_is_gone_but_anew(hub: Hub) -> None:
    (hub.directory / HEAD_FILE).unlink()
    with pytest.raises(Unusable, match="is gone or damaged"):
        sign_head(hub)
    assert sign_head(hub, anew=True)
    assert json.loads(content(hub)) == stored_head(hub.directory)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one | {"head": one["head"].replace('"lines": 1', '"lines": 9')},
        lambda one: one | {"signature": "AAAA"},
        lambda one: one | {"signature": 7},
        lambda one: one | {"key": public_pem(ec.generate_private_key(ec.SECP256R1()).public_key())},
        lambda one: {"head": one["head"]},
        lambda one: [one],
    ],
    ids=["lines", "signature", "no signature", "key", "missing", "list"],
)
def test_a_head_that_was_changed_is_none(hub: Hub, change: object) -> None:
    assert callable(change)
    with pytest.raises(Refused) as refused:
        read_head(json.dumps(change(json.loads(content(hub)))).encode(), "head.json")
    assert [each.id for each in refused.value.findings] == ["AUDIT-04"]
