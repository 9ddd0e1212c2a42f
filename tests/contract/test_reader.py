from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bothways.contract.reader import Reader, read_toml
from bothways.errors import Refused


def found(document: dict[str, Any], ask: Callable[[Reader], object]) -> list[str]:
    reader = Reader(document, "hub.toml")
    ask(reader)
    return [each.id for each in reader.findings]


@settings(deadline=None)
@given(st.text() | st.text("[]={}\"'.#\n1a_-:TZ"))
def test_a_text_is_toml_or_refused(text: str) -> None:
    try:
        reader = read_toml(text, "hub.toml")
    except Refused as refused:
        assert [each.id for each in refused.findings] == ["CONTRACT-TOML"]  # noqa: PT017 - both outcomes are right
    else:
        assert isinstance(reader.document, dict)


@pytest.mark.parametrize("text", ["a = " + "9" * 5000, "a = " + "[" * 100_000, "a = 1\na = 2", "a = 2026-02-30"])
def test_what_makes_the_parser_stumble_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        read_toml(text, "hub.toml")
    assert [(each.id, each.subject) for each in refused.value.findings] == [("CONTRACT-TOML", "hub.toml")]


@pytest.mark.parametrize(
    ("document", "value"), [({"a": {"b": "here"}}, "here"), ({}, "default"), ({"a": "no table"}, "default")]
)
def test_a_value_is_found_at_its_dotted_key_or_is_the_default(document: dict[str, Any], value: str) -> None:
    assert Reader(document, "").text("a.b", "default") == value


def test_an_empty_text_is_a_value_only_where_there_is_a_default() -> None:
    assert found({"a": ""}, lambda reader: reader.text("a", "default")) == []
    assert found({"a": ""}, lambda reader: reader.text("a")) == ["CONTRACT-MISSING"]


@pytest.mark.parametrize(("number", "ids"), [(0, ["CONTRACT-RANGE"]), (1, []), (9, []), (10, ["CONTRACT-RANGE"])])
def test_an_integer_lies_between_its_bounds(number: int, ids: list[str]) -> None:
    assert found({"a": number}, lambda reader: reader.integer("a", 5, 1, 9)) == ids


@pytest.mark.parametrize("wrong", ["5", 5.0, True, [5], {"b": 5}])
def test_nothing_else_passes_for_an_integer(wrong: object) -> None:
    assert found({"a": wrong}, lambda reader: reader.integer("a", 5)) == ["CONTRACT-TYPE"]


@pytest.mark.parametrize(
    ("ports", "ids"),
    [
        ([1, 65535], []),
        ([], ["CONTRACT-RANGE"]),
        ([0], ["CONTRACT-RANGE"]),
        ([65536], ["CONTRACT-RANGE"]),
        (["443"], ["CONTRACT-RANGE"]),
        ([True], ["CONTRACT-RANGE"]),
    ],
)
def test_ports_are_integers_from_1_to_65535(ports: list[object], ids: list[str]) -> None:
    assert found({"a": ports}, lambda reader: reader.ports("a", [443])) == ids


def test_choices_of_the_wrong_shape_are_named() -> None:
    assert found({"a": [["rsa"]]}, lambda reader: reader.choices("a", ["rsa"], ["rsa"])) == ["CONTRACT-CHOICE"]


@pytest.mark.parametrize("url", ["https://hub.example", "https://hub.example:8443", "https://[::1]:8443"])
def test_an_address_is_https_with_a_host_and_perhaps_a_port(url: str) -> None:
    assert found({"a": url}, lambda reader: reader.address("a")) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://hub.example",
        "hub.example",
        "https://",
        "https://hub.example/",
        "https://hub.example?a",
        "https://hub.example#a",
        "https://user@hub.example",
        "https://hub.example:0",
        "https://hub.example:99999",
        "https://hub.example:https",
        "https://[::1",
        "https://hub.\nexample",
        "https://hüb.example",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    assert found({"a": url}, lambda reader: reader.address("a")) == ["CONTRACT-URL"]


@pytest.mark.parametrize("name", ["hub.example\n", "hub example", ".hub", "hub..example", "hub.example;ls", "hüb"])
def test_a_domain_is_letters_digits_and_dashes_between_dots(name: str) -> None:
    assert found({"a": "ppr.hub.localhost"}, lambda reader: reader.domain("a")) == []
    assert found({"a": name}, lambda reader: reader.domain("a")) == ["CONTRACT-DOMAIN"]


@pytest.mark.parametrize("path", ["health", "", "/a b", "/a\n", "/ä", "/a\x7f"])
def test_a_path_begins_with_a_slash_and_is_visible(path: str) -> None:
    assert found({"a": "/health"}, lambda reader: reader.path("a", "/")) == []
    assert found({"a": path}, lambda reader: reader.path("a", "/")) == ["CONTRACT-PATH"]


@pytest.mark.parametrize(("document", "value"), [({}, False), ({"a": False}, False), ({"a": True}, True)])
def test_a_flag_is_off_unless_it_is_on(document: dict[str, Any], value: bool) -> None:  # noqa: FBT001 - a vector
    assert Reader(document, "").flag("a") is value


def test_a_flag_is_no_number() -> None:
    assert found({"a": 1}, lambda reader: reader.flag("a")) == ["CONTRACT-TYPE"]


def test_finish_names_what_nobody_asked_for() -> None:
    reader = Reader({"a": 1, "b": {"c": 2, "d": {"e": 3}}, "f": [{"g": 4}]}, "hub.toml")
    reader.integer("b.c", 0)
    with pytest.raises(Refused) as refused:
        reader.finish()
    messages = [each.message for each in refused.value.findings]
    assert messages == [f"{key}: there is no such setting" for key in ("a", "b.d.e", "f")]


def test_finish_says_nothing_when_all_is_well() -> None:
    reader = Reader({"a": {"b": 1}}, "hub.toml")
    assert reader.integer("a.b", 0) == 1
    reader.finish()
    assert reader.findings == []
