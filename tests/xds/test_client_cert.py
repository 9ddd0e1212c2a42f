"""What the script does is shown by the real Envoy, in tests/wire/test_services.py."""

from collections.abc import Callable
from typing import Any

from bothways.xds.client_cert import client_cert_filter, with_client_cert


def test_the_filter_is_off_until_a_route_names_its_script(shown: Callable[[Any], Any]) -> None:
    message = shown(client_cert_filter())
    [script] = message["typed_config"].pop("source_codes").items()
    assert message == {
        "name": "envoy.filters.http.lua",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"},
        "disabled": True,
    }
    assert script[0] == "client-cert"
    assert shown(with_client_cert()) == {"name": "client-cert"}


def test_what_is_remembered_has_an_end(shown: Callable[[Any], Any]) -> None:
    [source] = shown(client_cert_filter())["typed_config"]["source_codes"].values()
    assert "if count == 4096 then\n      remembered, count = {}, 0" in source["inline_string"]
