import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from bothways.bundle import seal
from bothways.bundle.archive import read_archive, write_archive
from bothways.bundle.seal import About, Kind, make_bundle, meant_findings, open_bundle
from bothways.contract.document import Environment
from bothways.errors import Refused
from bothways.pki.keys import sha256, spki_pin
from bothways.pki.statement import Statement, make_statement, public_pem, sign_statement

KEY = ec.generate_private_key(ec.SECP256R1())
MOMENT = "2026-11-23T12:00:00+00:00"
ABOUT = About(Environment.PPR, "hub.example", "12345678", "0" * 32, datetime.fromisoformat(MOMENT))
MEMBERS = {seal.REQUEST: b"a request", seal.ENDPOINT: b"https://shop.example\n"}
ALL = dict.fromkeys(
    ["manifest.json", "manifest.sig", "signer.pem", *MEMBERS, seal.SERVER_CHAIN, seal.CONTRACT], 1 << 16
)


def bundle(key: Any = KEY, kind: Kind = Kind.CUSTOMER, **members: bytes) -> bytes:
    return make_bundle(kind, ABOUT, MEMBERS | members, key.public_key(), lambda one: sign_statement(key, one))


GOOD = bundle()


def refused(data: bytes, kind: Kind = Kind.CUSTOMER) -> list[str]:
    with pytest.raises(Refused) as caught:
        open_bundle(data, kind, "answer.zip")
    return [f"{each.id} {each.message}" for each in caught.value.findings]


def changed(**members: bytes | None) -> bytes:
    """Return the good bundle with other members, its seal as it was."""
    now = read_archive(bundle(), ALL, "x") | members
    return write_archive({name: content for name, content in now.items() if content is not None})


def test_a_bundle_says_for_whom_it_is_and_who_signed_it() -> None:
    opened = open_bundle(bundle(), Kind.CUSTOMER, "answer.zip")
    assert (opened.about, dict(opened.members), opened.spki_pin) == (ABOUT, MEMBERS, spki_pin(KEY.public_key()))
    assert opened.fingerprint == sha256(read_archive(bundle_of(opened), ALL, "x")["manifest.json"])
    assert opened.text(seal.ENDPOINT) == "https://shop.example\n"


def bundle_of(opened: seal.Bundle) -> bytes:
    """Return a bundle with the same manifest: ECDSA signs the same bytes in another way each time."""
    assert opened.about == ABOUT
    return bundle()


def test_an_rsa_key_signs_as_well(rsa_key: rsa.RSAPrivateKey) -> None:
    assert open_bundle(bundle(rsa_key), Kind.CUSTOMER, "x").spki_pin == spki_pin(rsa_key.public_key())


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_that_was_changed_taken_out_or_put_in_is_refused(name: str) -> None:
    assert refused(changed(**{name: b"another"})) == [
        f"BUNDLE-03 it is not what its signer signed: {name} is not what the manifest says"
    ]
    assert refused(changed(**{name: None}))
    assert refused(changed(**{seal.SERVER_CHAIN: b"more"}))


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sig", "signer.pem"])
def test_a_seal_that_lacks_a_part_or_was_changed_is_refused(name: str) -> None:
    assert refused(changed(**{name: None})) == [f"BUNDLE-03 it has no {name}"]
    assert refused(changed(**{name: b"{}"}))[0].startswith("BUNDLE-03 it is not what its signer signed")


def test_a_manifest_that_was_changed_is_refused_whoever_is_named_as_its_signer() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    manifest = read_archive(bundle(), ALL, "x")["manifest.json"].replace(b"12345678", b"87654321")
    assert "signature is not of that key" in refused(changed(**{"manifest.json": manifest}))[0]
    signature = sign_statement(other, Statement(manifest))
    assert (
        "signature is not of that key" in refused(changed(**{"manifest.json": manifest, "manifest.sig": signature}))[0]
    )
    forged = {
        "manifest.json": manifest,
        "manifest.sig": signature,
        "signer.pem": public_pem(other.public_key()).encode(),
    }
    assert refused(changed(**forged)) == [
        "BUNDLE-03 it is not what its signer signed: its manifest names another signer"
    ]


def test_a_bundle_of_the_hub_is_no_answer_and_an_answer_is_none_of_the_hub() -> None:
    assert "wanted 'bothways-hub-bundle'" in refused(bundle(), Kind.HUB)[0]
    assert "does not come from there" in refused(bundle(kind=Kind.HUB), Kind.HUB)[0]
    assert "does not come from there" in refused(bundle(KEY, Kind.CUSTOMER, **{seal.CONTRACT: b"x"}))[0]


@pytest.mark.parametrize(
    "values",
    [
        {"environment": "XXX"},
        {"environment": 1},
        {"customer": ["12345678"]},
        {"made_at": "yesterday"},
        {"made_at": "2026-11-23T12:00:00"},
        {"files": []},
        {"files": {seal.REQUEST: 7}},
        {"signer": None},
        {"id": None},
    ],
    ids=str,
)
def test_a_manifest_of_another_shape_is_refused_also_where_it_is_signed(values: dict[str, Any]) -> None:
    said = json.loads(read_archive(bundle(), ALL, "x")["manifest.json"]) | values
    said.pop("type"), said.pop("format")
    statement = make_statement(Kind.CUSTOMER.value, said)
    seal_ = {"manifest.json": statement.content, "manifest.sig": sign_statement(KEY, statement)}
    assert refused(changed(**seal_))[0].startswith("BUNDLE-03")


def test_another_environment_hub_or_customer_is_told() -> None:
    opened = open_bundle(bundle(), Kind.CUSTOMER, "x")
    assert meant_findings(opened, Environment.PPR, "hub.example", "12345678", "x") == []
    found = meant_findings(opened, Environment.PRD, "other.example", "1", "x")
    assert [each.id for each in found] == ["BUNDLE-04"] * 3
    assert found[0].message == "it is for the environment 'PPR', and not for PRD"


@given(st.data())
def test_no_byte_of_a_bundle_can_be_changed_so_that_it_says_something_else(data: st.DataObject) -> None:
    # ECDSA signatures differ in length from run to run, so the place is drawn without it.
    place = data.draw(st.integers(0, 1 << 16)) % len(GOOD)
    twisted = bytearray(GOOD)
    twisted[place] ^= data.draw(st.integers(1, 255))
    try:
        opened = open_bundle(bytes(twisted), Kind.CUSTOMER, "x")
    except Refused:
        return
    # What is not signed is what the zip says about time and place of its members, and that is used for nothing.
    assert (opened.about, dict(opened.members), opened.spki_pin) == (ABOUT, MEMBERS, spki_pin(KEY.public_key()))


def test_the_moment_keeps_its_time_zone() -> None:
    about = replace(ABOUT, made_at=datetime.fromisoformat("2026-11-23T14:00:00+02:00"))
    made = make_bundle(Kind.CUSTOMER, about, MEMBERS, KEY.public_key(), lambda one: sign_statement(KEY, one))
    assert open_bundle(made, Kind.CUSTOMER, "x").about == ABOUT
