from collections.abc import Callable
from datetime import datetime

import pytest
from cryptography import x509
from sqlalchemy.exc import IntegrityError, NoResultFound

from bothways.store import authorities
from bothways.store.authorities import Authority, Credential, Role
from bothways.store.database import Database

Signing = Callable[..., x509.Certificate]


def add(database: Database, now: datetime, role: Role, certificate: x509.Certificate, key_name: str) -> Authority:
    with database.write(now, "tester") as transaction:
        return authorities.add_authority(transaction, role, certificate, key_name)


def test_a_ca_comes_back_as_it_went_in(database: Database, now: datetime, self_signed_by: Signing) -> None:
    certificate = self_signed_by("issuing CA")
    stored = add(database, now, Role.ISSUING, certificate, "issuing-ca-1")
    assert stored == Authority(stored.id, certificate, "issuing-ca-1")
    with database.read() as connection:
        assert authorities.authority_by_id(connection, stored.id) == stored
        assert authorities.signing_authority(connection, Role.ISSUING) == stored


def test_the_newest_ca_of_a_role_signs_and_the_older_ones_are_still_trusted(
    database: Database, now: datetime, self_signed_by: Signing
) -> None:
    first, second, client = (
        add(database, now, role, self_signed_by(name), name)
        for role, name in ((Role.ISSUING, "ca-1"), (Role.ISSUING, "ca-2"), (Role.CLIENT, "client-ca-1"))
    )
    with database.read() as connection:
        assert authorities.signing_authority(connection, Role.ISSUING) == second
        assert authorities.signing_authority(connection, Role.CLIENT) == client
        assert authorities.every_authority(connection, Role.ISSUING) == (second, first)
        assert authorities.every_authority(connection, Role.SERVER) == ()
        assert authorities.every_authority(connection) == (client, second, first)


def test_without_a_ca_of_the_role_nothing_is_signed_by_another(
    database: Database, now: datetime, self_signed_by: Signing
) -> None:
    add(database, now, Role.CLIENT, self_signed_by("client CA"), "client-ca-1")
    with database.read() as connection, pytest.raises(NoResultFound):
        authorities.signing_authority(connection, Role.ISSUING)


def test_the_newest_certificate_of_a_purpose_is_in_use(
    database: Database, now: datetime, self_signed_by: Signing
) -> None:
    issuer = add(database, now, Role.CLIENT, self_signed_by("client CA"), "client-ca-1")
    old, new, server = (self_signed_by(name) for name in ("old", "new", "server"))
    with database.write(now, "tester") as transaction:
        authorities.add_credential(transaction, Role.CLIENT, old, "client-1", issuer)
        authorities.add_credential(transaction, Role.CLIENT, new, "client-2", issuer)
        authorities.add_credential(transaction, Role.SERVER, server, "server-1", issuer)
    with database.read() as connection:
        client, endpoint = (authorities.current_credential(connection, role) for role in (Role.CLIENT, Role.SERVER))
    assert client == Credential(2, new, "client-2", issuer.id, now, now)
    assert endpoint == Credential(3, server, "server-1", issuer.id, now, now)


def test_a_certificate_of_no_known_ca_is_not_stored(database: Database, now: datetime, self_signed_by: Signing) -> None:
    certificate = self_signed_by("x")
    with pytest.raises(IntegrityError, match="FOREIGN KEY"), database.write(now, "tester") as transaction:
        authorities.add_credential(transaction, Role.CLIENT, certificate, "k", Authority(99, certificate, "k"))


def test_a_ca_comes_back_with_its_link_and_since_when_it_is_announced(
    database: Database, now: datetime, self_signed_by: Signing
) -> None:
    certificate, link = self_signed_by("server CA G2"), self_signed_by("as if by the one before")
    with database.write(now, "tester") as transaction:
        stored = authorities.add_authority(transaction, Role.SERVER, certificate, "server-ca-2", link)
    with database.read() as connection:
        assert authorities.authority_by_id(connection, stored.id) == stored
        assert stored.link == link
        assert authorities.announced_at(connection, stored.id) == now


def test_a_retired_ca_is_trusted_no_more_and_not_forgotten(
    database: Database, now: datetime, self_signed_by: Signing
) -> None:
    first, second = (add(database, now, Role.ISSUING, self_signed_by(name), name) for name in ("ca-1", "ca-2"))
    with database.write(now, "tester") as transaction:
        authorities.retire(transaction, first.id)
    with database.read() as connection:
        assert authorities.trusted(connection, Role.ISSUING) == (second,)
        assert authorities.every_authority(connection, Role.ISSUING)[1].retired_at == now
