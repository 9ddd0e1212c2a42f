"""The passphrase is changed: everything opens with the new one, nothing with the one before, or nothing was changed."""

from datetime import timedelta

import pyotp
import pytest
from tests.operations.conftest import Audit

from bothways.errors import Conflict, Unusable
from bothways.operations.accounts import accept_invitation, invite_person, invited_person, prove_person
from bothways.operations.hub import Hub, open_hub
from bothways.operations.own_keys import require_signers
from bothways.operations.passphrase import change_passphrase
from bothways.operations.people import add_person
from bothways.registry.access import Role
from bothways.registry.sealed_key import SealedKey
from bothways.signer.private_key import open_key
from bothways.store import sealed_keys

ANOTHER = b"another passphrase"
PASSWORD = "a long and good password"  # noqa: S105 - of a test


def stored(hub: Hub) -> dict[str, SealedKey]:
    with hub.read() as connection:
        return sealed_keys.every(connection)


def test_all_keys_open_with_the_new_one_and_none_with_the_one_before(hub: Hub, audited: Audit) -> None:
    old, before = (hub.directory / "passphrase").read_bytes().strip(), stored(hub)
    done = change_passphrase(hub, ANOTHER)
    assert (done.version, done.keys, done.file) == (2, 9, hub.directory / "passphrase")
    after = stored(hub)
    assert {each.passphrase for each in after.values()} == {2}
    for name, key in after.items():
        assert open_key(key.pem, ANOTHER, name).public_key == open_key(before[name].pem, old, name).public_key
        with pytest.raises(Unusable):
            open_key(key.pem, old, name)
    assert (hub.directory / "passphrase").stat().st_mode & 0o777 == 0o600
    assert audited()[-1] == ("passphrase.change", "database")
    with open_hub(hub.directory, "tester") as opened:
        require_signers(opened)


def test_codes_and_invitations_go_on(hub: Hub) -> None:
    anna, bert = (add_person(hub, f"{name}@hub.example", name, Role.OPERATOR).id for name in ("Anna", "Bert"))
    _, token, _ = invite_person(hub, anna)
    _, secret = invited_person(hub, token)
    accept_invitation(hub, token, PASSWORD, pyotp.TOTP(secret).at(hub.now()))
    _, waiting, _ = invite_person(hub, bert)
    assert change_passphrase(hub, ANOTHER).secrets == 2
    with open_hub(hub.directory, "tester") as opened:
        next_code = pyotp.TOTP(secret).at(opened.now() + timedelta(seconds=30))
        assert prove_person(opened, "anna@hub.example", PASSWORD, next_code).id == anna
        assert invited_person(opened, waiting)[0].id == bert


def test_one_key_that_does_not_open_and_nothing_is_changed(hub: Hub) -> None:
    with hub.write() as transaction:
        sealed_keys.replace(transaction, "client-ca-1", SealedKey(b"damaged", 1))
    before, passphrase = stored(hub), (hub.directory / "passphrase").read_bytes()
    with pytest.raises(Unusable, match="private key client-ca-1"):
        change_passphrase(hub, ANOTHER)
    assert stored(hub) == before
    assert (hub.directory / "passphrase").read_bytes() == passphrase


def test_one_that_is_too_short_or_the_present_one_is_refused(hub: Hub) -> None:
    with pytest.raises(Unusable, match="at least 12"):
        change_passphrase(hub, b"short")
    with pytest.raises(Conflict, match="is the present one"):
        change_passphrase(hub, (hub.directory / "passphrase").read_bytes().strip())


def test_a_key_that_was_made_before_it_is_not_stored_after_it(hub: Hub) -> None:
    with open_hub(hub.directory, "tester") as opened:
        made = opened.keys.generate("late")
        change_passphrase(hub, ANOTHER)
        assert made.stored
        with (
            pytest.raises(Conflict, match="was changed meanwhile"),
            opened.write() as transaction,
        ):
            sealed_keys.add(transaction, "late", made.stored)
