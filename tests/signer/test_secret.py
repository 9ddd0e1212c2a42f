from pathlib import Path

import pytest

from bothways.errors import Unusable
from bothways.signer.secret import read_secret


@pytest.mark.parametrize("content", ["word", "word\n", "word\r\n", " word \n"])
def test_white_space_around_a_secret_does_not_count(tmp_path: Path, content: str) -> None:
    (tmp_path / "pin").write_text(content)
    (tmp_path / "pin").chmod(0o600)
    assert read_secret(tmp_path / "pin", "the PIN") == b"word"


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("word")
    (tmp_path / "pin").chmod(0o640)
    with pytest.raises(Unusable, match="others on this machine can read the PIN") as raised:
        read_secret(tmp_path / "pin", "the PIN")
    assert "word" not in str(raised.value)


def test_a_credential_of_the_service_manager_is_read_whatever_its_mode_shows(tmp_path: Path) -> None:
    credential = tmp_path / "bothways.service" / "pin"
    credential.parent.mkdir()
    credential.write_text("word")
    credential.chmod(0o440)
    assert read_secret(credential, "the PIN", credentials=tmp_path) == b"word"


def test_a_path_that_only_looks_like_a_credential_is_none(tmp_path: Path) -> None:
    credentials, elsewhere = tmp_path / "credentials", tmp_path / "elsewhere"
    credentials.mkdir()
    elsewhere.write_text("word")
    elsewhere.chmod(0o644)
    (credentials / "pin").symlink_to(elsewhere)
    for path in (credentials / "pin", credentials / ".." / "elsewhere"):
        with pytest.raises(Unusable, match="0600 is wanted"):
            read_secret(path, "the PIN", credentials=credentials)


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"the PIN cannot be read from .*no such file"):
        read_secret(tmp_path / "pin", "the PIN")
