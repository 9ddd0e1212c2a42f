import pytest
from tests.stored_keys import key_names, lose_key

from bothways.errors import Unusable
from bothways.operations.hub import Hub
from bothways.operations.own_keys import open_keys, require_signers, store_key


def test_a_new_key_is_stored_with_what_puts_it_to_use_or_not_at_all(hub: Hub) -> None:
    def fail() -> None:
        with hub.write() as transaction:
            store_key(transaction, hub.keys.generate("server-2"))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert "server-2" not in key_names(hub)
    with hub.write() as transaction:
        assert store_key(transaction, hub.keys.generate("server-3")) == "server-3"
    assert "server-3" in key_names(hub)
    assert open_keys(hub.database, hub.directory, hub.settings).private_pem("server-3")


def test_a_ca_whose_key_is_lost_cannot_sign(hub: Hub) -> None:
    require_signers(hub)
    lose_key(hub, "client-ca-1")
    hub.keys._opened.clear()
    with pytest.raises(Unusable, match="the private key client-ca-1 is not in the database"):
        require_signers(hub)
