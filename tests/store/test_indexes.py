"""What is looked for all the time is found by an index, at any number of customers."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Select, select
from sqlalchemy.dialects import sqlite

from bothways.store.audit_customer import customer_or_subject
from bothways.store.database import Database
from bothways.store.schema import audit, certificate, renewal, request, token
from bothways.store.schema_outbound import chain
from bothways.store.schema_people import person

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("index", "query"),
    [
        ("requests_of_customer", select(request.c.id).where(request.c.tsp_id == "1")),
        ("certificates_of_customer", select(certificate.c.der).where(certificate.c.tsp_id == "1")),
        ("certificate_ends", select(certificate.c.der).where(certificate.c.not_after > NOW)),
        ("ix_chain_tsp_id", select(chain).where(chain.c.tsp_id.in_(("1",)))),
        ("renewals_of_certificate", select(renewal.c.request_id).where(renewal.c.serial == "1a")),
        ("renewals_open", select(renewal.c.serial).where(renewal.c.over_at.is_(None))),
        ("certificates_unsigned", select(certificate.c.unsigned).where(certificate.c.der.is_(None))),
        (
            "certificates_revoked",
            select(certificate.c.serial).where(certificate.c.authority_id == 1, certificate.c.revoked_at.is_not(None)),
        ),
        ("tokens_of_customer", select(token.c.role).where(token.c.tsp_id == "1").order_by(token.c.id.desc()).limit(1)),
        ("tokens_by_name", select(token.c.role).where(token.c.name == "ci").order_by(token.c.id.desc()).limit(1)),
        ("people_by_email", select(person.c.id).where(person.c.email == "a@b.example")),
        ("audit_by_actor ", select(audit).where(audit.c.actor == "ann").order_by(audit.c.sequence.desc()).limit(51)),
        (
            "audit_by_action ",
            select(audit).where(audit.c.action == "probe").order_by(audit.c.sequence.desc()).limit(51),
        ),
        (
            "audit_by_actor_and_action",
            select(audit)
            .where(audit.c.actor == "hub", audit.c.action == "probe")
            .order_by(audit.c.sequence.desc())
            .limit(51),
        ),
        (
            "audit_by_customer",
            select(audit)
            .where(customer_or_subject(audit.c.detail, audit.c.subject) == "1")
            .order_by(audit.c.sequence.desc())
            .limit(51),
        ),
        ("audit_by_time", select(audit.c.sequence).where(audit.c.at < NOW).order_by(audit.c.at.desc()).limit(1)),
        ("people_by_user", select(person.c.id).where(person.c.os_user == "ann")),
    ],
)
def test_it_is_found_by_its_index(database: Database, index: str, query: Select[tuple[object]]) -> None:
    text = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with database.read() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
    assert f"INDEX {index}" in plan[0].detail
