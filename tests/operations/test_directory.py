from pathlib import Path

import pytest

from bothways.errors import Refused, Unusable
from bothways.operations.directory import CONTRACT_FILE, passphrase, read_terms
from bothways.operations.hub import Hub


def test_the_terms_are_those_that_the_hub_was_made_with(hub: Hub) -> None:
    assert read_terms(hub.directory) == hub.terms


def test_terms_that_are_not_there_or_not_right_are_told(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="the hub's terms"):
        read_terms(tmp_path)
    (hub.directory / CONTRACT_FILE).write_text("environment = 'TST'")
    with pytest.raises(Refused):
        read_terms(hub.directory)


def test_a_passphrase_that_is_not_there_is_told(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="the passphrase of the hub's keys cannot be read"):
        passphrase(tmp_path, hub.settings)
