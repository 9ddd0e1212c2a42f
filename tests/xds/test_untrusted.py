"""What is removed is in `tests/xds/test_names.py`; that Envoy removes it, in `tests/wire/test_smuggling.py`."""

from collections.abc import Callable
from typing import Any

from bothways.xds import names
from bothways.xds.untrusted import trailers_filter, without_untrusted_headers, without_untrusted_trailers

MATCHERS: list[dict[str, Any]] = [
    {"safe_regex": {"regex": names.UNTRUSTED_SPELLING}},
    *({"prefix": each} for each in names.UNTRUSTED_PREFIXES),
]
REMOVED = [
    *({"remove_on_match": {"key_matcher": each}} for each in MATCHERS),
    *({"remove": each} for each in names.UNTRUSTED_HEADERS),
]
TYPE = "type.googleapis.com/envoy.extensions"


def test_what_nobody_is_believed_is_taken_off_and_what_is_named_besides(shown: Callable[[Any], Any]) -> None:
    mutation = shown(without_untrusted_headers(("traceparent",)))["typed_config"]
    assert mutation == {
        "@type": f"{TYPE}.http.early_header_mutation.header_mutation.v3.HeaderMutation",
        "mutations": [*REMOVED, {"remove": "traceparent"}],
    }


def test_the_filter_of_trailers_is_off_until_a_route_says_what_it_removes(shown: Callable[[Any], Any]) -> None:
    assert shown(trailers_filter()) == {
        "name": "envoy.filters.http.header_mutation",
        "typed_config": {"@type": f"{TYPE}.filters.http.header_mutation.v3.HeaderMutation"},
        "disabled": True,
    }
    assert shown(without_untrusted_trailers()) == {"mutations": {"request_trailers_mutations": REMOVED}}
