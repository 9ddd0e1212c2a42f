from collections.abc import Callable
from typing import Any

import pytest

from bothways.contract.reader import Reader, read_toml
from bothways.errors import Refused
from bothways.operations import settings_values as values
from bothways.xds.state import Address


def read(value: object, kind: Callable[[Reader, str, Any], object]) -> tuple[object, list[str]]:
    reader = read_toml(f"value = {value!r}", "hub.toml")
    # Listeners stand in a list, which their caller reads.
    found = kind(reader, "value", reader.value("value", str) if kind is values.listener else "")
    try:
        reader.finish()
    except Refused as error:
        return found, [each.id for each in error.findings]
    return found, []


@pytest.mark.parametrize(
    ("kind", "value", "ids"),
    [
        (values.ip_address, "::1", []),
        (values.ip_address, "localhost", ["CONTRACT-ADDRESS"]),
        (values.ip_address, "fe80::1%eth0", ["CONTRACT-ADDRESS"]),
        (values.database_url, "", []),
        (values.database_url, "postgresql://bothways@db.example/bothways", []),
        (values.database_url, "mysql://db.example/bothways", ["CONTRACT-DATABASE"]),
        (values.collector, "", []),
        (values.collector, "http://127.0.0.1:4317", []),
        (values.collector, "https://otel.example:4317/", []),
        (values.collector, "https://otel.example", ["CONTRACT-URL"]),
        (values.collector, "grpc://otel.example:4317", ["CONTRACT-URL"]),
        (values.collector, "http://otel.example:99999", ["CONTRACT-URL"]),
        (values.collector, "http://otel.example:4318/v1/traces", ["CONTRACT-URL"]),
    ],
)
def test_a_value_is_taken_as_it_is_or_named(
    kind: Callable[[Reader, str, Any], object], value: str, ids: list[str]
) -> None:
    assert read(value, kind) == (value, ids)


def test_an_address_has_its_port() -> None:
    assert read("[2001:db8::1]:443", values.listener) == (Address("2001:db8::1", 443), [])
    assert read("0.0.0.0:0", values.listener)[1] == ["CONTRACT-ADDRESS"]
