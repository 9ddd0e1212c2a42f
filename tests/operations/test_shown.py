"""Who is shown another client certificate than the hub's current one, and for how long."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bothways.errors import Unusable
from bothways.operations.hub import Hub
from bothways.operations.rotation import make_next, put_next_to_use
from bothways.operations.shown import Shown, shown_to
from bothways.store import authorities
from bothways.store.authorities import Role


def look(hub: Hub, now: datetime, private_pem: Callable[[str], str] | None = None) -> dict[str, Shown]:
    with hub.read() as connection:
        return shown_to(connection, None, private_pem or hub.keys.private_pem, now)


def test_nobody_is_until_somebody_refused(hub: Hub, issuer: str) -> None:
    assert look(hub, hub.now()) == {}
    assert issuer


def test_who_refused_the_next_one_is_shown_the_one_before_until_it_ends(hub: Hub, issuer: str) -> None:
    with hub.read() as connection:
        before = authorities.current_credential(connection, Role.CLIENT)
    assert put_next_to_use(hub, make_next(hub), {issuer: "answered 403"}, ())
    end = before.certificate.not_valid_after_utc
    found = look(hub, hub.now())[issuer]
    assert found.pair is not None
    assert found.until == end
    assert found.problem == (
        f"{issuer} is shown an earlier client certificate, which ends on {end:%Y-%m-%d}: answered 403"
    )
    assert set(look(hub, end - timedelta(seconds=1))) == {issuer}
    assert look(hub, end) == {}


def test_a_key_that_cannot_be_read_means_no_calls_and_never_another_certificate(hub: Hub, issuer: str) -> None:
    put_next_to_use(hub, make_next(hub), {issuer: "answered 403"}, ())

    def away(name: str) -> Any:
        raise Unusable(f"{name} is away")

    found = look(hub, hub.now(), away)[issuer]
    assert found.pair is None
    assert "is away" in found.problem


@pytest.mark.parametrize("asked", [(), ("99999999",)])
def test_nobody_else_is_looked_at(hub: Hub, issuer: str, asked: tuple[str, ...]) -> None:
    put_next_to_use(hub, make_next(hub), {issuer: "answered 403"}, ())
    with hub.read() as connection:
        assert shown_to(connection, asked, hub.keys.private_pem, hub.now()) == {}
