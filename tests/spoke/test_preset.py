import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bothways.contract.document import PUBLIC, Environment, KeyType, Software
from bothways.contract.parse import parse_contract
from bothways.errors import Refused, Unusable
from bothways.pki.chain import certificate_pem
from bothways.spoke.preset import find_preset, own_presets, settle

OWN = """
format = 1
[preset]
title = "Mine"
[hub]
software = "other"
environment = "PPR"
endpoint = "https://hub.example"
[trust]
server_ca = "public"
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    own_presets().mkdir(parents=True)
    return own_presets()


@pytest.mark.parametrize(
    ("name", "environment", "endpoint"),
    [
        ("thales-tsh-ppr", Environment.PPR, "https://api.dbp-stg.thalescloud.io"),
        ("thales-tsh-prd", Environment.PRD, "https://api.dbp.thalescloud.io"),
    ],
)
def test_ours_hold_the_public_facts_and_ask_for_each_that_is_unsure(
    name: str, environment: Environment, endpoint: str
) -> None:
    preset = find_preset(name)
    assert preset is not None
    assert [each.setting for each in preset.unsure] == [
        "request.common_name",
        "request.ecdsa_marker",
        "trust.server_ca",
    ]
    with pytest.raises(Unusable, match="ask the hub's representative") as asked:
        settle(preset, {"request.ecdsa_marker": "EC"})
    assert "--confirm 'request.common_name=TLSMA-{algorithm}/{tspId}/{environment}'" in str(asked.value)
    assert "request.ecdsa_marker" not in str(asked.value)
    said = {each.setting: each.suggestion for each in preset.unsure} | {"request.ecdsa_marker": "EC"}
    settled = settle(preset, said)
    assert settled.confirmed == tuple(f"{setting} = {value}" for setting, value in said.items())
    contract = parse_contract(settled.contract.decode())
    terms = contract.terms
    assert (terms.software, terms.environment, terms.endpoint) == (Software.OTHER, environment, endpoint)
    assert terms.request.expected_common_name(KeyType.ECDSA, "1", environment) == f"TLSMA-EC/1/{environment}"
    assert terms.request.expected_common_name(KeyType.RSA, "1", environment) == f"TLSMA-RSA/1/{environment}"
    assert (contract.trust.server_ca, contract.trust.issuing_ca, contract.trust.client_ca) == (PUBLIC, "", "")


def test_a_ca_is_said_as_a_file(ca_pem_file: Path) -> None:
    preset = find_preset("thales-tsh-ppr")
    assert preset is not None
    said = {each.setting: each.suggestion for each in preset.unsure} | {"trust.server_ca": str(ca_pem_file)}
    assert parse_contract(settle(preset, said).contract.decode()).trust.server_ca == ca_pem_file.read_text()
    with pytest.raises(Refused, match="CONTRACT-PATTERN"):
        parse_contract(settle(preset, said | {"request.common_name": "X-{tspId}"}).contract.decode())


@pytest.fixture
def ca_pem_file(make_ca: Callable[..., Any], tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_text(certificate_pem(make_ca("CA")[1]))
    return path


def test_one_of_ones_own_is_one_more_file_by_name_or_by_path(home: Path) -> None:
    (home / "mine.toml").write_text(OWN)
    for said in ("mine", str(home / "mine.toml")):
        preset = find_preset(said)
        assert preset is not None
        assert (preset.title, preset.unsure) == ("Mine", ())
        assert parse_contract(settle(preset, {}).contract.decode()).terms.endpoint == "https://hub.example"
    assert preset is not None
    with pytest.raises(Unusable, match=r"trust\.nothing is not among what Mine leaves open"):
        settle(preset, {"trust.nothing": "x"})


def test_what_is_no_preset_is_left_to_others_and_an_unknown_name_is_told_all_there_are(home: Path) -> None:
    whole = home / "contract.toml"
    whole.write_text(OWN.replace("[preset]\n", "[other]\n"))
    assert find_preset(str(whole)) is None
    whole.write_text("= no TOML")
    assert find_preset(str(whole)) is None
    assert find_preset("https://portal.example/contract.toml") is None
    (home / "mine.toml").write_text(OWN)
    with pytest.raises(Unusable, match=r"Presets are: .*mine, thales-tsh-ppr, thales-tsh-prd"):
        find_preset("thales")


@pytest.mark.parametrize(
    "table",
    [
        "unsure = 1",
        "unsure = [1]",
        'unsure = [{setting = "hub.domain"}]',
        'unsure = [{setting = "a b", suggestion = "", why = ""}]',
    ],
)
def test_a_preset_of_another_form_is_refused(home: Path, table: str) -> None:
    (home / "mine.toml").write_text(OWN.replace("[preset]", f"[preset]\n{table}"))
    with pytest.raises(Unusable, match="unsure"):
        find_preset("mine")


def test_ours_are_toml_that_reads_from_the_top() -> None:
    preset = find_preset("thales-tsh-ppr")
    assert preset is not None
    assert preset.source.read_text().startswith("# Thales TSH, pre-production (PPR)")
    assert "preset" in tomllib.loads(preset.source.read_text())
