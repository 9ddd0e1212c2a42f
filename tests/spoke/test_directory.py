import hashlib
import itertools
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bothways.errors import Conflict, Refused, Unreachable, Unusable
from bothways.operations.hub import Hub
from bothways.spoke.directory import Spoke, alone, init_spoke, open_spoke

HUB_ALONE = {"envoy", "fastapi", "google", "grpc", "pkcs11", "pkilint", "sqlalchemy", "starlette", "uvicorn", "xds"}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_spoke_is_made_from_a_file_and_opened_again(contract_file: Path, tmp_path: Path) -> None:
    made = init_spoke(tmp_path / "spoke", str(contract_file), "12345678")
    assert open_spoke(tmp_path / "spoke") == made
    assert (made.directory / "contract.toml").read_bytes() == contract_file.read_bytes()
    assert (made.directory / "ca.crt").read_text() == made.contract.trust.server_ca
    assert (made.directory / "client-ca.crt").read_text() == made.contract.trust.client_ca
    assert stat.S_IMODE(made.directory.stat().st_mode) == 0o700


@pytest.mark.parametrize("spelled", ["lower", "upper", "colons"])
def test_the_fingerprint_holds_however_it_is_spelled(contract_file: Path, tmp_path: Path, spelled: str) -> None:
    found = digest(contract_file)
    pairs = ":".join(found[place : place + 2] for place in range(0, 64, 2))
    text = {"lower": found, "upper": found.upper(), "colons": pairs}[spelled]
    init_spoke(tmp_path / "spoke", str(contract_file), "12345678", text)
    assert open_spoke(tmp_path / "spoke").tsp_id == "12345678"


def test_a_file_with_another_fingerprint_is_refused_and_nothing_is_made(contract_file: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        init_spoke(tmp_path / "spoke", str(contract_file), "12345678", "0" * 64)
    assert [finding.id for finding in refused.value.findings] == ["CONTRACT-PIN"]
    assert not (tmp_path / "spoke").exists()


@pytest.mark.envoy
def test_the_contract_comes_from_the_running_portal_if_the_fingerprint_is_right(
    running_hub: Hub, contract_file: Path, tmp_path: Path
) -> None:
    address = f"{running_hub.terms.portal}/contract.toml"
    spoke = init_spoke(tmp_path / "spoke", address, "12345678", digest(contract_file))
    assert spoke.contract.terms == running_hub.terms
    with pytest.raises(Refused, match="CONTRACT-PIN"):
        init_spoke(tmp_path / "wrong", address, "12345678", "0" * 64)
    with pytest.raises(Unreachable, match="give --fingerprint"):
        init_spoke(tmp_path / "missing", address, "12345678")
    with pytest.raises(Unreachable, match="404"):
        init_spoke(tmp_path / "absent", f"{running_hub.terms.portal}/no-contract", "12345678", "0" * 64)
    assert [(tmp_path / name).exists() for name in ("wrong", "missing", "absent")] == [False, False, False]


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("http://portal.localhost/contract.toml", Unusable, "not an https address"),
        ("https://portal.localhost:1/contract.toml", Unreachable, "refused"),
        ("https://portal.localhost:1/\x01", Unreachable, "cannot be fetched"),
        ("https:///contract.toml", Unreachable, "cannot be fetched"),
        ("/nonexistent/contract.toml", Unusable, "there is no such file"),
        ("/dev/zero", Unusable, "more than"),
    ],
    ids=["plain http", "nobody listens", "control character", "no host", "no file", "no end"],
)
def test_a_source_that_cannot_be_had_is_said_and_nothing_is_made(
    tmp_path: Path, source: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        init_spoke(tmp_path / "spoke", source, "12345678")
    assert not (tmp_path / "spoke").exists()


@pytest.mark.parametrize("tsp_id", ["", "12 34", "1/2", "1\n2", "1" * 33], ids=repr)
def test_a_customer_identifier_that_no_hub_gives_is_refused(contract_file: Path, tmp_path: Path, tsp_id: str) -> None:
    with pytest.raises(Refused) as refused:
        init_spoke(tmp_path / "spoke", str(contract_file), tsp_id)
    assert [finding.id for finding in refused.value.findings] == ["CUSTOMER-01"]
    assert not (tmp_path / "spoke").exists()


def test_a_damaged_contract_is_refused_and_nothing_is_made(contract_file: Path, tmp_path: Path) -> None:
    contract_file.write_text(contract_file.read_text().replace("BEGIN CERTIFICATE", "BEGIN", 1))
    with pytest.raises(Refused, match="CONTRACT-CA"):
        init_spoke(tmp_path / "spoke", str(contract_file), "12345678")
    assert not (tmp_path / "spoke").exists()


def test_a_directory_that_holds_a_spoke_is_left_as_it_is(spoke: Spoke, contract_file: Path) -> None:
    with pytest.raises(Conflict, match="already holds a spoke"):
        init_spoke(spoke.directory, str(contract_file), "87654321")
    assert open_spoke(spoke.directory).tsp_id == "12345678"


def test_a_place_that_cannot_be_written_is_said(contract_file: Path, tmp_path: Path) -> None:
    for place in (contract_file / "spoke", Path("/proc/spoke")):
        with pytest.raises(Unusable, match="cannot be written"):
            init_spoke(place, str(contract_file), "12345678")
    assert not (tmp_path / "spoke").exists()


def test_a_directory_without_a_spoke_says_how_one_is_made(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="bothways spoke init --contract"):
        open_spoke(tmp_path)


def test_settings_that_are_missing_or_misspelled_are_said(spoke: Spoke) -> None:
    (spoke.directory / "spoke.toml").write_text('custommer = "1"\n')
    with pytest.raises(Refused) as refused:
        open_spoke(spoke.directory)
    assert [finding.id for finding in refused.value.findings] == ["CONTRACT-MISSING", "CONTRACT-UNKNOWN"]
    (spoke.directory / "spoke.toml").unlink()
    with pytest.raises(Unusable, match="the spoke's settings"):
        open_spoke(spoke.directory)


def test_the_spoke_imports_nothing_that_only_a_hub_needs() -> None:
    script = """
import importlib, pkgutil, sys
import bothways.spoke
# What comes with an extra of its own brings the library that it is for.
EXTRAS = {"aiohttp_connector", "receive", "requests_adapter"}
for module in pkgutil.iter_modules(bothways.spoke.__path__):
    if module.name in EXTRAS:
        continue
    importlib.import_module(f"bothways.spoke.{module.name}")
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert {"bothways", "httpx2", "cryptography"} <= loaded
    assert loaded.isdisjoint(HUB_ALONE)


def test_a_file_of_somebody_else_is_never_overwritten(contract_file: Path, tmp_path: Path) -> None:
    (tmp_path / "spoke").mkdir()
    (tmp_path / "spoke" / "ca.crt").write_text("of the web server")
    with pytest.raises(Conflict, match=r"ca\.crt stands there already with another content"):
        init_spoke(tmp_path / "spoke", str(contract_file), "12345678")
    assert (tmp_path / "spoke" / "ca.crt").read_text() == "of the web server"
    with pytest.raises(Unusable, match="holds no spoke"):
        open_spoke(tmp_path / "spoke")


def test_kill_9_anywhere_leaves_no_spoke_or_a_whole_one_and_the_next_run_ends_it(
    contract_file: Path, tmp_path: Path, killed_at: Callable[[int, Callable[[], object]], bool]
) -> None:
    for place in itertools.count(1):
        directory = tmp_path / f"spoke-{place}"
        killed = killed_at(place, lambda there=directory: init_spoke(there, str(contract_file), "12345678"))  # type: ignore[misc]
        with suppress(Conflict):
            init_spoke(directory, str(contract_file), "12345678")
        assert open_spoke(directory).tsp_id == "12345678"
        names = {path.name for path in directory.iterdir() if not path.name.startswith(".contract.toml.")}
        assert names == {"contract.toml", "spoke.toml", "ca.crt", "client-ca.crt"}
        if not killed:
            break
    assert place > 8


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfe", "not UTF-8 text: invalid start byte at byte 0"),
        ("format = 1".encode("utf-16"), "not UTF-8 text"),
        (b"= nonsense", "this is not TOML"),
        (b"\0", "this is not TOML"),
        (b"format = " + b"1" * 5000, "this is not TOML"),
        (b"a = " + b"[" * 100_000, "this is not TOML"),
        (b"", "the value is missing"),
    ],
    ids=["bytes", "UTF-16", "no TOML", "NUL", "endless number", "nested", "empty"],
)
def test_a_contract_that_is_damaged_is_refused_when_it_comes_and_when_it_is_opened(
    spoke: Spoke, tmp_path: Path, data: bytes, said: str
) -> None:
    (tmp_path / "damaged.toml").write_bytes(data)
    with pytest.raises(Refused, match=said):
        init_spoke(tmp_path / "other", str(tmp_path / "damaged.toml"), "12345678")
    assert not (tmp_path / "other").exists()
    (spoke.directory / "contract.toml").write_bytes(data)
    with pytest.raises(Refused, match=said):
        open_spoke(spoke.directory)


def test_a_byte_order_mark_and_windows_line_ends_are_no_damage(contract_file: Path, tmp_path: Path) -> None:
    contract_file.write_bytes(b"\xef\xbb\xbf" + contract_file.read_bytes().replace(b"\n", b"\r\n"))
    assert init_spoke(tmp_path / "spoke", str(contract_file), "12345678") == open_spoke(tmp_path / "spoke")


@pytest.mark.parametrize(
    "data",
    [b"\xff", b"customer = 7", b"= 1", b'customer = "1\\n2"', b'customer = "../../1"'],
    ids=["bytes", "a number", "no TOML", "two lines", "a path"],
)
def test_settings_that_are_damaged_say_how_they_are_written(spoke: Spoke, data: bytes) -> None:
    (spoke.directory / "spoke.toml").write_bytes(data)
    with pytest.raises(Refused, match=r"customer = 'TSPID' \(in .*spoke\.toml\)"):
        open_spoke(spoke.directory)


@pytest.mark.parametrize("name", ["a" * 300, "a/" * 3000, "a\0b"], ids=["long name", "long path", "NUL"])
def test_a_directory_that_no_file_system_has_is_said(contract_file: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(Unusable, match="cannot be written"):
        init_spoke(tmp_path / name, str(contract_file), "12345678")
    with pytest.raises(Unusable, match="cannot be read"):
        open_spoke(tmp_path / name)
    assert not (tmp_path / "a").exists()


def test_a_file_in_place_of_the_directory_is_said(contract_file: Path) -> None:
    with pytest.raises(Unusable, match="a file stands where a directory is wanted"):
        init_spoke(contract_file, str(contract_file), "12345678")
    with pytest.raises(Unusable, match=r"is a file\. Name the directory of a spoke"):
        open_spoke(contract_file)


def test_only_one_command_writes_at_a_time(spoke: Spoke, contract_file: Path) -> None:
    (spoke.directory / "contract.toml").unlink()
    with alone(spoke.directory), pytest.raises(Conflict, match="another bothways spoke command is writing"):
        init_spoke(spoke.directory, str(contract_file), "12345678")
    init_spoke(spoke.directory, str(contract_file), "12345678")
